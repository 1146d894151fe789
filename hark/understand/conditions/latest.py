"""What events led to where their order counts: the latest are kept as they are, for those that come late."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from hark.model import Instant

TAIL = 32
"""So many events are kept as they are; earlier ones only as what they led to."""

Place: TypeAlias = tuple[Instant, int]
"""(at, seq)."""


class Placed(Protocol):
    @property
    def place(self) -> Place: ...


S = TypeVar("S")
E = TypeVar("E", bound=Placed)


class Latest(Struct, Generic[S, E], array_like=True):
    """The latest events, what those before them led to, and what all of them led to."""

    base: S
    now: S
    tail: list[E] = []
    """By (at, seq)."""
    horizon: Place | None = None
    """The last event that is only in `base`."""
    stale: bool = False
    """An event came that belongs before the horizon: only all events in their order tell what holds."""


class Order(Generic[S, E]):
    """How one more event changes what those before it led to; `after` may change its argument, and `again`
    gives a copy that it may change."""

    def __init__(self, after: Callable[[S, E], S], again: Callable[[S], S]) -> None:
        self._after, self._again = after, again

    def take(self, kept: Latest[S, E], one: E) -> Latest[S, E]:
        """With one more event, wherever it belongs."""
        if kept.horizon is not None and one.place < kept.horizon:
            kept.stale = True
        elif not kept.tail or one.place > kept.tail[-1].place:
            kept.tail.append(one)
            kept.now = self._after(kept.now, one)
        else:
            kept.tail.insert(bisect_left(kept.tail, one.place, key=_place), one)
            kept.now = self._all(kept.base, kept.tail)
        return self._shortened(kept)

    def join(self, one: Latest[S, E], other: Latest[S, E]) -> Latest[S, E]:
        """Of two customers who are one: stale where events that are no longer kept lie between each other."""
        first, second = sorted((one, other), key=lambda kept: kept.horizon or (0, 0))
        tail = sorted([*first.tail, *second.tail], key=_place)
        stale = first.stale or second.stale or first.horizon is not None
        if second.horizon is not None:
            stale = stale or any(event.place < second.horizon for event in tail)
        now = self._all(second.base, tail)
        return self._shortened(Latest(second.base, now, tail, second.horizon, stale))

    def _all(self, base: S, tail: list[E]) -> S:
        found = self._again(base)
        for one in tail:
            found = self._after(found, one)
        return found

    def _shortened(self, kept: Latest[S, E]) -> Latest[S, E]:
        while len(kept.tail) > TAIL:
            one = kept.tail.pop(0)
            kept.base, kept.horizon = self._after(kept.base, one), one.place
        return kept


def _place(one: Placed) -> Place:
    return one.place
