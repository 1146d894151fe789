"""What references find for a run: in what started it (`event.`, `data.`), or in the traits (`customer.`,
`group.`)."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from hark.decide.course import Test
from hark.model import JSON, Event, Record, Run
from hark.understand import operators
from hark.understand.operators import value_at


def found(reference: str, run: Run, record: Record) -> JSON:
    """The value under a reference such as `event.basket.id`; None where there is none."""
    root, *path = reference.split(".")
    if root not in ("customer", "group"):
        return value_at(tuple(path), msgspec.json.decode(run.trigger))
    trait = record.traits.get(path[0])
    return value_at(tuple(path[1:]), trait.value) if trait else None


def bound(value: JSON, run: Run, record: Record) -> JSON:
    """The value with every `{ref: ...}` replaced by what it finds (None: nothing)."""
    if isinstance(value, list):
        return [bound(one, run, record) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"ref"}:
        return found(value["ref"], run, record)
    return {name: bound(one, run, record) for name, one in value.items()}


def compares(where: JSON, event: Event, run: Run, record: Record) -> bool:
    """Whether an event passes a predicate with references; one that finds nothing makes it false."""
    test = _compiled(msgspec.json.encode(bound(where, run, record)))
    return test is not None and test(event.properties)


@lru_cache(maxsize=4096)
def _compiled(where: bytes) -> Test | None:
    """The test of a predicate; None if a value that was found does not fit its operator."""
    operands = msgspec.json.decode(where)
    try:
        for operand in operands.values():
            if operand is None or (isinstance(operand, dict) and None in operand.values()):
                return None
        return operators.compile(operands)
    except ValueError:
        return None
