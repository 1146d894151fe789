"""`did`: an event happened, so and so often, in a window or ever."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from msgspec import field

from hark.model import JSON, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Flags, Leaf, View
from hark.understand.conditions.calendar import day_of, days_of
from hark.understand.conditions.tally import ADD, MERGE, OF
from hark.understand.operators import compile as compiled
from hark.understand.operators import test_of

MOST = 1000
"""The largest count that a condition may ask for: what is kept per subject must stay bounded."""


def saturation(count: Mapping[str, JSON]) -> int:
    """The number from which on a predicate on a count gives one answer for all larger counts."""
    past = {"gte": 0, "lt": 0}
    numbers: list[int] = [
        number + past.get(name, 1)
        for name, operand in count.items()
        for number in (operand if isinstance(operand, list) else [operand])
    ]
    return max(numbers)


class Did(Leaf, frozen=True, tag="did"):
    """The count of matching events (or of different calendar days with one) passes `count`.

    Without a window all of history counts; with one, events in (now - within, now].
    """

    names: tuple[str, ...]
    where: JSON = None
    measure: Literal["times", "days"] = "times"
    count: JSON = field(default_factory=lambda: {"gte": 1})
    """Operators on the count."""
    within_us: int | None = None
    zone: str = "UTC"
    """In which days are cut (the workspace's)."""

    @cached_property
    def test(self) -> Callable[[bytes], bool] | None:
        """Whether raw properties fulfil `where`; None if all do, so that nothing need be decoded."""
        return compiled(self.where) if self.where else None

    @cached_property
    def cap(self) -> int:
        """The most that is counted; at least 1, so that a summary always has room."""
        return max(1, saturation(self.count))

    @cached_property
    def accepts(self) -> tuple[bool, ...]:
        """The answer for each count up to `cap`, which answers for all larger ones."""
        passes = test_of(self.count)
        return tuple(passes(count) for count in range(self.cap + 1))

    @cached_property
    def _last_unlike(self) -> tuple[int, ...]:
        """For each count up to `cap` the largest smaller one with another answer; -1: there is none."""
        last = [-1]
        for count in range(1, self.cap + 1):
            unlike = self.accepts[count - 1] is not self.accepts[count]
            last.append(count - 1 if unlike else last[-1])
        return tuple(last)

    @cached_property
    def _add(self) -> Callable[[JSON, Instant, int, str], JSON]:
        return ADD[self.measure, self.within_us is not None]

    def summarises(self) -> JSON:
        zone = self.zone if self.measure == "days" else ""
        return ["did", sorted(self.names), self.where, self.measure, self.cap, self.within_us is None, zone]

    def sentence(self) -> str:
        return f"did {wording.did(self.names, self.where, self.measure, self.count, self.within_us)}"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        start = None if self.within_us is None else now - self.within_us
        ats = [
            event.at
            for event in events
            if event.name in self.names
            and event.at <= now
            and (start is None or event.at > start)
            and (self.test is None or self.test(event.properties))
        ]
        count = len({day_of(at, self.zone) for at in ats}) if self.measure == "days" else len(ats)
        return test_of(self.count)(count)

    def watches(self) -> frozenset[str]:
        return frozenset(self.names)

    def fold(self, summary: JSON, event: Event) -> JSON:
        test = self.test
        if test is not None and not test(event.properties):
            return summary
        return self._add(summary, event.at, self.cap, self.zone)

    def merge(self, one: JSON, other: JSON) -> JSON:
        if one is None or other is None:
            return other if one is None else one
        return MERGE[self.measure, self.within_us is not None](one, other, self.cap)

    def _instants(self, summary: JSON) -> Sequence[Instant]:
        """What the window's count is read from, ascending."""
        if summary is None:
            return ()
        instants: Sequence[Instant] = summary if self.measure == "times" else summary[0]
        return instants

    def met(self, view: View, now: Instant) -> bool:
        summary = view.summaries.get(self.key)
        if self.within_us is None:
            return self.accepts[(summary or 0) if self.measure == "times" else len(summary or ())]
        ats = self._instants(summary)
        return self.accepts[len(ats) - bisect_right(ats, now - self.within_us)]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        if self.within_us is None:
            return self.met(view, now), None
        ats = self._instants(view.summaries.get(self.key))
        count = len(ats) - bisect_right(ats, now - self.within_us)
        met = self.accepts[count]
        last = self._last_unlike[count]
        return met, None if last < 0 else ats[len(ats) - 1 - last] + self.within_us

    def columnar(self, columns: Columns) -> Flags:
        who, ats = columns.matches(self.names, self.test)
        if self.within_us is not None:
            inside = ats > columns.at - self.within_us
            who, ats = who[inside], ats[inside]
        if self.measure == "days" and len(ats):
            who = np.unique(np.column_stack([who, days_of(ats, self.zone)]), axis=0)[:, 0]
        counts = np.bincount(who, minlength=len(columns.subjects))
        return np.array(self.accepts)[np.minimum(counts, self.cap)]

    def summarised(self, columns: Columns) -> Iterator[tuple[int, JSON]]:
        who, ats = columns.matches(self.names, self.test)
        order = np.lexsort((ats, who))
        who, ats = who[order], ats[order]
        starts = np.flatnonzero(np.diff(who, prepend=-1))
        whole = OF[self.measure, self.within_us is not None]
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(who)], strict=False):
            yield int(columns.subjects[who[start]]), whole(ats[start:end].tolist(), self.cap, self.zone)

    def leaves(self) -> Iterator[Leaf]:
        yield self
