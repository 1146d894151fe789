"""How each kind of condition is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hark.definitions.conditions import CONDITION, EVENTS, TRAITS, names_of
from hark.definitions.engagement import AT_LEVEL
from hark.definitions.measures import DID, DID_NOT, Compared, whole_days
from hark.definitions.pace import PACE
from hark.definitions.problems import nearest
from hark.definitions.sending import CHANNEL
from hark.definitions.sequences import SEQUENCE
from hark.definitions.shapes import (
    INVALID,
    NAME,
    Choice,
    Duration,
    Invalid,
    ListOf,
    Mapped,
    Reading,
    Record,
    Shape,
    Values,
)
from hark.definitions.stages import AT_STAGE
from hark.definitions.yaml import Node
from hark.model import JSON
from hark.understand.conditions import (
    AllOf,
    AnyOf,
    Change,
    Condition,
    HasConsent,
    HasTrait,
    InGroup,
    InSegment,
    Not,
    Reachable,
    Returned,
    SinceLast,
)
from hark.understand.conditions.moments import TIMED
from hark.understand.conditions.since_last import AFTER

MOST_CHANGE_DAYS = 200
MOST_RETURNS = 100


def _since_last(values: Values, node: Node, reading: Reading) -> SinceLast | Invalid:
    compare = {name: values[name] for name in AFTER if name in values}
    if not compare:
        return reading.refuse(node, "since_last needs a length of time", "for example gte: 14d")
    return SinceLast(names_of(values), compare, values.get("where"))


SINCE_LAST: Shape[Condition] = Record(
    "since_last",
    {**EVENTS, **{name: Duration() for name in AFTER}},
    _since_last,
    one_of=(("event", "any_of"),),
)


def _change(values: Values, node: Node, reading: Reading) -> Change | Invalid:
    assert isinstance(node.value, dict)
    days = whole_days(values["window"], MOST_CHANGE_DAYS)
    if days is None:
        return reading.expected(node.value["window"], f"whole days up to {MOST_CHANGE_DAYS}d", "14d")
    measure = values.get("measure", "times")
    return Change(names_of(values), days, values["ratio"], values.get("where"), measure, reading.zone)


CHANGE: Shape[Condition] = Record(
    "change",
    {
        **EVENTS,
        "measure": Choice(("times", "days")),
        "window": Duration(),
        "ratio": Compared("a quotient"),
    },
    _change,
    required=("window", "ratio"),
    one_of=(("event", "any_of"),),
)


def _returned(values: Values, node: Node, reading: Reading) -> Returned | Invalid:
    if values["within"] > MOST_RETURNS * values["after_gap"]:
        return reading.refuse(node, f"within is more than {MOST_RETURNS} times the gap", "ask for less")
    return Returned(values["after_gap"], values["within"])


RETURNED: Shape[Condition] = Record(
    "returned",
    {"after_gap": Duration(), "within": Duration()},
    _returned,
    required=("after_gap", "within"),
)


CONSENT: Shape[Condition] = Record(
    "consent",
    {"topic": NAME, "channel": CHANNEL, "state": Choice(("in", "out", "pending"))},
    lambda values, _n, _r: HasConsent(values["topic"], values.get("channel", "email"), values["state"]),
    required=("topic", "state"),
)


@dataclass(frozen=True)
class OneCondition(Shape[Condition]):
    """A mapping with exactly one key: the kind of the condition."""

    kinds: Mapping[str, Shape[Condition]]

    def read(self, node: Node, reading: Reading) -> Condition | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, "a condition", "for example {did: Order Completed}")
        wrong = [
            self._unknown(name, child, reading)
            for name, child in node.value.items()
            if name not in self.kinds
        ]
        if wrong:
            return INVALID
        if len(node.value) > 1:
            names = list(node.value)
            parts = ", ".join(f"{{{name}: ...}}" for name in names)
            second = node.value[names[1]]
            return reading.refuse(
                second, f"{len(names)} conditions in one mapping: {', '.join(names)}", f"write all: [{parts}]"
            )
        [(name, child)] = node.value.items()
        return self.kinds[name].read(child, reading)

    def _unknown(self, name: str, node: Node, reading: Reading) -> Invalid:
        return reading.refuse(node, f'unknown condition "{name}"', nearest(name, self.kinds))

    def schema(self) -> JSON:
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {name: shape.schema() for name, shape in self.kinds.items()},
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class OfGroup(Shape[tuple[str, JSON]]):
    """{type of the group: predicate on its traits}."""

    predicate: Shape[JSON]

    def read(self, node: Node, reading: Reading) -> tuple[str, JSON] | Invalid:
        if not isinstance(node.value, dict) or len(node.value) != 1:
            return reading.expected(
                node, "one type of group", "for example {account: {employees: {gte: 50}}}; write all: for two"
            )
        [(kind, child)] = node.value.items()
        if not kind.strip() or ":" in kind:
            return reading.refuse(child, f'"{kind}" is not a type of group', "a name such as account")
        where = self.predicate.read(child, reading)
        return where if isinstance(where, Invalid) else (kind, where)

    def schema(self) -> JSON:
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "propertyNames": {"pattern": r"^[^:]*[^:\s][^:]*$"},
            "additionalProperties": self.predicate.schema(),
        }


def _turned(make: Callable[[Any], Condition]) -> Callable[[Any, Node, Reading], Condition]:
    return lambda value, _node, _reading: make(value)


def _zone(where: JSON, reading: Reading) -> str:
    """The workspace's, where the predicate asks about the present moment."""
    operators = (name for operand in where.values() if isinstance(operand, dict) for name in operand)
    return reading.zone if any(name in TIMED for name in operators) else "UTC"


_SOME = ListOf(CONDITION, "a list of conditions")
ANY_CONDITION: Shape[Condition] = OneCondition(
    {
        "all": Mapped(_SOME, _turned(AllOf)),
        "any": Mapped(_SOME, _turned(AnyOf)),
        "not": Mapped(CONDITION, _turned(Not)),
        "trait": Mapped(TRAITS, lambda where, _n, reading: HasTrait(where, _zone(where, reading))),
        "group": Mapped(
            OfGroup(TRAITS), lambda found, _n, reading: InGroup(found[0], found[1], _zone(found[1], reading))
        ),
        "did": DID,
        "did_not": DID_NOT,
        "sequence": SEQUENCE,
        "since_last": SINCE_LAST,
        "change": CHANGE,
        "returned": RETURNED,
        "pace": PACE,
        "consent": CONSENT,
        "reachable": Mapped(CHANNEL, _turned(Reachable)),
        "in_segment": Mapped(NAME, _turned(InSegment)),
        "engagement": AT_LEVEL,
        "stage": AT_STAGE,
    }
)
