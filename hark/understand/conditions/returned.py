"""`returned`: activity again after a gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from hark.model import JSON, Event, Instant, Kind
from hark.understand.conditions import wording
from hark.understand.conditions.base import ACTIVITY, Answer, Columns, Flags, Leaf, View


class Returned(Leaf, frozen=True, tag="returned"):
    """In (now - within, now] an activity came that followed the one before by `gap_us` or more.

    The summary holds the stretches of activity without such a gap, [start, end] each; a late event joins two
    of them or begins another, so their order of arrival does not matter. A stretch's start is a return unless
    it is the first. No more are kept than begin in the window, and two.
    """

    gap_us: int
    within_us: int

    def summarises(self) -> JSON:
        return ["returned", self.gap_us, self._most]

    @property
    def _most(self) -> int:
        return self.within_us // self.gap_us + 3

    def sentence(self) -> str:
        gap, window = wording.span(self.gap_us), wording.span(self.within_us)
        return f"came back in the last {window} after {gap} or more away"

    def watches(self) -> frozenset[str]:
        return frozenset((ACTIVITY,))

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        ats = [one.at for one in events if one.active and one.kind != Kind.FACT and one.at <= now]
        returns = [at for before, at in pairwise(ats) if at - before >= self.gap_us]
        return any(at > now - self.within_us for at in returns)

    def fold(self, summary: JSON, event: Event) -> JSON:
        at = event.at
        stretches: list[list[Instant]] = summary or []
        last = stretches[-1] if stretches else None
        if last and last[0] <= at < last[1] + self.gap_us:
            last[1] = max(at, last[1])
            return summary
        return self.merge(summary, [[at, at]])

    def merge(self, one: JSON, other: JSON) -> JSON:
        stretches: list[list[Instant]] = []
        for start, end in sorted([*(one or ()), *(other or ())]):
            if stretches and start - stretches[-1][1] < self.gap_us:
                stretches[-1][1] = max(end, stretches[-1][1])
            else:
                stretches.append([start, end])
        return stretches[-self._most :] or None

    def _latest(self, view: View) -> Instant | None:
        stretches: list[list[Instant]] = view.summaries.get(self.key) or []
        return stretches[-1][0] if len(stretches) > 1 else None

    def met(self, view: View, now: Instant) -> bool:
        return self.answer(view, now)[0]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        start = self._latest(view)
        if start is None or start <= now - self.within_us:
            return False, None
        return True, start + self.within_us

    def columnar(self, columns: Columns) -> Flags:
        found = columns.activity()
        away = (found.who[1:] == found.who[:-1]) & (found.at[1:] - found.at[:-1] >= self.gap_us)
        back = away & (found.at[1:] > columns.at - self.within_us)
        flags = np.zeros(len(columns.subjects), np.bool_)
        flags[found.who[1:][back]] = True
        return flags

    def leaves(self) -> Iterator[Leaf]:
        yield self
