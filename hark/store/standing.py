"""How the server stands, seen from outside the engine: what of the log is unread, what is free on disk."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from hark.errors import HarkError
from hark.model import Instant, Lane
from hark.store.log import LogReader
from hark.store.log_files import free_bytes
from hark.store.processes import Process, processes
from hark.store.state_reader import StateReader
from hark.store.vitals import Vitals, read_vitals

SELDOM_S = 10.0
"""The outbox is counted no oftener (it may be long), nor are the processes looked at."""


class Standing(Struct, frozen=True):
    """One look at a data directory."""

    seen_s: float
    """When, in seconds since 1970 by the wall clock."""
    free_bytes: int
    ends: dict[Lane, int]
    """The last row of each lane of the log (0: none)."""
    cursors: dict[Lane, int]
    """The row that the engine has come to."""
    oldest: Instant | None
    """When the first row arrived that the engine has not read, of those that don't wait by design (bulk)."""
    unread_bytes: int
    """About how much of the log on disk the engine has not read."""
    vitals: Vitals | None
    """What the engine last said; None: none has run."""
    outbox: dict[str, int]
    """Messages by state."""
    processes: dict[str, Process]
    """By role."""


class Observer:
    """Looks at a data directory now and then. For one thread."""

    def __init__(self, data: Path) -> None:
        """Raises HarkError `log.missing`."""
        self._data = data
        self._log = LogReader(data / "log")
        self._state = StateReader(data / "state.db")
        self._outbox: dict[str, int] = {}
        self._processes: dict[str, Process] = {}
        self._seldom_at = -SELDOM_S

    def look(self) -> Standing:
        self._look_seldom()
        ends, cursors = self._log.ends(), self._cursors()
        unread = [lane for lane in Lane if ends[lane] > cursors.get(lane, 0)]
        position = min((cursors.get(lane, 0) for lane in unread), default=max(ends.values()))
        return Standing(
            seen_s=time.time(),
            free_bytes=free_bytes(self._data),
            ends=ends,
            cursors=cursors,
            oldest=self._oldest(unread, cursors),
            unread_bytes=self._bytes_after(position, max(ends.values())),
            vitals=read_vitals(self._data),
            outbox=self._outbox,
            processes=self._processes,
        )

    def close(self) -> None:
        self._log.close()
        self._state.close()

    def _cursors(self) -> dict[Lane, int]:
        """None yet where no engine has run."""
        try:
            return self._state.cursors()
        except HarkError:
            return {}

    def _oldest(self, unread: list[Lane], cursors: dict[Lane, int]) -> Instant | None:
        waiting = [lane for lane in unread if lane is not Lane.BULK]
        found = [self._log.first_unread(lane, cursors.get(lane, 0)) for lane in waiting]
        return min((at for at in found if at is not None), default=None)

    def _bytes_after(self, position: int, end: int) -> int:
        """Of each file the share of its rows that stand after the position."""
        files = self._log.sizes()
        stops = [*(start for start, _ in files[1:]), end]
        shares = [
            (size, (stop - max(start, position)) / max(1, stop - start))
            for (start, size), stop in zip(files, stops, strict=True)
        ]
        return int(sum(size * share for size, share in shares if share > 0))

    def _look_seldom(self) -> None:
        if time.monotonic() - self._seldom_at < SELDOM_S:
            return
        self._processes = processes(self._data)
        with suppress(HarkError):
            self._outbox = self._state.outbox_counts()
        self._seldom_at = time.monotonic()
