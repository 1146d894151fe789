"""Reading the log: urgent rows first, then live, then bulk; a little ahead, so that ticks have any size."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from hark.clock import Clock
from hark.collect.formats import size
from hark.model import Instant, Lane
from hark.store.contracts import Row

URGENT_ROWS = 1_000
READ_AHEAD_BYTES = 4 << 20
FIRST_ROWS = 64
COMMAND = "command"


class Log(Protocol):
    """What of `contracts.LogReader` is read here."""

    def read(self, lane: Lane, after: int, limit: int) -> list[Row]: ...

    def first_unread(self, lane: Lane, after: int) -> Instant | None: ...


class Taken(Struct, frozen=True):
    """Rows of one tick in the order in which they are folded, and what is known by the end of them."""

    rows: Sequence[Row] = ()
    cursors: dict[Lane, int] = {}
    """Where each lane stands once these rows are folded."""
    until: Instant = 0
    """No row that is not among them arrived before this moment: timers up to it may fire."""


class Intake:
    """Hands out rows. Holds read rows in memory only; the cursor in the state is what counts."""

    def __init__(self, log: Log, cursors: dict[Lane, int], clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._lanes = {lane: _Ahead(log, lane, cursors.get(lane, 0)) for lane in Lane}

    def take(self, budget: int) -> Taken:
        """About `budget` events: all urgent rows (bounded), then live, then bulk with what is left.

        A command is taken alone: what it asks of the past stands in the state by then, whole.
        """
        now = self._clock.now()
        before = {lane: ahead.cursor for lane, ahead in self._lanes.items()}
        rows = self._lanes[Lane.URGENT].take(URGENT_ROWS)
        if not (rows and rows[-1].kind == COMMAND):
            for lane in (Lane.LIVE, Lane.BULK):
                more = self._lanes[lane].take(budget)
                rows += more
                budget -= sum(map(size, more))
        moved = {lane: ahead.cursor for lane, ahead in self._lanes.items() if ahead.cursor != before[lane]}
        return Taken(rows, moved, self._until(now))

    def _until(self, now: Instant) -> Instant:
        """The wall clock before reading, but before the arrival of the first unread live row: at one
        instant events precede timers."""
        unread = self._lanes[Lane.LIVE].first_unread()
        return now if unread is None else min(now, unread - 1)


class _Ahead:
    """One lane: the cursor, and rows read but not yet handed out."""

    def __init__(self, log: Log, lane: Lane, cursor: int) -> None:
        self._log = log
        self._lane = lane
        self._rows: deque[Row] = deque()
        self._limit = FIRST_ROWS
        self.cursor = cursor

    def take(self, budget: int) -> list[Row]:
        """Rows of about `budget` events, at least one if there is one and any budget."""
        taken: list[Row] = []
        while budget > 0 and (self._rows or self._fill()):
            if taken and COMMAND in (taken[-1].kind, self._rows[0].kind):
                break
            row = self._rows.popleft()
            self.cursor = row.seq
            taken.append(row)
            budget -= size(row)
        return taken

    def first_unread(self) -> Instant | None:
        if self._rows:
            return self._rows[0].received_at
        return self._log.first_unread(self._lane, self.cursor)

    def _fill(self) -> bool:
        rows = self._log.read(self._lane, self.cursor, self._limit)
        self._rows.extend(rows)
        if rows:
            each = sum(len(row.body) for row in rows) / len(rows)
            self._limit = int(min(4_096, max(4, READ_AHEAD_BYTES / max(1.0, each))))
        return bool(rows)
