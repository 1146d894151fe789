"""Keeping the counts: a background task of the collect process writes what is new, about once a second."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

from hark.collect.counts import ACCEPTED, Counts, Store
from hark.collect.formats import has_calls, split
from hark.errors import HarkError
from hark.model import HOUR, Lane
from hark.store.contracts import Counted, LogReader, Reject

EVERY_S = 1.0
PAGE = 256
"""Rows read at once when the log is counted."""


class Keeper:
    """Writes new counts to a store. `uncounted` is asked once, in a thread: what an earlier process left."""

    def __init__(self, counts: Counts, store: Store, uncounted: Callable[[], Counted]) -> None:
        self._counts = counts
        self._store = store
        self._uncounted = uncounted
        self._ready = False

    async def run(self) -> None:
        """Go on until cancelled. A store that fails is tried again; the counts stay in memory."""
        self._counts.found(await asyncio.to_thread(self._uncounted))
        self._ready = True
        while True:
            with suppress(HarkError):
                await asyncio.to_thread(self.keep)
            await asyncio.sleep(EVERY_S)

    def keep(self) -> None:
        """Write what is new; nothing while an earlier process's calls are still being counted."""
        taken = self._counts.take() if self._ready else None
        if taken is None:
            return
        try:
            self._store.add(*taken)
        except HarkError:
            self._counts.give_back(taken[0])
            raise


def count_rows(log: LogReader, after: int, end: int) -> Counted:
    """The accepted calls of the rows after one place of the log, up to another."""
    counted: Counter[tuple[str, int, str]] = Counter()
    for lane in Lane:
        at = after
        while rows := [row for row in log.read(lane, at, PAGE) if row.seq <= end]:
            for row in rows:
                if has_calls(row.kind):
                    counted[row.source, row.received_at // HOUR, ACCEPTED] += len(split(row))
            at = rows[-1].seq
    return +counted


def count_rejects(rejects: Iterable[Reject]) -> Counted:
    """Entries of the reject log, by source, hour and reason."""
    return Counter((one.source, one.received_at // HOUR, one.reason) for one in rejects)
