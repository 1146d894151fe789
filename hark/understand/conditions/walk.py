"""Walking through a condition, and putting others in the place of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from hark.understand.conditions.base import Condition
from hark.understand.conditions.combine import AllOf, AnyOf, Named, Not
from hark.understand.conditions.held import Held


def nodes(condition: Condition) -> Iterator[Condition]:
    """The condition and all below it; below what is only named, where it has been looked up."""
    yield condition
    for part in _parts(condition):
        yield from nodes(part)


def _parts(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return parts
        case Not(part=part) | Held(when=part):
            return (part,)
        case Named(where=where) if where is not None:
            return (where,)
    return ()


def replaced(condition: Condition, by: Callable[[Condition], Condition]) -> Condition:
    """The same, with each part that has none below it replaced by what `by` gives for it."""
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return msgspec.structs.replace(condition, parts=tuple(replaced(part, by) for part in parts))
        case Not(part=part):
            return Not(replaced(part, by))
        case Held(when=when):
            return msgspec.structs.replace(condition, when=replaced(when, by))
    return by(condition)
