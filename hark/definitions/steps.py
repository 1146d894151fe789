"""How the steps of a campaign's variants are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from hark.definitions.by_name import ByName
from hark.definitions.conditions import CONDITION, event_record
from hark.definitions.offset import Offset
from hark.definitions.references import REFERENCE, REFERRING, Value
from hark.definitions.sending import LEAVING, SEND, TASK, WEBHOOK
from hark.definitions.shapes import (
    INVALID,
    NAME,
    Choice,
    Duration,
    Invalid,
    ListOf,
    Mapped,
    Named,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Text,
    TimeOfDay,
    Values,
    Zone,
)
from hark.definitions.types import Branch, Leave, Split, Step, Update, Wait, Way
from hark.definitions.yaml import Node
from hark.model import DAY, JSON

RESERVED: Mapping[str, str] = {
    "control": "those left alone",
    "global_control": "those left alone by every campaign",
}
"""The arms which every campaign may have; no variant may have such a name."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


WAYS_TO_WAIT = "wait is one of {for}, {until, for}, {at, zone, days} and {to, offset, if_past}"
BELONGS = {"zone": '{at: "09:00"}', "days": '{at: "09:00"}', "offset": "{to: ...}", "if_past": "{to: ...}"}


def _wait(values: Values, node: Node, reading: Reading) -> Wait | Invalid:
    assert isinstance(node.value, dict)
    for key, belongs_to in BELONGS.items():
        if key in values and not {"at", "to"} & values.keys():
            return reading.refuse(node.value[key], f'"{key}" belongs to {belongs_to}')
    if "until" in values and "for" not in values:
        return reading.refuse(
            node, 'a wait until an event needs "for"', "how long at most, for example for: 3d"
        )
    allowed = {"at": {"at", "zone", "days"}, "to": {"to", "offset", "if_past"}, "for": {"for", "until"}}
    owner = next((key for key in allowed if key in values), None)
    if owner is None or not values.keys() <= allowed[owner]:
        return reading.refuse(node, WAYS_TO_WAIT)
    return Wait(
        for_us=values.get("for"),
        until=values.get("until"),
        at=values.get("at"),
        zone=values.get("zone", "customer"),
        days=values.get("days", ()),
        to=values.get("to"),
        offset_us=values.get("offset", 0),
        if_past=values.get("if_past", "skip"),
    )


WAIT = Record(
    "wait",
    {
        "for": Duration(),
        "until": event_record("until", where=REFERRING),
        "at": TimeOfDay(),
        "zone": Zone(),
        "days": ListOf(Choice(DAYS), "a list of days"),
        "to": REFERENCE,
        "offset": Offset(),
        "if_past": Choice(("skip", "continue", "exit")),
    },
    _wait,
)


def _branch(ways: Sequence[Way], node: Node, reading: Reading) -> Branch | Invalid:
    assert isinstance(node.value, list)
    for place, way in enumerate(ways[:-1]):
        if way.when is None:
            return reading.refuse(node.value[place], '"otherwise" stands last', "nothing after it is reached")
    return Branch(tuple(ways))


def _way(values: Values, node: Node, reading: Reading) -> Way | Invalid:
    if "otherwise" in values:
        return Way(values["otherwise"])
    if "steps" not in values:
        return reading.refuse(node, 'a way with "when" needs "steps"', "steps: [...]")
    return Way(values["steps"], when=values["when"])


def _split(ways: Mapping[str, Way], node: Node, reading: Reading) -> Split | Invalid:
    if len(ways) < 2:
        return reading.refuse(node, "a split has two ways at least")
    return Split(tuple(msgspec.structs.replace(way, name=name) for name, way in ways.items()))


def _update(values: Values, _node: Node, _reading: Reading) -> Update:
    return Update(values["traits"])


