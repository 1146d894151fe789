"""What a funnel means, in plain Python: the specification that the kernel must equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from hark.definitions.asked import Funnel
from hark.model import Event, Instant
from hark.understand import periods
from hark.understand.funnel.answer import (
    NEVER,
    Attempts,
    Drops,
    FunnelAnswer,
    Partial,
    answer,
    ranges,
    reached,
    within,
)
from hark.understand.split import Labels, label_of
from hark.understand.steps import is_activity, matches

Members = Mapping[str, frozenset[int]]
"""Who is in each segment."""


class Attempt(Struct, frozen=True):
    """One way down the steps: the event that served each, and the one at which the attempt began."""

    begun: Event
    served: tuple[Event, ...]

    @property
    def times(self) -> list[Instant]:
        """When each step was reached: without an order, when it and all before it were."""
        return [max(event.at for event in self.served[: place + 1]) for place in range(len(self.served))]

    @property
    def last(self) -> Event:
        return max(self.served, key=lambda event: (event.at, event.seq))


def specification(
    funnel: Funnel, histories: Iterable[Sequence[Event]], now: Instant, members: Members | None = None
) -> FunnelAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    known = [[event for event in history if event.at <= now] for history in histories]
    over, still_open = ranges(funnel, now)
    best = [(events, found) for events in known if (found := attempt(funnel, events, *over))]
    waiting = [found for events in known if (found := attempt(funnel, events, *still_open))]
    attempts = [found for _, found in best]
    part = Partial(
        _matrix(funnel, attempts),
        reached(_matrix(funnel, waiting)),
        _labels(funnel, best, members or {}) if funnel.by else None,
        _drops(funnel, best) if funnel.instead else None,
        _trend(funnel, known, over) if funnel.trend else None,
    )
    return answer(funnel, [part], now)


def attempt(funnel: Funnel, events: Sequence[Event], start: Instant, end: Instant) -> Attempt | None:
    """The reported attempt of one subject: the earliest-starting of those which reach the deepest level."""
    follow = _any_order if funnel.order == "unordered" else _in_order
    best: Attempt | None = None
    for row, event in enumerate(events):
        if start <= event.at < end:
            known = [one for one in events[row:] if one.at - event.at <= within(funnel)]
            found = follow(funnel, known)
            if found and (best is None or len(found.served) > len(best.served)):
                best = found
    return best


def _in_order(funnel: Funnel, events: Sequence[Event]) -> Attempt | None:
    """The attempt that starts at the first event: of all its ways the deepest, with each step's earliest
    match from which that is possible."""
    if not matches(funnel.steps[0], events[0]):
        return None
    return Attempt(events[0], _onwards(funnel, tuple(events), 0, 0, {}))


def _onwards(
    funnel: Funnel,
    events: tuple[Event, ...],
    row: int,
    step: int,
    found: dict[tuple[int, int], tuple[Event, ...]],
) -> tuple[Event, ...]:
    """The events that serve the steps from this one on, where this row serves it; `found` remembers."""
    if (row, step) in found:
        return found[row, step]
    best: tuple[Event, ...] = ()
    for later in range(row + 1, len(events)):
        if step + 1 == len(funnel.steps) or len(best) == len(funnel.steps) - step - 1:
            break
        if matches(funnel.steps[step + 1], events[later]):
            way = _onwards(funnel, events, later, step + 1, found)
            best = way if len(way) > len(best) else best
        if _bars(funnel, step, events[later]):
            break
    found[row, step] = (events[row], *best)
    return found[row, step]


def _bars(funnel: Funnel, step: int, event: Event) -> bool:
    """Whether an event must not lie between this step and the next."""
    if funnel.order == "strict" and is_activity(event):
        return True
    return any(matches(one, event) for one in (funnel.barred[step] if funnel.barred else ()))


def _any_order(funnel: Funnel, events: Sequence[Event]) -> Attempt | None:
    """The attempt that starts at the first event; each event serves the first unserved step it matches."""
    served: dict[int, Event] = {}
    for event in events:
        free = (
            place for place, step in enumerate(funnel.steps) if place not in served and matches(step, event)
        )
        place = next(free, None)
        if place is not None:
            served[place] = event
        elif event is events[0]:
            return None
    level = next((place for place in range(len(funnel.steps)) if place not in served), len(funnel.steps))
    return Attempt(events[0], tuple(served[place] for place in range(level))) if level else None


def _matrix(funnel: Funnel, attempts: Sequence[Attempt]) -> Attempts:
    steps = len(funnel.steps)
    rows = [[*one.times, *[NEVER] * (steps - len(one.served))] for one in attempts]
    begun = np.array([one.begun.at for one in attempts], np.int64)
    return Attempts(np.array(rows, np.int64).reshape(-1, steps), begun)


def _labels(funnel: Funnel, best: Sequence[tuple[Sequence[Event], Attempt]], members: Members) -> Labels:
    assert funnel.by
    of = members.get(funnel.by.name, frozenset())
    labels = [label_of(funnel.by, events, found.served[0], of) for events, found in best]
    words = tuple(dict.fromkeys(labels))
    return Labels(np.array([words.index(one) for one in labels], np.int32), words)


def _drops(funnel: Funnel, best: Sequence[tuple[Sequence[Event], Attempt]]) -> Drops:
    drops = Drops(Counter(), Counter(), Counter(), Counter())
    for events, found in best:
        if len(found.served) < len(funnel.steps):
            step, last = len(found.served) - 1, found.last
            then = [
                event.name
                for event in events
                if is_activity(event)
                and (event.at, event.seq) > (last.at, last.seq)
                and event.at - last.at <= within(funnel)
            ]
            drops.customers[step] += 1
            drops.nothing[step] += not then
            drops.then.update((step, name) for name in set(then))
            drops.first.update((step, name) for name in then[:1])
    return drops


def _trend(
    funnel: Funnel, known: Sequence[Sequence[Event]], over: tuple[Instant, Instant]
) -> dict[date, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """For each period the funnel of the attempts that start in it."""
    assert funnel.trend
    found = {}
    at = [event.at for events in known for event in events if over[0] <= event.at < over[1]]
    for day in periods.days_between(min(at), max(at), funnel.trend, funnel.zone) if at else ():
        start = max(periods.begins(day, funnel.zone), over[0])
        end = min(periods.ends(day, funnel.trend, funnel.zone), over[1])
        plain = replace(funnel, trend=None)
        attempts = [one for events in known if (one := attempt(plain, events, start, end))]
        counts = reached(_matrix(funnel, attempts))
        if counts.any():
            found[day] = counts
    return found
