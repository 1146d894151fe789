"""A condition as a question's start or return: asked at the end of each period, in the present one now.

`turned` and `held` are what that means, in plain Python; `Turning` finds the same in columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hark.definitions.asked import FOREVER, When
from hark.errors import HarkError
from hark.history.runs import Ints
from hark.model import DAY, Event, Instant
from hark.understand.batch import standing
from hark.understand.pace import compared
from hark.understand.partials import over_buckets
from hark.understand.people import People
from hark.understand.periods import Cut, Period, begins, days_between, ends

if TYPE_CHECKING:
    from hark.understand.kernels.rows import Stream

MOST_PERIODS = 400
"""At the ends of so many a condition may be asked."""
BEFORE, AFTER = -1, FOREVER
"""The order of arrival of what stands before, and after, every event of its instant."""


# -- what it means --------------------------------------------------------------------------------------


def turned(when: When, events: Sequence[Event], period: Period, zone: str, now: Instant) -> list[date]:
    """The periods at whose end it holds and at whose beginning it did not, by their first days."""
    return [day for day in _periods(events, period, zone, now)
            if _holds(when, events, asked_at(day, period, zone, now))
            and not _holds(when, events, begins(day, zone) - 1)]  # fmt: skip


def held(when: When, events: Sequence[Event], period: Period, zone: str, now: Instant) -> list[date]:
    """The periods at whose end it holds."""
    return [day for day in _periods(events, period, zone, now)
            if _holds(when, events, asked_at(day, period, zone, now))]  # fmt: skip


def asked_at(day: date, period: Period, zone: str, now: Instant) -> Instant:
    """When the condition is asked for the period that begins with a day."""
    return min(ends(day, period, zone) - 1, now)


def _periods(events: Sequence[Event], period: Period, zone: str, now: Instant) -> list[date]:
    return days_between(events[0].at, now, period, zone) if events else []


def _holds(when: When, events: Sequence[Event], at: Instant) -> bool:
    """Who did nothing yet is nobody, also for a condition that asks for an absence."""
    known = [event for event in events if event.at <= at]
    return bool(known) and when.where.holds(known, at)


# -- in columns -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turning:
    """Who meets a condition at the end of which periods."""

    whom: People
    cut: Cut
    now: Instant
    inside: Callable[[int], list[Ints]]
    """From a bucket to who meets it before the first period, and at the end of each."""

    def turned(self, bucket: int, inside: Sequence[Ints], bit: int) -> Stream:
        """A row at the beginning of each period at whose end it holds for a subject and did not before."""
        new = [np.setdiff1d(now, before, assume_unique=True) for before, now in pairwise(inside)]
        return self._rows(bucket, new, self.cut.starts, BEFORE, bit)

    def held(self, bucket: int, inside: Sequence[Ints], bit: int) -> Stream:
        """A row at the end of each period at whose end it holds for a subject."""
        return self._rows(bucket, inside[1:], self.asked, AFTER, bit)

    @property
    def asked(self) -> Ints:
        """When the condition is asked for each period."""
        over = [asked_at(day, self.cut.period, self.cut.zone, self.now) for day in self.cut.days]
        return np.array(over, np.int64)

    def _rows(self, bucket: int, subjects: Sequence[Ints], at: Ints, seq: int, bit: int) -> Stream:
        from hark.understand.kernels.rows import marks

        mine = [self.whom.asked(bucket, one) for one in subjects]
        whole = np.concatenate([np.empty(0, np.int64), *mine])
        return marks(whole, np.repeat(at, [len(one) for one in mine]), seq, bit)


def turning(whom: People, when: When, period: Period, zone: str, since: Instant, now: Instant) -> Turning:
    """Of the periods from that of `since` to the present one, but not before anybody did anything.

    Raises HarkError `question.periods` for more than `MOST_PERIODS`.
    """
    cut = Cut.between(max(since, _earliest(whom, now)), now, period, zone)
    if len(cut.days) > MOST_PERIODS:
        hint = f"ask for at most {MOST_PERIODS}: since a later date, or by longer periods"
        raise HarkError(f"a condition at the ends of {len(cut.days)} {period}s", hint, "question.periods")
    moments = [int(start) - 1 for start in cut.starts[:1]]
    moments += [asked_at(day, period, zone, now) for day in cut.days]
    asked = [(compared(whom.snapshot, when.where, at), at) for at in moments]
    return Turning(whom, cut, now, standing(whom.snapshot, asked) if asked else lambda _: [])


def _earliest(whom: People, now: Instant) -> Instant:
    """The first moment at which anybody did anything; after `now` if nobody did by then."""

    def one(bucket: int) -> Instant:
        return min((int(run.at.min()) for run in whom.runs(bucket) if len(run)), default=now + DAY)

    return min(over_buckets(whom, one), default=now + DAY)
