"""Lifecycle: who is new, returning, resurrected and dormant in each period.

`specification` is what the answer means, in plain Python; `ask_lifecycle` gives the same from columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec import Struct

from hark.definitions.asked import Lifecycle
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import Event, Instant
from hark.understand import periods
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.steps import is_activity
from hark.understand.tabular import Row, Tabular

NEW, RETURNING, RESURRECTED, DORMANT = range(4)


class Stage(Struct, frozen=True):
    """Customers in one period, by what the period is in their life."""

    period: str
    new: int
    """First activity ever."""
    returning: int
    """Active, also in the period before."""
    resurrected: int
    """Active, not in the period before, but earlier."""
    dormant: int
    """Not active, but in the period before."""
    complete: bool
    """Whether the period is over; until then dormant ones may still come."""


class LifecycleAnswer(Tabular, frozen=True):
    """{"periods": [{"period", "new", "returning", "resurrected", "dormant"}]}, oldest first."""

    periods: tuple[Stage, ...]

    def rows(self) -> Iterator[Row]:
        for one in self.periods:
            yield msgspec.structs.asdict(one)


@dataclass(frozen=True)
class Partial:
    """(subject, number of a period) of one bucket, each once, ascending; periods are numbered by `Cut`."""

    subject: Ints
    place: Ints


def specification(question: Lifecycle, histories: Iterable[Sequence[Event]], now: Instant) -> LifecycleAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    known = [[one.at for one in history if one.at <= now and is_activity(one)] for history in histories]
    every = sorted(at for ats in known for at in ats)
    if not every:
        return LifecycleAnswer(())
    cut = _cut(question, every[0], every[-1], now)
    found = np.zeros((4, len(cut.days)), np.int64)
    for ats in known:
        active = {int(place) for place in cut.places(np.array(ats, np.int64))}
        for place in range(len(cut.days)):
            stage = stage_of(place, active)
            if stage is not None:
                found[stage, place] += 1
    return _answer(question, cut, found, now)


def stage_of(place: int, active: set[int]) -> int | None:
    """What a period is in the life of somebody who was active in these periods."""
    if place not in active:
        return DORMANT if place - 1 in active else None
    if place == min(active):
        return NEW
    return RETURNING if place - 1 in active else RESURRECTED


def ask_lifecycle(history: Snapshot | People, question: Lifecycle, now: Instant) -> LifecycleAnswer:
    """The answer from a history, one bucket a thread."""
    whom = people(history, now).among(question.among)
    spans = over_buckets(whom, lambda bucket: _span(whom, now, bucket))
    known = [at for span in spans if span for at in span]
    if not known:
        return LifecycleAnswer(())
    cut = _cut(question, min(known), max(known), now)
    parts = over_buckets(whom, lambda bucket: _counted(_of_bucket(whom, cut, now, bucket), len(cut.days)))
    return _answer(question, cut, np.sum(parts, axis=0), now)


def _cut(question: Lifecycle, first: Instant, last: Instant, now: Instant) -> periods.Cut:
    """The periods from the first activity to the one after the last, in which the last can be missed."""
    missed = periods.ends(
        periods.first_day(last, question.period, question.zone), question.period, question.zone
    )
    return periods.Cut.between(first, min(max(last, missed), max(last, now)), question.period, question.zone)


def _span(whom: People, now: Instant, bucket: int) -> tuple[int, int] | None:
    """The first and the last activity in a bucket."""
    found = [
        run.at[low:high][run.active[low:high]] for run in whom.runs(bucket) for low, high in run.kept.tolist()
    ]
    found = [at[at <= now] for at in found]
    edges = [edge for at in found if len(at) for edge in (int(at.min()), int(at.max()))]
    return (min(edges), max(edges)) if edges else None


def _of_bucket(whom: People, cut: periods.Cut, now: Instant, bucket: int) -> Partial:
    from hark.understand.kernels.rows import ACTIVITY, stream

    rows = stream(whom.runs(bucket), [ACTIVITY])
    known = rows.at <= now
    subject, place = rows.subject[known], cut.places(rows.at[known])
    new = np.ones(len(place), np.bool_)
    new[1:] = (subject[1:] != subject[:-1]) | (place[1:] != place[:-1])
    return Partial(subject[new], place[new])


def _counted(part: Partial, count: int) -> Ints:
    """(stages, periods): customers."""
    subject, place = part.subject, part.place
    first = np.ones(len(place), np.bool_)
    first[1:] = subject[1:] != subject[:-1]
    next_door = np.zeros(len(place), np.bool_)
    next_door[1:] = ~first[1:] & (place[1:] == place[:-1] + 1)
    followed = np.append(next_door[1:], False)[: len(place)]
    missed = place[~followed] + 1
    stages = [place[first], place[next_door], place[~first & ~next_door], missed[missed < count]]
    return np.array([np.bincount(one, minlength=count) for one in stages], np.int64)


def _answer(question: Lifecycle, cut: periods.Cut, found: Ints, now: Instant) -> LifecycleAnswer:
    """The periods that touch the question's range."""
    return LifecycleAnswer(
        tuple(
            _stage(cut, found, place, now)
            for place in range(len(cut.days))
            if cut.ends(place) > question.start and cut.starts[place] < question.end
        )
    )


def _stage(cut: periods.Cut, found: Ints, place: int, now: Instant) -> Stage:
    new, returning, resurrected, dormant = found[:, place].tolist()
    return Stage(cut.label(place), new, returning, resurrected, dormant, cut.ends(place) <= now)
