"""Pace: how long people take from one event to another, of whom many still wait.

Of each subject the latest start counts that is 30 days old; who has not gone on by then still waits, and is
taken for what is known of them (Kaplan and Meier, 1958). The table is made as of the beginning of a day, so
that everything asked on one day is compared with the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hark.definitions.types import EventMatch
from hark.model import DAY, SECOND, WEEK, Event, Instant, Kind
from hark.understand.conditions import Condition, InSegment, replaced
from hark.understand.conditions.base import Flags, Ints
from hark.understand.conditions.calendar import day_of, day_start
from hark.understand.conditions.pace import Pace, Passage, Reference
from hark.understand.conditions.sequence import Match
from hark.understand.operators import compile as compiled
from hark.understand.partials import over_buckets
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.history.reader import Snapshot

OLD_US = 30 * DAY
STAYED_US = (3 * WEEK, 4 * WEEK)
"""The fourth week after the start: after the first, up to the second."""
PERCENTS = 99
_CLOSE = 1e-9


def cases(way: Passage, histories: Iterable[Sequence[Event]], at: Instant) -> list[tuple[int, bool]]:
    """The specification: (how long it took, whether it is over) of each subject's events by (at, seq)."""
    found = (_case(way, [event for event in events if event.at <= at], at) for events in histories)
    return [one for one in found if one is not None]


def _case(way: Passage, events: Sequence[Event], at: Instant) -> tuple[int, bool] | None:
    starts = [n for n, one in enumerate(events) if one.at <= at - OLD_US and _is(way.start, one)]
    if not starts:
        return None
    begun, later = events[starts[-1]].at, events[starts[-1] + 1 :]
    active = (one.at - begun for one in later if one.active and one.kind != Kind.FACT)
    if way.stayed and not any(STAYED_US[0] < age <= STAYED_US[1] for age in active):
        return None
    ends = [one.at for one in later if _is(way.to, one)]
    return (ends[0] - begun, True) if ends else (at - begun, False)


def _is(match: Match, event: Event) -> bool:
    return event.name in match.names and (not match.where or compiled(match.where)(event.properties))


def went_on(waits: Ints, over: Flags) -> tuple[Ints, NDArray[np.floating[Any]]]:
    """(times, the share that had gone on by each): one less the product-limit estimate of who still waits
    (Kaplan and Meier 1958, equation 2b): the product of (1 - gone on at t / still waiting before t)."""
    times, ends = np.unique(waits[over], return_counts=True)
    waiting = len(waits) - np.searchsorted(np.sort(waits), times)
    return times, 1 - np.cumprod(1 - ends / waiting)


def quantiles_s(waits: Ints, over: Flags) -> tuple[int, ...]:
    """By when 1 % to 99 % had gone on, in whole seconds, rounded up, as far as so many have."""
    times, shares = went_on(waits, over)
    percents = np.arange(1, PERCENTS + 1) / 100
    places = np.searchsorted(shares + _CLOSE, percents)
    found: list[int] = (-(-times[places[places < len(times)]] // SECOND)).tolist()
    return tuple(found)


def reference(history: Snapshot | People, way: Passage, now: Instant, zone: str) -> Reference:
    """The table of the day in which `now` lies."""
    day = day_of(now, zone)
    waits, over = times(history, way, day_start(day, zone))
    return Reference(_written(day), len(waits), quantiles_s(waits, over))


def times(history: Snapshot | People, way: Passage, at: Instant) -> tuple[Ints, Flags]:
    """The same as `cases`, by the kernel: (how long it took, whether it is over), in no order."""
    from hark.understand.kernels import pace as kernel
    from hark.understand.kernels.rows import ACTIVITY, Bit, names_of, stream, wanted

    bits = [Bit(EventMatch(one.names, one.where)) for one in (way.start, way.to)]
    bits += [ACTIVITY] if way.stayed else []

    def one(bucket: int) -> tuple[Ints, Flags]:
        rows = stream(history.runs(bucket, names_of(bits), values=wanted(bits)), bits)
        return kernel.cases(rows, at - OLD_US, at, *STAYED_US, way.stayed)

    parts = over_buckets(history, one)
    return np.concatenate([waits for waits, _ in parts]), np.concatenate([over for _, over in parts])


def compared(history: Snapshot | People, condition: Condition, now: Instant) -> Condition:
    """The condition, each `pace` in it with the table of the day in which `now` lies."""

    def by(leaf: Condition) -> Condition:
        match leaf:
            case InSegment(where=where) if where is not None:
                return InSegment(leaf.name, compared(history, where, now))
            case Pace(reference=known) if known is None or known.day != _written(day_of(now, leaf.zone)):
                found = reference(history, leaf.way, now, leaf.zone)
                return msgspec.structs.replace(leaf, reference=found)
        return leaf

    return replaced(condition, by)


def _written(day: int) -> str:
    return str(np.datetime64(day, "D"))
