"""Why somebody is in a segment or not: its sentence, part by part, with the values that decide it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from msgspec import Struct

from hark.model import JSON, Instant
from hark.understand.conditions import AllOf, AnyOf, Condition, HasTrait, Named, Not, View
from hark.understand.conditions.base import Ints


class Told(Struct, frozen=True):
    """One part of a condition and what it rests on."""

    sentence: str
    met: bool
    joined: str = ""
    """How its parts make it: all, any or not; "" for one that has none."""
    parts: tuple[Told, ...] = ()
    traits: tuple[tuple[str, JSON], ...] = ()
    """The traits it looks at, as they are now; None where one is not known."""
    count: int | None = None
    """Matching events ever; None for a part that is not about events."""
    inside: int | None = None
    """Of them, how many lie in the condition's window; None without one."""
    last: Instant | None = None
    """When the latest of them was."""


@runtime_checkable
class OfEvents(Protocol):
    """A condition on events of some names."""

    names: tuple[str, ...]
    where: JSON


Found = Callable[[Sequence[str], JSON], Ints]
"""The instants, ascending, of a subject's events of these names whose properties fulfil the predicate."""


def because(condition: Condition, view: View, now: Instant, found: Found) -> Told:
    """What decides a condition for one subject at `now`: `met` is the live answer of each part."""
    sentence, met = condition.sentence(), condition.met(view, now)
    if isinstance(condition, AllOf | AnyOf):
        parts = tuple(because(part, view, now, found) for part in condition.parts)
        return Told(sentence, met, "all" if isinstance(condition, AllOf) else "any", parts)
    if isinstance(condition, Not):
        return Told(sentence, met, "not", (because(condition.part, view, now, found),))
    if isinstance(condition, Named):
        return Told(sentence, met, "all", (because(condition.meant, view, now, found),))
    if isinstance(condition, HasTrait):
        known = {name: view.traits.get(name) for name in sorted(condition.names)}
        return Told(sentence, met, traits=tuple((name, one and one.value) for name, one in known.items()))
    if isinstance(condition, OfEvents):
        return _of_events(condition, Told(sentence, met), now, found)
    return Told(sentence, met)


def _of_events(condition: OfEvents, told: Told, now: Instant, found: Found) -> Told:
    at = found(condition.names, condition.where)
    at = at[at <= now]
    within = getattr(condition, "within_us", None)
    inside = None if within is None else len(at) - int(np.searchsorted(at, now - within, side="right"))
    last = int(at[-1]) if len(at) else None
    return Told(told.sentence, told.met, count=len(at), inside=inside, last=last)
