"""`pace`: who takes longer than most to go on from one event to another.

How long the others took is no one subject's history: it is a table of everybody's (`understand.pace`), made
for a day and put into the condition before it is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from hark.model import JSON, SECOND, Event, Instant
from hark.understand.conditions import wording
from hark.understand.conditions.base import Answer, Columns, Flags, Leaf, View
from hark.understand.conditions.did import NEVER, latest
from hark.understand.conditions.sequence import Match
from hark.understand.operators import compile as compiled

FEWEST = 50
"""Cases below which a table says nothing."""

Test: TypeAlias = Callable[[bytes], bool] | None
Mark: TypeAlias = tuple[Instant, int]
"""(at, seq) of an event."""


class Passage(Struct, frozen=True):
    """From which event to which, and whose times count."""

    start: Match
    to: Match
    stayed: bool = True
    """Only of those who were active in the fourth week after the start."""

    @property
    def name(self) -> str:
        """The name of its table: the same for ways that are written alike."""
        canonical = msgspec.json.encode(self, order="sorted")
        return f"pace_{hashlib.blake2b(canonical, digest_size=5).hexdigest()}"

    def sentence(self) -> str:
        """ "from Signed Up to Project Created"."""
        start, to = (wording.event(one.names, one.where) for one in (self.start, self.to))
        return f"from {start} to {to}"


class Reference(Struct, frozen=True):
    """How long it took the others, as of the beginning of a day."""

    day: str
    """ "2026-03-01", in the workspace's zone."""
    cases: int
    waits_s: tuple[int, ...]
    """By when 1 %, 2 %, ... had gone on, in seconds, rounded up; as far as so many have."""

    def wait_us(self, percent: int) -> int | None:
        """By when so many had gone on; None: nobody can say, of too few cases or of so many who wait."""
        known = self.cases >= FEWEST and percent <= len(self.waits_s)
        return self.waits_s[percent - 1] * SECOND if known else None

    def passed(self, waited_us: int) -> int:
        """How many percent had gone on in less time than this."""
        return int(np.searchsorted(self.waits_s, waited_us / SECOND))


class Pace(Leaf, frozen=True, tag="pace"):
    """Did `start` and not `to` since, and has waited longer than by when `percent` of the others had gone on.

    False where no table says by when.
    """

    way: Passage
    percent: int
    reference: Reference | None = None
    """The table, once it has been looked up."""
    zone: str = "UTC"
    """Whose days tables are made for."""

    @property
    def reads_properties(self) -> bool:  # type: ignore[override]
        return bool(self.way.start.where or self.way.to.where)

    @cached_property
    def _tests(self) -> tuple[Test, Test]:
        start, to = (one.where for one in (self.way.start, self.way.to))
        return compiled(start) if start else None, compiled(to) if to else None

    @property
    def wait_us(self) -> int | None:
        return self.reference.wait_us(self.percent) if self.reference else None

    def summarises(self) -> JSON:
        return ["pace", msgspec.to_builtins([self.way.start, self.way.to])]

    def sentence(self) -> str:
        whose = " of those who stayed" if self.way.stayed else ""
        return f"are slower {self.way.sentence()} than {self.percent} %{whose} ({self._limit()})"

    def _limit(self) -> str:
        found = self.reference
        if found is None:
            return "nobody: there is no table yet"
        if found.cases < FEWEST:
            return f"nobody: {found.cases} cases, {FEWEST} are needed"
        wait = self.wait_us
        return "nobody: fewer have gone on" if wait is None else f"{wording.about(wait)} on {found.day}"

    def watches(self) -> frozenset[str]:
        return frozenset((*self.way.start.names, *self.way.to.names))

    def _serves(self, event: Event) -> tuple[bool, bool]:
        """Whether the event is a start, and whether it is where it goes to."""
        pairs = zip((self.way.start, self.way.to), self._tests, strict=True)
        start, to = (
            event.name in match.names and (test is None or test(event.properties)) for match, test in pairs
        )
        return start, to

    # -- the pure meaning -------------------------------------------------------------------------------

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        wait, waiting = self.wait_us, None
        for event in events:
            if event.at <= now:
                start, to = self._serves(event)
                waiting = event.at if start else None if to else waiting
        return wait is not None and waiting is not None and now - waiting > wait

    # -- live -------------------------------------------------------------------------------------------

    def fold(self, summary: JSON, event: Event) -> JSON:
        mark = (event.at, event.seq)
        serves = self._serves(event)
        return self.merge(summary, [mark if one else None for one in serves]) if any(serves) else summary

    def merge(self, one: JSON, other: JSON) -> JSON:
        """The latest of each, so that the order of events does not matter."""
        if one is None or other is None:
            return other if one is None else one
        return [_later(mine, theirs) for mine, theirs in zip(one, other, strict=True)]

    def waiting(self, view: View) -> Instant | None:
        """Since when the subject waits; None: it does not."""
        start, to = view.summaries.get(self.key) or (None, None)
        if start is None or (to is not None and tuple(to) > tuple(start)):
            return None
        since: Instant = start[0]
        return since

    def met(self, view: View, now: Instant) -> bool:
        return self.answer(view, now)[0]

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        wait, since = self.wait_us, self.waiting(view)
        if wait is None or since is None:
            return False, None
        late = now - since > wait
        return late, None if late else since + wait + 1

    # -- in columns -------------------------------------------------------------------------------------

    def columnar(self, columns: Columns) -> Flags:
        wait = self.wait_us
        if wait is None:
            return np.zeros(len(columns.subjects), np.bool_)
        (start, start_seq), (to, to_seq) = (
            latest(columns.matches(match.names, test), len(columns.subjects))
            for match, test in zip((self.way.start, self.way.to), self._tests, strict=True)
        )
        gone = (to > start) | ((to == start) & (to_seq > start_seq))
        flags: Flags = (start > NEVER) & ~gone & (columns.at - start > wait)
        return flags

    def leaves(self) -> Iterator[Leaf]:
        yield self


def _later(one: Mark | None, other: Mark | None) -> Mark | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=tuple)
