"""`change`: how often an event happens, against the time before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from hark.model import DAY, JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Flags, Ints, Leaf, View, distinct
from hark.understand.conditions.calendar import day_of, day_start, days_of
from hark.understand.conditions.did import different
from hark.understand.operators import compile as compiled
from hark.understand.operators import test_of


class Change(Leaf, frozen=True, tag="change"):
    """The count in the last `days` days, divided by that in as many days before them, passes `ratio`.

    Whole days of the workspace's zone count, the present one among the last. Where there was nothing before,
    there is nothing to compare with: false.
    """

    names: tuple[str, ...]
    days: int
    ratio: JSON
    """Operators on the quotient."""
    where: JSON = None
    measure: Literal["times", "days"] = "times"
    zone: str = "UTC"

    @cached_property
    def test(self) -> Callable[[bytes], bool] | None:
        return compiled(self.where) if self.where else None

    @cached_property
    def _accepts(self) -> Callable[[JSON], bool]:
        return test_of(self.ratio)

    def summarises(self) -> JSON:
        return ["change", sorted(self.names), self.where, self.days, self.zone]

    def sentence(self) -> str:
        what = wording.event(self.names, self.where)
        noun = "days with" if self.measure == "days" else "number of"
        ratio, span = wording.compared(self.ratio, wording.number), wording.span(self.days * DAY)
        return f"have {noun} {what} in the last {span} at {ratio} times the {span} before"

    def watches(self) -> frozenset[str]:
        return frozenset(self.names)

    def _passes(self, last: int, before: int) -> bool:
        return before > 0 and self._accepts(last / before)

    # -- the pure meaning -------------------------------------------------------------------------------

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        days = [
            day_of(event.at, self.zone)
            for event in events
            if event.name in self.names and event.at <= now and (not self.test or self.test(event.properties))
        ]
        today = day_of(now, self.zone)
        last = [day for day in days if day > today - self.days]
        before = [day for day in days if today - 2 * self.days < day <= today - self.days]
        if self.measure == "days":
            return self._passes(len(set(last)), len(set(before)))
        return self._passes(len(last), len(before))

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        if self.test is not None and not self.test(event.properties):
            return summary
        return self.merge(summary, [[day_of(event.at, self.zone)], [1]])

    def merge(self, one: JSON, other: JSON) -> JSON:
        by: dict[int, int] = {}
        for days, counts in (one or [[], []], other or [[], []]):
            for day, count in zip(days, counts, strict=True):
                by[day] = by.get(day, 0) + count
        if not by:
            return None
        days = sorted(day for day in by if day > max(by) - 2 * self.days)
        return [days, [by[day] for day in days]]

    def met(self, view: View, now: Instant) -> bool:
        return self.answer(view, now)[0]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        days, counts = view.summaries.get(self.key) or ([], [])
        today = day_of(now, self.zone)
        met = self._on(days, counts, today)
        ends = sorted({day + span for day in days for span in (self.days, 2 * self.days)})
        for end in ends:
            if end > today and self._on(days, counts, end) is not met:
                return met, day_start(end, self.zone)
        return met, None

    def _on(self, days: list[int], counts: list[int], today: int) -> bool:
        """The answer of a day."""
        first, middle = (bisect_left(days, today - span * self.days + 1) for span in (2, 1))
        if self.measure == "days":
            return self._passes(len(days) - middle, middle - first)
        return self._passes(sum(counts[middle:]), sum(counts[first:middle]))

    # -- in columns -------------------------------------------------------------------------------------

    def columnar(self, columns: Columns) -> Flags:
        found = columns.matches(self.names, self.test)
        who, days = found.who, days_of(found.at, self.zone)
        if self.measure == "days":
            who, days = different(who, days)
        today, subjects = day_of(columns.at, self.zone), len(columns.subjects)
        late = days > today - self.days
        early = ~late & (days > today - 2 * self.days)
        last, before = (np.bincount(who[rows], minlength=subjects) for rows in (late, early))
        return self._all(last, before)

    def _all(self, last: Ints, before: Ints) -> Flags:
        """Few different pairs of counts are there, and each is asked once."""
        flags = np.zeros(len(before), np.bool_)
        places = np.flatnonzero(before)
        wide = int(before.max(initial=0)) + 1
        pairs = last[places] * wide + before[places]
        different = distinct(pairs)
        answers = [self._passes(*divmod(pair, wide)) for pair in different.tolist()]
        flags[places] = np.array(answers, np.bool_)[np.searchsorted(different, pairs)]
        return flags

    def leaves(self) -> Iterator[Leaf]:
        yield self
