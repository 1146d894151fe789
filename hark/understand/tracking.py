"""Whether an event keeps to its tracking plan, and what a value is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from hark.definitions.event_plan import Event, Property
from hark.model import JSON
from hark.understand.operators import OPERATORS, is_number, test_of, time_of

DEPTH = 3
"""Objects within objects that are looked into; what is deeper is one object."""


class Violation(Struct, frozen=True):
    """One property that is not as the plan says."""

    property: str
    rule: str
    """missing, type, an operator's name, or unplanned."""
    value: JSON = None


Check: TypeAlias = Callable[[Mapping[str, JSON]], list[Violation]]
"""What is wrong with the decoded properties of one event; nothing, if all is as planned."""


def check_of(plan: Event) -> Check:
    """The check that a plan stands for."""
    parts = [_part(path, what) for path, what in plan.properties.items()]

    def check(properties: Mapping[str, JSON]) -> list[Violation]:
        values = dict(leaves(properties, frozenset(plan.properties)))
        found = [one for part in parts if (one := part(values)) is not None]
        return found if plan.other else [*found, *_unplanned(values, plan)]

    return check


def _part(path: str, what: Property) -> Callable[[Mapping[str, JSON]], Violation | None]:
    """An absent property and a null are the same, as in conditions."""
    operators = what.test if isinstance(what.test, dict) else {}
    tests = [(name, test_of({name: operand})) for name, operand in operators.items() if name in OPERATORS]

    def check(values: Mapping[str, JSON]) -> Violation | None:
        value = values.get(path)
        if value is None:
            return Violation(path, "missing") if what.required else None
        if what.type and not is_type(value, what.type):
            return Violation(path, "type", value)
        failed = next((name for name, test in tests if not test(value)), None)
        return None if failed is None else Violation(path, failed, value)

    return check


def _unplanned(values: Mapping[str, JSON], plan: Event) -> Iterator[Violation]:
    for path, value in values.items():
        if not any(path == known or path.startswith(known + ".") for known in plan.properties):
            yield Violation(path, "unplanned", value)


def leaves(
    found: Mapping[str, JSON], whole: frozenset[str] = frozenset(), before: str = "", depth: int = DEPTH
) -> Iterator[tuple[str, JSON]]:
    """(dotted path, value) of an object's members; objects are looked into, but for those in `whole`, which
    come as they are too."""
    for name, value in found.items():
        path = before + name
        if isinstance(value, dict) and value and depth > 1:
            if path in whole:
                yield path, value
            yield from leaves(value, whole, path + ".", depth - 1)
        else:
            yield path, value


def type_of(value: JSON) -> str:
    """string, time, number, boolean, array, object or null."""
    if isinstance(value, str):
        return "time" if time_of(value) is not None else "string"
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else "object"


def is_type(value: JSON, type_: str) -> bool:
    """Whether a value is of a plan's type."""
    if type_ == "string":
        return isinstance(value, str)
    if type_ == "integer":
        return is_number(value) and value == int(value)
    return type_of(value) == type_