TRAIT_NAME = Text("the name of a trait", r"[^.\s][^.]*")
NESTED: Shape[tuple[Step, ...]] = Named("steps", lambda: LIST)
WAY = Record(
    "a way",
    {"when": CONDITION, "steps": NESTED, "otherwise": NESTED},
    _way,
    one_of=(("when", "otherwise"),),
)
SPLIT_WAY = Record(
    "a way",
    {"weight": Number(0.001, 1000), "steps": NESTED},
    lambda values, _node, _reading: Way(values["steps"], weight=values.get("weight", 1.0)),
    required=("steps",),
)
_STEP_FIELDS: Mapping[str, Shape[Any]] = {
    "send": SEND,
    "webhook": WEBHOOK,
    "task": TASK,
    "wait": WAIT,
    "branch": Mapped(ListOf(WAY, "a list of ways"), _branch),
    "split": Mapped(ByName(SPLIT_WAY, "a mapping of ways"), _split),
    "update": Record(
        "update", {"traits": ByName(Value(), "a mapping of traits", TRAIT_NAME)}, _update, ("traits",)
    ),
    "exit": Mapped(Prose("a reason"), lambda reason, _node, _reading: Leave(reason)),
}


def _step(values: Values, _node: Node, _reading: Reading) -> Step:
    step = next(values[key] for key in _STEP_FIELDS if key in values)
    return _renamed(step, values.get("id", ""))


def _renamed(step: Step, id: str) -> Step:
    renamed: Step = msgspec.structs.replace(step, id=id)
    return renamed


STEP: Shape[Step] = Record("a step", {**_STEP_FIELDS, "id": NAME}, _step, one_of=((*_STEP_FIELDS,),))
LIST: Shape[tuple[Step, ...]] = ListOf(STEP, "a list of steps")
Steps: TypeAlias = tuple[Step, ...]


def _steps(steps: Steps, node: Node, reading: Reading) -> Steps | Invalid:
    """Every step with an id: its own, or its place among the steps ("0", "1", in the ways of the second
    "1.0.0", ...)."""
    named = _named(steps, "")
    ids = [step.id for step in every(named)]
    for place, step_id in enumerate(ids):
        if step_id in ids[:place]:
            assert isinstance(node.value, list)
            last = max(place for place, one in enumerate(named) if step_id in _ids(one))
            return reading.refuse(node.value[last], f'the step id "{step_id}" stands twice')
    if not any(isinstance(step, DOING) for step in every(named)):
        return reading.refuse(node, "the steps send nothing")
    return named


DOING = (*LEAVING, Update)
"""The steps for whose sake a campaign is."""


def _ids(step: Step) -> set[str]:
    return {one.id for one in every((step,))}


def _named(steps: Steps, before: str) -> Steps:
    return tuple(_named_below(step, f"{before}{place}") for place, step in enumerate(steps))


def _named_below(step: Step, path: str) -> Step:
    if isinstance(step, Branch | Split):
        below = step.id or path
        ways = tuple(
            msgspec.structs.replace(way, steps=_named(way.steps, f"{below}.{way.name or place}."))
            for place, way in enumerate(step.ways)
        )
        step = msgspec.structs.replace(step, ways=ways)
    return _renamed(step, step.id or path)


def every(steps: Steps) -> Iterator[Step]:
    """The steps and those within them, in the order of the text."""
    for step in steps:
        yield step
        if isinstance(step, Branch | Split):
            for way in step.ways:
                yield from every(way.steps)


STEPS: Shape[Steps] = Mapped(LIST, _steps)


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
    return max(_spans(steps)[0], 0)


def _spans(steps: Steps) -> tuple[int, int]:
    """(the longest time to the last send, -1 if there is none; the longest time to the end)."""
    last, waited = -1, 0
    for step in steps:
        if isinstance(step, LEAVING):
            last = waited
        elif isinstance(step, Wait):
            waited += _longest_wait_us(step)
        elif isinstance(step, Branch | Split):
            spans = [_spans(way.steps) for way in step.ways]
            lasts = [waited + sent for sent, _ in spans if sent >= 0]
            last, waited = max([last, *lasts]), waited + max(span for _, span in spans)
    return last, waited


def _longest_wait_us(wait: Wait) -> int:
    """A wait for a time of day lasts at most until the same time on the next of its days. How long one for a
    moment of the run's lasts is known when it is walked."""
    if wait.for_us is not None or wait.to is not None:
        return wait.for_us or 0
    if not wait.days:
        return DAY
    places = sorted({DAYS.index(day) for day in wait.days})
    gaps = [(after - before) % 7 or 7 for before, after in zip(places, places[1:] + places[:1], strict=True)]
    return max(gaps) * DAY
