"""How `did` and its kin say how often, how much, and in which window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from hark.definitions.conditions import EVENT, EVENTS, Count, names_of
from hark.definitions.problems import nearest
from hark.definitions.shapes import (
    INVALID,
    PATH,
    Duration,
    Either,
    Invalid,
    ListOf,
    Mapped,
    Reading,
    Record,
    Shape,
    Truth,
    Values,
)
from hark.definitions.times import Moment
from hark.definitions.yaml import Node, plain
from hark.model import DAY, JSON, Instant
from hark.understand.conditions import Amount, Condition, Did, DidNot, Window
from hark.understand.conditions.amount import MOST_DAYS, Quantity
from hark.understand.operators import OPERATORS

COUNTED = ("times", "days", "weeks", "months", "distinct")
QUANTITIES: tuple[str, ...] = get_args(Quantity)
WINDOWS = ("within", "between", "today", "since")
COMPARING = ("eq", "ne", "gt", "gte", "lt", "lte", "between", "in", "not_in")
ENTRY = "entry"
"""In `since`: the entry into the campaign."""


@dataclass(frozen=True)
class Compared(Shape[JSON]):
    """Operators on a number."""

    what: str = "a number"

    def read(self, node: Node, reading: Reading) -> JSON | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, f"operators on {self.what}", "for example {gte: 100}")
        read = [self._one(name, child, reading) for name, child in node.value.items()]
        return INVALID if INVALID in read else plain(node)

    def _one(self, name: str, node: Node, reading: Reading) -> JSON | Invalid:
        if name not in COMPARING:
            return reading.refuse(node, f'unknown operator "{name}" on {self.what}', nearest(name, COMPARING))
        value = plain(node)
        numbers = value if isinstance(value, list) else [value]
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
            return reading.expected(node, "a number")
        try:
            OPERATORS[name](value)
        except ValueError as error:
            return reading.refuse(node, f"expected {error}")
        return value

    def schema(self) -> JSON:
        number = {"type": "number"}
        some = {"type": "array", "minItems": 1, "items": number}
        lists = {"in": some, "not_in": some, "between": some | {"minItems": 2, "maxItems": 2}}
        each = {name: lists.get(name, number) for name in COMPARING}
        return {"type": "object", "minProperties": 1, "properties": each, "additionalProperties": False}


@dataclass(frozen=True)
class OfProperty(Shape[tuple[str, JSON]]):
    """{of: the path of a property, and operators on what is made of its values}."""

    operators: Shape[JSON]

    def read(self, node: Node, reading: Reading) -> tuple[str, JSON] | Invalid:
        if not isinstance(node.value, dict) or "of" not in node.value:
            return reading.expected(node, 'a property under "of" and operators', "{of: revenue, gte: 100}")
        rest = Node({key: child for key, child in node.value.items() if key != "of"}, node.line)
        path = PATH.read(node.value["of"], reading)
        found = self.operators.read(rest, reading)
        return INVALID if isinstance(path, Invalid) or isinstance(found, Invalid) else (path, found)

    def schema(self) -> JSON:
        long = self.operators.schema()
        long = long["anyOf"][1] if "anyOf" in long else long
        properties = {"of": PATH.schema(), **long["properties"]}
        return {**long, "minProperties": 2, "properties": properties, "required": ["of"]}


@dataclass(frozen=True)
class Between(Shape[tuple[Instant, Instant]]):
    """Two dates or times, the earlier first; the second is not included."""

    def read(self, node: Node, reading: Reading) -> tuple[Instant, Instant] | Invalid:
        if not isinstance(node.value, list) or len(node.value) != 2:
            return reading.expected(node, "two dates or times", '["2026-01-01", "2026-02-01"]')
        first, last = (Moment().read(child, reading) for child in node.value)
        if isinstance(first, Invalid) or isinstance(last, Invalid):
            return INVALID
        return (first, last) if first < last else reading.refuse(node, "expected the earlier time first")

    def schema(self) -> JSON:
        return {"type": "array", "minItems": 2, "maxItems": 2, "items": Moment().schema()}


@dataclass(frozen=True)
class Yes(Shape[bool]):
    """yes; to say no, leave it out."""

    def read(self, node: Node, reading: Reading) -> bool | Invalid:
        found = Truth().read(node, reading)
        return found or reading.refuse(node, "expected yes, or nothing at all")

    def schema(self) -> JSON:
        return {"enum": [True, "yes"]}


SINCE: Shape[Window] = Either(
    Mapped(EVENT, lambda name, _n, _r: Window(entry=True) if name == ENTRY else Window(since=(name,))),
    Record(
        "since",
        {"any_of": ListOf(EVENT, "a list of events")},
        lambda values, _n, _r: Window(since=values["any_of"]),
        required=("any_of",),
    ),
)
WINDOW: Mapping[str, Shape[Any]] = {
    "within": Duration(),
    "between": Between(),
    "today": Yes(),
    "since": SINCE,
}


def _one_of(
    kind: str, what: str, keys: tuple[str, ...], values: Values, node: Node, reading: Reading
) -> bool:
    """Whether at most one of the keys stands there; else the problem is noted."""
    given = [key for key in keys if key in values]
    if len(given) < 2:
        return True
    assert isinstance(node.value, dict)
    second = max(node.value[name].line for name in given)
    message = f"{kind} needs one {what}, found {' and '.join(given)}"
    reading.add(second, message, "write two conditions under all:")
    return False


def _other(values: Values) -> Window:
    """The window of a count that is none of the last so and so long."""
    if "between" in values:
        return Window(between=values["between"])
    found: Window = values.get("since") or Window(today="today" in values)
    return found


def _did(values: Values, node: Node, reading: Reading) -> Condition | Invalid:
    whole = [
        _one_of("did", "measure", (*COUNTED, *QUANTITIES), values, node, reading),
        _one_of("did", "window", WINDOWS, values, node, reading),
    ]
    if not all(whole):
        return INVALID
    quantity = next((name for name in QUANTITIES if name in values), None)
    return _amount(quantity, values, node, reading) if quantity else _count(values, reading)


def _count(values: Values, reading: Reading) -> Did:
    measure = next((name for name in COUNTED if name in values), "times")
    count, of = values.get(measure, {"gte": 1}), None
    if measure == "distinct":
        of, count = count
    in_days = measure in ("days", "weeks", "months") or "today" in values
    return Did(
        names=names_of(values),
        where=values.get("where"),
        measure=measure,  # type: ignore[arg-type]
        count=count,
        within_us=values.get("within"),
        zone=reading.zone if in_days else "UTC",
        of=of,
        other=_other(values),
    )


def _amount(measure: str, values: Values, node: Node, reading: Reading) -> Amount | Invalid:
    assert isinstance(node.value, dict)
    if "since" in values:
        hint = "count within days, between dates, today or ever"
        return reading.refuse(node.value["since"], f"{measure} has no window since an event", hint)
    days = whole_days(values.get("within"), MOST_DAYS)
    if days is None:
        return reading.expected(node.value["within"], f"whole days up to {MOST_DAYS}d for {measure}", "30d")
    of, compare = values[measure]
    return Amount(
        names=names_of(values),
        of=of,
        measure=measure,  # type: ignore[arg-type]
        compare=compare,
        where=values.get("where"),
        days=1 if "today" in values else days or None,
        between=values.get("between"),
        zone=reading.zone,
    )


def whole_days(span_us: int | None, most: int) -> int | None:
    """How many days that is; 0 for nothing, None for what is not whole days, or too many."""
    if span_us is None:
        return 0
    days, rest = divmod(span_us, DAY)
    return None if rest or days > most else days


def _did_not(values: Values, node: Node, reading: Reading) -> DidNot | Invalid:
    if not _one_of("did_not", "window", WINDOWS, values, node, reading):
        return INVALID
    zone = reading.zone if "today" in values else "UTC"
    return DidNot(names_of(values), values.get("where"), values.get("within"), zone, _other(values))


def short(make: Callable[[tuple[str, ...]], Condition]) -> Shape[Condition]:
    """An event's name alone."""
    return Mapped(EVENT, lambda name, _node, _reading: make((name,)))


DID: Shape[Condition] = Either(
    short(Did),
    Record(
        "did",
        {
            **EVENTS,
            **{name: Count() for name in ("times", "days", "weeks", "months")},
            "distinct": OfProperty(Count()),
            **{name: OfProperty(Compared()) for name in QUANTITIES},
            **WINDOW,
        },
        _did,
        one_of=(("event", "any_of"),),
    ),
)
DID_NOT: Shape[Condition] = Either(
    short(DidNot),
    Record(
        "did_not",
        {**EVENTS, **WINDOW},
        _did_not,
        one_of=(("event", "any_of"),),
        hints=dict.fromkeys((*COUNTED, *QUANTITIES), "write not: {did: {...}}"),
    ),
)
