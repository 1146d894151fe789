"""How predicates, counts and events are written, of which conditions are made (`kinds`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hark.definitions.problems import nearest
from hark.definitions.shapes import (
    INVALID,
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Named,
    Reading,
    Record,
    Shape,
    Text,
    Values,
)
from hark.definitions.types import EventMatch
from hark.definitions.yaml import Node, located, plain
from hark.errors import HarkError
from hark.model import JSON
from hark.understand.conditions import Condition, Did, DidNot, nodes
from hark.understand.conditions.did import MOST, saturation
from hark.understand.conditions.moments import TIMED
from hark.understand.operators import OPERATORS, test_of

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Operand(Shape[JSON]):
    """A bare value, or a mapping of operators."""

    timed: bool = False
    """Whether the present moment may be asked about too: of traits, which are looked at again and again."""

    @property
    def operators(self) -> Mapping[str, Callable[[JSON], object]]:
        return {**OPERATORS, **TIMED} if self.timed else OPERATORS

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if not isinstance(node.value, dict):
            return self._checked("eq", node, node, reading)
        if not node.value:
            return reading.expected(node, "a value or operators")
        read = [self._operator(name, node, child, reading) for name, child in node.value.items()]
        return INVALID if INVALID in read else plain(node)

    def _operator(self, name: str, parent: Node, node: Node, reading: Reading) -> JSON | Invalid:
        if name == "ref":
            return reading.refuse(node, f'the operator "{name}" is not yet built')
        if name in TIMED and not self.timed:
            hint = "an event is looked at once, when it comes in"
            return reading.refuse(node, f'the operator "{name}" is for traits', hint)
        if name not in self.operators:
            return reading.refuse(node, f'unknown operator "{name}"', nearest(name, self.operators))
        return self._checked(name, parent, node, reading)

    def _checked(self, name: str, _parent: Node, node: Node, reading: Reading) -> JSON | Invalid:
        try:
            self.operators[name](plain(node))
        except ValueError as error:
            return reading.refuse(node, f"expected {error}")
        return plain(node)

    def schema(self) -> JSON:
        scalar = {"type": ["string", "number", "boolean"]}
        some = {"type": "array", "minItems": 1, "items": scalar}
        special: dict[str, JSON] = {
            "in": some,
            "not_in": some,
            "between": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": ["string", "number"]},
            },
            "exists": {"type": "boolean"},
            **{name: {"type": "string", "minLength": 1} for name in ("starts_with", "ends_with", "matches")},
            **{name: {"type": ["string", "number"]} for name in ("gt", "gte", "lt", "lte")},
            **{name: Duration().schema() for name in TIMED},
            "anniversary": {"enum": ["today"]},
        }
        each = {name: special.get(name, scalar) for name in self.operators}
        long = {"type": "object", "minProperties": 1, "properties": each, "additionalProperties": False}
        return {"anyOf": [scalar, long]}


@dataclass(frozen=True)
class Predicate(Shape[JSON]):
    """{property path: value or operators}; all must hold."""

    operand: Shape[JSON]

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, "a mapping of properties", "for example {revenue: {gte: 50}}")
        read = [self._member(path, child, reading) for path, child in node.value.items()]
        return INVALID if INVALID in read else plain(node)

    def _member(self, path: str, node: Node, reading: Reading) -> JSON | Invalid:
        if not all(path.split(".")):
            return reading.refuse(node, f'"{path}" is not the path of a property', "names joined by dots")
        return self.operand.read(node, reading)

    def schema(self) -> JSON:
        return {"type": "object", "minProperties": 1, "additionalProperties": self.operand.schema()}


@dataclass(frozen=True)
class Count(Shape[JSON]):
    """A whole number, or operators on one, as a mapping of operators."""

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if not isinstance(node.value, dict):
            return self._number("eq", node, reading)
        read = [self._number(name, child, reading) for name, child in node.value.items()]
        counts: dict[str, JSON] = {}
        for one in read:
            if isinstance(one, Invalid):
                return INVALID
            counts |= one
        return self._sensible(counts, node, reading)

    def _number(self, name: str, node: Node, reading: Reading) -> dict[str, JSON] | Invalid:
        if name not in COUNTING:
            return reading.refuse(node, f'unknown operator "{name}" on a count', nearest(name, COUNTING))
        value = plain(node)
        lists = name in ("in", "not_in", "between")
        numbers = value if lists and isinstance(value, list) else [value]
        whole = all(type(number) is int and 0 <= number <= MOST for number in numbers)
        if not whole or lists != isinstance(value, list):
            what = "a list of whole numbers" if lists else "a whole number"
            return reading.expected(node, f"{what} from 0 to {MOST}", "for example {gte: 2}")
        try:
            OPERATORS[name](value)
        except ValueError as error:
            return reading.refuse(node, f"expected {error}")
        return {name: value}

    def _sensible(self, counts: dict[str, JSON], node: Node, reading: Reading) -> JSON | Invalid:
        if not counts:
            return reading.expected(node, "a whole number", "for example {gte: 2}")
        passes = test_of(counts)
        answers = {passes(number) for number in range(saturation(counts) + 1)}
        if len(answers) == 1:
            return reading.refuse(node, f"this is {'always' if True in answers else 'never'} true of a count")
        return counts

    def schema(self) -> JSON:
        number = {"type": "integer", "minimum": 0, "maximum": MOST}
        some = {"type": "array", "minItems": 1, "items": number}
        two = some | {"minItems": 2, "maxItems": 2}
        each = {name: {"in": some, "not_in": some, "between": two}.get(name, number) for name in COUNTING}
        long = {"type": "object", "minProperties": 1, "properties": each, "additionalProperties": False}
        return {"anyOf": [number, long]}


COUNTING = ("eq", "ne", "gt", "gte", "lt", "lte", "between", "in", "not_in")
EVENT = Text("the name of an event", r"\S(.*\S)?", 'for example "Order Completed"')
ANY_PREDICATE: Shape[JSON] = Predicate(Operand())
PREDICATE = Named("predicate", lambda: ANY_PREDICATE)
ANY_TRAITS: Shape[JSON] = Predicate(Operand(timed=True))
TRAITS = Named("traits", lambda: ANY_TRAITS)
"""A predicate on traits."""
EVENTS: Mapping[str, Shape[Any]] = {
    "event": Mapped(EVENT, lambda name, _node, _reading: (name,)),
    "any_of": ListOf(EVENT, "a list of events"),
    "where": PREDICATE,
}


def names_of(values: Values) -> Names:
    """The events that `event` or `any_of` names."""
    names: Names = values.get("event") or values["any_of"]
    return names


def event_match(values: Values, _node: Node, _reading: Reading) -> EventMatch:
    return EventMatch(names_of(values), values.get("where"))


def event_record(what: str, **more: Shape[Any]) -> Shape[EventMatch]:
    """An event with an optional predicate, as the short form (its name) or the long one."""
    short = Mapped(EVENT, lambda name, _node, _reading: EventMatch((name,)))
    long = Record(what, {**EVENTS, **more}, event_match, one_of=(("event", "any_of"),))
    return Either(short, long)


def _kinds() -> Shape[Condition]:
    # Late: the kinds are written with what stands here, and may hold conditions themselves.
    from hark.definitions.kinds import ANY_CONDITION

    return ANY_CONDITION


def _outside_of_campaigns(found: Condition, node: Node, reading: Reading) -> Condition | Invalid:
    if any(isinstance(one, Did | DidNot) and one.other.entry for one in nodes(found)):
        return reading.refuse(node, '"since: entry" has a meaning in the steps of a campaign only')
    return found


CONDITION: Shape[Condition] = Named("condition", _kinds)
ANYWHERE: Shape[Condition] = Mapped(CONDITION, _outside_of_campaigns)
"""A condition that knows of no campaign's run."""


def read_condition(body: JSON, zone: str) -> Condition:
    """The typed condition of a segment's `where`. Raises HarkError `condition.wrong` if it is none."""
    reading = Reading("where", zone)
    found = ANYWHERE.read(located(body), reading)
    if isinstance(found, Invalid):
        first = reading.found[0]
        raise HarkError(first.message, first.hint, "condition.wrong")
    return found
