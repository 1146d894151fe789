"""A funnel's answer from the history, by the kernels, one bucket a thread."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from hark.definitions.asked import Funnel
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import Instant
from hark.understand import periods, split
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
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.split import Help, Labels

if TYPE_CHECKING:
    from hark.understand.kernels.funnel import Found
    from hark.understand.kernels.rows import Bit, Stream


def ask_funnel(history: Snapshot | People, funnel: Funnel, now: Instant) -> FunnelAnswer:
    """The answer from a history."""
    whom = people(history, now).among(funnel.among)
    helped = split.helped(whom, funnel.by)
    parts = over_buckets(whom, lambda bucket: _Bucket(whom, funnel, now, bucket).partial(helped))
    return answer(funnel, parts, now)


def who_stopped(history: Snapshot | People, funnel: Funnel, now: Instant, step: int) -> list[Ints]:
    """By bucket the subjects, ascending, who reached this step (counted from 1) and no further."""
    whom = people(history, now).among(funnel.among)

    def one(bucket: int) -> Ints:
        asked = _Bucket(whom, funnel, now, bucket)
        found = asked.found
        subjects: Ints = asked.rows.subject[found.first[_levels(found.times) == step]]
        return subjects

    return over_buckets(whom, one)


class _Bucket:
    """One bucket's rows and reported attempts."""

    def __init__(self, whom: People, funnel: Funnel, now: Instant, bucket: int) -> None:
        # numba takes half a second to load, which only questions should pay.
        from hark.understand.kernels.rows import names_of, stream, wanted

        self.funnel, self.now, self.bucket = funnel, now, bucket
        bits, self.barred, self.activity = bits_of(funnel)
        told = split.told(funnel.by, funnel.steps[0])
        runs = whom.runs(bucket, names_of(bits), values=wanted(bits, told))
        self.rows: Stream = stream(runs, bits, named=funnel.instead, told=[*told])
        self.found = self.attempts(*ranges(funnel, now)[0])

    def attempts(self, start: Instant, end: Instant) -> Found:
        from hark.understand.kernels import funnel as kernel

        limits = within(self.funnel), start, end, self.now
        return kernel.attempts(self.rows, self.barred, *limits, self.funnel.order == "unordered")

    def partial(self, helped: Help) -> Partial:
        funnel = self.funnel
        waiting = self.attempts(*ranges(funnel, self.now)[1])
        return Partial(
            _attempts(self.found),
            reached(_attempts(waiting)),
            self.labels(helped) if funnel.by else None,
            self.drops() if funnel.instead else None,
            self.trend() if funnel.trend else None,
        )

    def labels(self, helped: Help) -> Labels:
        assert self.funnel.by
        return split.labels(self.rows, self.found.first, self.funnel.by, helped, self.bucket)

    def drops(self) -> Drops:
        from hark.understand.kernels.instead import instead

        assert self.activity is not None
        steps = len(self.funnel.steps)
        level = _levels(self.found.times)
        stopped = level < steps
        where = self.found.last[stopped], level[stopped] - 1
        counts = instead(self.rows, *where, steps, self.activity, within(self.funnel), self.now)
        customers = np.bincount(level[stopped] - 1, minlength=steps)
        words = self.rows.words
        return Drops(_by_step(customers), _by_step(counts[0]), *(_by_event(one, words) for one in counts[1:]))

    def trend(self) -> dict[date, Ints]:
        funnel = self.funnel
        assert funnel.trend
        start, end = ranges(funnel, self.now)[0]
        at = self.rows.at[(self.rows.at >= start) & (self.rows.at < end) & (self.rows.at <= self.now)]
        days = (
            periods.days_between(int(at.min()), int(at.max()), funnel.trend, funnel.zone) if len(at) else []
        )
        found = {}
        for day in days:
            first, last = periods.begins(day, funnel.zone), periods.ends(day, funnel.trend, funnel.zone)
            counts = reached(_attempts(self.attempts(max(first, start), min(last, end))))
            if counts.any():
                found[day] = counts
        return found


def bits_of(funnel: Funnel) -> tuple[list[Bit], np.ndarray[tuple[int], np.dtype[np.uint64]], int | None]:
    """The bits of a funnel: its steps, what is barred in each gap, activity; which bits bar each gap, and
    the bit of activity, if that is needed."""
    from hark.understand.kernels.rows import ACTIVITY, Bit

    bits = [Bit(step) for step in funnel.steps]
    barred = [0] * len(funnel.steps)
    for gap, events in enumerate(funnel.barred):
        for event in events:
            barred[gap] |= 1 << len(bits)
            bits.append(Bit(event))
    activity = len(bits) if funnel.order == "strict" or funnel.instead else None
    if activity is not None:
        bits.append(ACTIVITY)
    if funnel.order == "strict":
        barred[:-1] = [gap | 1 << len(bits) - 1 for gap in barred[:-1]]
    return bits, np.array(barred, np.uint64), activity


def _attempts(found: Found) -> Attempts:
    return Attempts(found.times, found.begun)


def _levels(times: Ints) -> Ints:
    levels: Ints = (times != NEVER).sum(axis=1)
    return levels


def _by_step(counts: Ints) -> Counter[int]:
    return Counter({step: int(count) for step, count in enumerate(counts) if count})


def _by_event(counts: Ints, words: tuple[str, ...]) -> Counter[tuple[int, str]]:
    places = zip(*(part.tolist() for part in counts.nonzero()), strict=True)
    return Counter({(step, words[word]): int(counts[step, word]) for step, word in places})
