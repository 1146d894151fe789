"""How each kind of document is written, and which kinds are still to come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hark.definitions.campaigns import CAMPAIGN, Weights
from hark.definitions.computed import COMPUTED
from hark.definitions.conditions import ANYWHERE
from hark.definitions.goals import PROGRAMME_GOAL
from hark.definitions.languages import IN_LANGUAGES
from hark.definitions.pace import PACED
from hark.definitions.questions import QUESTION
from hark.definitions.senders import SENDER
from hark.definitions.shapes import (
    NAME,
    Choice,
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Number,
    Prose,
    Reading,
    Record,
    Shape,
    Share,
    TimeOfDay,
    Truth,
    Values,
    Zone,
)
from hark.definitions.sources import SOURCE
from hark.definitions.steps import CHANNEL
from hark.definitions.templates import LAYOUT, SNIPPET, TEMPLATE
from hark.definitions.tracking import EVENT
from hark.definitions.types import (
    Allocation,
    Cap,
    Definition,
    Policy,
    Programme,
    QuietHours,
    Segment,
    Topic,
)
from hark.definitions.yaml import Node

PLANNED_KINDS = (
    "engagement",
    "stage",
    "hypothesis",
    "survey",
    "content",
)

_SUBJECT: Shape[str] = Either(
    Choice(("customer",)), Record("subject", {}, lambda _values, _n, _r: "customer", planned=("group",))
)


def _segment(values: Values, _node: Node, _reading: Reading) -> Segment:
    return Segment(values["segment"], values["where"])


SEGMENT = Record(
    "segment",
    {"segment": NAME, "subject": _SUBJECT, "where": ANYWHERE},
    _segment,
    required=("segment", "where"),
)


def _topic(values: Values, _node: Node, _reading: Reading) -> Topic:
    return Topic(
        name=values["topic"],
        says=next(iter(values.get("says", {}).values()), ""),
        says_in=values.get("says", {}) if "" not in values.get("says", {}) else {},
        default=values.get("default", "out"),
        opt_in=values.get("opt_in", "double"),
    )


TOPIC = Record(
    "topic",
    {
        "topic": NAME,
        "says": IN_LANGUAGES,
        "default": Choice(("out", "in")),
        "opt_in": Choice(("single", "double")),
    },
    _topic,
    required=("topic",),
)


def _minutes(time: str, _node: Node, _reading: Reading) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


_MINUTES: Shape[int] = Mapped(TimeOfDay(), _minutes)


def _quiet(values: Values, node: Node, reading: Reading) -> QuietHours | Invalid:
    if values["from"] == values["to"]:
        return reading.refuse(node, "quiet hours from a time to the same time", "they would be none or all")
    return QuietHours(
        start=values["from"],
        end=values["to"],
        zone=values.get("zone", "customer"),
        fallback_zone=values.get("fallback_zone", reading.zone),
    )


QUIET_HOURS = Record(
    "quiet_hours",
    {"from": _MINUTES, "to": _MINUTES, "zone": Zone(), "fallback_zone": Zone(customer=False)},
    _quiet,
    required=("from", "to"),
)


def _cap(values: Values, node: Node, reading: Reading) -> Cap | Invalid:
    on_cap = values.get("on_cap", "skip")
    if "max_wait" in values and on_cap != "wait":
        assert isinstance(node.value, dict)
        return reading.refuse(node.value["max_wait"], '"max_wait" belongs to on_cap: wait')
    return Cap(int(values["messages"]), values["per"], values.get("channel"), on_cap, values.get("max_wait"))


CAP = Record(
    "a cap",
    {
        "messages": Number(1, 1000, whole=True),
        "per": Duration(),
        "channel": CHANNEL,
        "on_cap": Choice(("skip", "wait")),
        "max_wait": Duration(),
    },
    _cap,
    required=("messages", "per"),
)
GLOBAL_CONTROL = Record(
    "global_control",
    {"share": Share(0, 0.5), "redraw": Duration()},
    lambda values, _node, _reading: (values["share"], values.get("redraw")),
    required=("share",),
)


def _attention(values: Values, _node: Node, _reading: Reading) -> Policy:
    share, redraw_us = values.get("global_control", (0.0, None))
    return Policy(
        name=values["policy"],
        quiet_hours=values.get("quiet_hours"),
        caps=values.get("caps", ()),
        global_control=share,
        redraw_us=redraw_us,
    )


ATTENTION = Record(
    "policy attention",
    {
        "policy": Choice(("attention",)),
        "quiet_hours": QUIET_HOURS,
        "caps": ListOf(CAP, "a list of caps"),
        "global_control": GLOBAL_CONTROL,
    },
    _attention,
    required=("policy",),
    planned=("budget",),
)


def _internal(values: Values, _node: Node, _reading: Reading) -> Policy:
    return Policy(name=values["policy"], where=values["where"])


INTERNAL = Record(
    "policy internal",
    {"policy": Choice(("internal",)), "where": ANYWHERE},
    _internal,
    required=("policy", "where"),
)


def _tracking(values: Values, _node: Node, _reading: Reading) -> Policy:
    return Policy(values["policy"], opens=values.get("opens", False), clicks=values.get("clicks", False))


TRACKING = Record(
    "policy tracking",
    {"policy": Choice(("tracking",)), "opens": Truth(), "clicks": Truth()},
    _tracking,
    required=("policy",),
)
POLICIES: Mapping[str, Record[Policy]] = {"attention": ATTENTION, "internal": INTERNAL, "tracking": TRACKING}


class PolicyShape(Shape[Policy]):
    """There are three policies, each with keys of its own; its name says which."""

    def read(self, node: Node, reading: Reading) -> Policy | Invalid:
        assert isinstance(node.value, dict)
        name = node.value["policy"]
        if isinstance(read := Choice(tuple(POLICIES)).read(name, reading), Invalid):
            return read
        return POLICIES[read].read(node, reading)

    def schema(self) -> Any:
        return {"anyOf": [one.schema() for one in POLICIES.values()]}


PROGRAMME = Record(
    "programme",
    {"programme": NAME, "says": Prose(), "control": Share(0.01, 0.5), "goal": PROGRAMME_GOAL},
    lambda values, _n, _r: Programme(
        values["programme"], values["control"], values["goal"], values.get("says", "")
    ),
    required=("programme", "control", "goal"),
)


def _allocation(values: Values, node: Node, reading: Reading) -> Allocation | Invalid:
    if abs(sum(values["shares"].values()) - 1) > SHARES_SUM:
        return reading.refuse(node, "the shares of an allocation add up to 1")
    return Allocation(values["allocation"], int(values["of"]), values["shares"])


SHARES_SUM = 1e-3
ALLOCATED = Record(
    "allocation",
    {"allocation": NAME, "of": Number(1, 1_000_000, whole=True), "shares": Weights()},
    _allocation,
    required=("allocation", "of", "shares"),
)

KINDS: Mapping[str, Shape[Definition]] = {
    "segment": SEGMENT,
    "computed": COMPUTED,
    "campaign": CAMPAIGN,
    "programme": PROGRAMME,
    "allocation": ALLOCATED,
    "pace": PACED,
    "template": TEMPLATE,
    "layout": LAYOUT,
    "snippet": SNIPPET,
    "topic": TOPIC,
    "policy": PolicyShape(),
    "sender": SENDER,
    "source": SOURCE,
    "event": EVENT,
    "question": QUESTION,
}
