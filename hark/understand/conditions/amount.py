"""`did` with `sum`, `avg`, `max` or `min`: what a property of matching events comes to.

Numbers are added exactly, to six decimals, so that neither the order of events nor a merge changes a sum.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Literal, TypeAlias

import numpy as np

from hark.model import DAY, JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Flags, Found, Ints, Leaf, View
from hark.understand.conditions.calendar import day_of, day_start, days_of
from hark.understand.conditions.window import Window
from hark.understand.operators import compile as compiled
from hark.understand.operators import is_number, test_of, value_reader

MICRO = 1_000_000
LARGEST = 1e12
"""Numbers beyond it, either way, are left out: sums stay exact."""
MOST_DAYS = 400
"""The longest window, in days: one entry is kept for each day."""

Quantity: TypeAlias = Literal["sum", "avg", "max", "min"]
Sums: TypeAlias = tuple[int, int, int, int]
"""(how many numbers, their sum, the least, the greatest), in millionths."""
NOTHING: Sums = (0, 0, 0, 0)


def micro(value: JSON) -> int | None:
    """A number in millionths; None for what is none, or too large."""
    if not is_number(value) or not math.isfinite(value) or abs(value) > LARGEST:
        return None
    return value * MICRO if isinstance(value, int) else round(value * MICRO)


def together(one: Sums, other: Sums) -> Sums:
    if not one[0] or not other[0]:
        return other if not one[0] else one
    return one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])


class Amount(Leaf, frozen=True, tag="amount"):
    """Sum, mean, greatest or least number under `of` among matching events passes `compare`.

    In a window whole days of the workspace's zone count: the last `days`, the present one included.
    Of no numbers the sum is 0, and there is no mean, greatest or least, so that every comparison is false.
    """

    reads_properties = True

    names: tuple[str, ...]
    of: str
    measure: Quantity
    compare: JSON
    """Operators on the number."""
    where: JSON = None
    days: int | None = None
    between: tuple[Instant, Instant] | None = None
    zone: str = "UTC"

    @cached_property
    def test(self) -> Callable[[bytes], bool] | None:
        return compiled(self.where) if self.where else None

    @cached_property
    def _number(self) -> Callable[[bytes], int | None]:
        read = value_reader(self.of)
        return lambda raw: micro(read(raw))

    @cached_property
    def _accepts(self) -> Callable[[JSON], bool]:
        return test_of(self.compare)

    def summarises(self) -> JSON:
        zone = self.zone if self.days else ""
        return ["amount", sorted(self.names), self.where, self.of, self.days, self.between, zone]

    def sentence(self) -> str:
        amount = wording.compared(self.compare, wording.number)
        words = {
            "sum": f"with {self.of} adding up to {amount}",
            "avg": f"with a mean {self.of} of {amount}",
            "max": f"with a greatest {self.of} of {amount}",
            "min": f"with a least {self.of} of {amount}",
        }[self.measure]
        window = Window(
            self.days * DAY if self.days and self.days > 1 else None, self.between, self.days == 1
        )
        return f"did {wording.event(self.names, self.where)} {words}{wording.inside(window, self.zone)}"

    def watches(self) -> frozenset[str]:
        return frozenset(self.names)

    def _answer_of(self, sums: Sums) -> bool:
        """Whether these sums pass."""
        count, total, least, greatest = sums
        if self.measure == "sum":
            return self._accepts(float(total) / MICRO)
        if not count:
            return False
        values = {"avg": float(total) / count / MICRO, "max": greatest / MICRO, "min": least / MICRO}
        return self._accepts(values[self.measure])

    # -- the pure meaning -------------------------------------------------------------------------------

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        found = [
            self._number(event.properties)
            for event in events
            if event.name in self.names
            and event.at <= now
            and (self.test is None or self.test(event.properties))
            and self._inside(event.at, now)
        ]
        numbers = [number for number in found if number is not None]
        low, high = min(numbers, default=0), max(numbers, default=0)
        return self._answer_of((len(numbers), sum(numbers), low, high))

    def _inside(self, at: Instant, now: Instant) -> bool:
        if self.between:
            return self.between[0] <= at < self.between[1]
        return self.days is None or day_of(at, self.zone) > day_of(now, self.zone) - self.days

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        if self.test is not None and not self.test(event.properties):
            return summary
        number = self._number(event.properties)
        if number is None or (self.between and not self._inside(event.at, 0)):
            return summary
        one: Sums = (1, number, number, number)
        if self.days is None:
            return _kept(together(_sums(summary), one))
        return self._merged(summary or [[], []], [[day_of(event.at, self.zone)], [_kept(one)]])

    def merge(self, one: JSON, other: JSON) -> JSON:
        if one is None or other is None:
            return other if one is None else one
        if self.days is None:
            return _kept(together(_sums(one), _sums(other)))
        return self._merged(one, other)

    def _merged(self, one: JSON, other: JSON) -> JSON:
        """Two [days, sums]; days that no window can reach any more are dropped."""
        assert self.days is not None
        by: dict[int, Sums] = {}
        for days, sums in (one, other):
            for day, kept in zip(days, sums, strict=True):
                by[day] = together(by.get(day, NOTHING), _sums(kept))
        first = max(by) - self.days
        days = sorted(day for day in by if day > first)
        return [days, [_kept(by[day]) for day in days]]

    def met(self, view: View, now: Instant) -> bool:
        return self.answer(view, now)[0]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        summary = view.summaries.get(self.key)
        if self.days is None:
            return self._answer_of(_sums(summary)), None
        days, kept = summary or ([], [])
        inside = bisect_right(days, day_of(now, self.zone) - self.days)
        # What is left as one day after the other leaves the window; the last is nothing.
        suffixes = list(accumulate(map(_sums, kept[inside:][::-1]), together, initial=NOTHING))[::-1]
        met = self._answer_of(suffixes[0])
        for day, left in zip(days[inside:], suffixes[1:], strict=True):
            if self._answer_of(left) is not met:
                return met, day_start(day + self.days, self.zone)
        return met, None

    # -- in columns -------------------------------------------------------------------------------------

    def columnar(self, columns: Columns) -> Flags:
        found, codes, values = columns.values(self.names, self.test, self._number)
        there = np.array([value is not None for value in values], np.bool_)[codes]
        there &= self._all_inside(found.at, columns.at)
        numbers = np.array([value or 0 for value in values], np.int64)[codes][there]
        flags = np.full(len(columns.subjects), self._answer_of(NOTHING))
        who, sums = _by_subject(found.only(there), numbers)
        flags[who] = [self._answer_of(one) for one in sums]
        return flags

    def _all_inside(self, ats: Ints, now: Instant) -> Flags:
        if self.between:
            return (ats >= self.between[0]) & (ats < self.between[1])
        if self.days is None:
            return np.ones(len(ats), np.bool_)
        return days_of(ats, self.zone) > day_of(now, self.zone) - self.days

    def leaves(self) -> Iterator[Leaf]:
        yield self


def _by_subject(found: Found, numbers: Ints) -> tuple[Ints, Iterable[Sums]]:
    """The places of those who have a number, and the sums of each."""
    order = np.argsort(found.who, kind="stable")
    who, mine = found.who[order], numbers[order]
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    if not len(starts):
        return who, []
    largest = int(np.abs(mine).max()) * int(np.diff(np.append(starts, len(who))).max())
    exact = mine if largest < 1 << 62 else mine.astype(object)
    columns = (
        np.diff(np.append(starts, len(who))),
        np.add.reduceat(exact, starts),
        np.minimum.reduceat(mine, starts),
        np.maximum.reduceat(mine, starts),
    )
    return who[starts], zip(*(column.tolist() for column in columns), strict=True)


def _kept(sums: Sums) -> JSON:
    """As it is kept: MessagePack has no whole numbers beyond 64 bits."""
    return [one if abs(one) < 1 << 63 else str(one) for one in sums]


def _sums(kept: JSON) -> Sums:
    return NOTHING if kept is None else tuple(map(int, kept))  # type: ignore[return-value]
