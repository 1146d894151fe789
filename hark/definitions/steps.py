"""How the steps of a campaign's variants are written: send and wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from hark.definitions.conditions import event_record
from hark.definitions.shapes import (
    INVALID,
    NAME,
    Choice,
    Duration,
    Invalid,
    ListOf,
    Mapped,
    Plain,
    Reading,
    Record,
    Shape,
    TimeOfDay,
    Values,
    Zone,
)
from hark.definitions.types import Send, Step, Wait
from hark.definitions.yaml import Node
from hark.model import DAY, JSON

RESERVED: Mapping[str, str] = {
    "control": "those left alone",
    "global_control": "those left alone by every campaign",
}
"""The arms which every campaign may have; no variant may have such a name."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _send(values: Values, _node: Node, _reading: Reading) -> Send:
    return Send(
        template=values["template"],
        channel=values["channel"],
        expires_us=values.get("expires"),
        data=values.get("with"),
    )


CHANNEL = Choice(("email",), ("push", "sms", "in_app", "web_push", "whatsapp", "webhook"))
SEND = Record(
    "send",
    {"channel": CHANNEL, "template": NAME, "with": Plain(), "expires": Duration()},
    _send,
    required=("channel", "template"),
    planned=("channels", "sender"),
)


def _wait(values: Values, node: Node, reading: Reading) -> Wait | Invalid:
    assert isinstance(node.value, dict)
    for key in ("zone", "days"):
        if key in values and "at" not in values:
            return reading.refuse(node.value[key], f'"{key}" belongs to {{at: "09:00"}}')
    if "at" in values and ("for" in values or "until" in values):
        return reading.refuse(node, "wait is one of {for}, {until, for} and {at, zone, days}")
    if "until" in values and "for" not in values:
        return reading.refuse(
            node, 'a wait until an event needs "for"', "how long at most, for example for: 3d"
        )
    if not values:
        return reading.refuse(node, "wait is one of {for}, {until, for} and {at, zone, days}")
    return Wait(
        for_us=values.get("for"),
        until=values.get("until"),
        at=values.get("at"),
        zone=values.get("zone", "customer"),
        days=values.get("days", ()),
    )


WAIT = Record(
    "wait",
    {
        "for": Duration(),
        "until": event_record("until"),
        "at": TimeOfDay(),
        "zone": Zone(),
        "days": ListOf(Choice(DAYS), "a list of days"),
    },
    _wait,
    planned=("to", "offset", "if_past"),
)
PLANNED_STEPS = ("branch", "split", "update", "webhook", "task", "exit")


def _step(values: Values, _node: Node, _reading: Reading) -> Step:
    return _renamed(values["send"] if "send" in values else values["wait"], values.get("id", ""))


def _renamed(step: Step, id: str) -> Step:
    renamed: Step = msgspec.structs.replace(step, id=id)
    return renamed


_STEP_FIELDS: Mapping[str, Shape[Any]] = {"send": SEND, "wait": WAIT, "id": NAME}
STEP: Shape[Step] = Record("a step", _STEP_FIELDS, _step, planned=PLANNED_STEPS, one_of=(("send", "wait"),))
Steps: TypeAlias = tuple[Step, ...]


def _steps(steps: Steps, node: Node, reading: Reading) -> Steps | Invalid:
    """Every step with an id: its own, or its place among the steps ("0", "1", ...)."""
    named = tuple(_renamed(step, step.id or str(place)) for place, step in enumerate(steps))
    ids = [step.id for step in named]
    for place, step_id in enumerate(ids):
        if step_id in ids[:place]:
            assert isinstance(node.value, list)
            return reading.refuse(node.value[place], f'the step id "{step_id}" stands twice')
    if not any(isinstance(step, Send) for step in named):
        return reading.refuse(node, "the steps send nothing")
    return named


STEPS: Shape[Steps] = Mapped(ListOf(STEP, "a list of steps"), _steps)


@dataclass(frozen=True)
class OneVariant(Shape[Steps]):
    """`{steps: [...]}`, or a single step by itself."""

    def read(self, node: Node, reading: Reading) -> Steps | Invalid:
        if isinstance(node.value, dict) and "steps" in node.value:
            return self._long().read(node, reading)
        step = STEP.read(node, reading)
        return step if isinstance(step, Invalid) else _steps((step,), Node([node], node.line), reading)

    @staticmethod
    def _long() -> Record[Steps]:
        return Record("a variant", {"steps": STEPS}, lambda values, _node, _reading: values["steps"])

    def schema(self) -> JSON:
        return {"anyOf": [{**self._long().schema(), "required": ["steps"]}, STEP.schema()]}


@dataclass(frozen=True)
class Variants(Shape[dict[str, Steps]]):
    """The variants by name."""

    def read(self, node: Node, reading: Reading) -> dict[str, Steps] | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, "a mapping of variants")
        read = {name: self._one(name, child, reading) for name, child in node.value.items()}
        steps = {name: one for name, one in read.items() if not isinstance(one, Invalid)}
        return steps if len(steps) == len(read) else INVALID

    def _one(self, name: str, node: Node, reading: Reading) -> Steps | Invalid:
        if name in RESERVED:
            return reading.refuse(node, f'"{name}" is the name of {RESERVED[name]}', "choose another name")
        if isinstance(NAME.read(Node(name, node.line), reading), Invalid):
            return INVALID
        return OneVariant().read(node, reading)

    def schema(self) -> JSON:
        names = {"pattern": f"^({NAME.pattern})$", "not": {"enum": [*RESERVED]}}
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": names,
            "additionalProperties": OneVariant().schema(),
        }


def last_send_us(steps: Steps) -> int:
    """The longest time from the entry to the last send, by the waits before it."""
    last = waited = 0
    for step in steps:
        if isinstance(step, Send):
            last = waited
        else:
            waited += _longest_wait_us(step)
    return last


def _longest_wait_us(wait: Wait) -> int:
    """A wait for a time of day lasts at most until the same time on the next of its days."""
    if wait.for_us is not None:
        return wait.for_us
    if not wait.days:
        return DAY
    places = sorted({DAYS.index(day) for day in wait.days})
    gaps = [(after - before) % 7 or 7 for before, after in zip(places, places[1:] + places[:1], strict=True)]
    return max(gaps) * DAY
