"""Group commit: many requests wait, one thread appends them all in one transaction and one fsync.

Under load the next group gathers while the last one is being written, so the fsync is shared by as
many requests as arrive in its time.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from hark.errors import HarkError
from hark.model import Lane
from hark.store.contracts import LogBrokenError, NewRow, Reject

GROUP_BYTES = 8 << 20
WAITING_BYTES = 64 << 20
WAITING = 10_000


class Log(Protocol):
    """What collect needs of the log: a LogWriter that keeps the refused too."""

    ends: dict[Lane, int]

    def append(self, rows: Sequence[NewRow], rejects: Sequence[Reject] = ()) -> list[int]: ...

    def close(self) -> None: ...


Stored: TypeAlias = Callable[[Sequence[NewRow], Sequence[Reject], Sequence[int]], None]


class OverloadError(HarkError):
    """More waits to be written than there is room for."""

    def __init__(self) -> None:
        message = "more events arrive than can be written and read"
        super().__init__(message, "try again soon", "collect.overload")


class _Waiting(Struct):
    rows: Sequence[NewRow]
    rejects: Sequence[Reject]
    bytes: int
    done: asyncio.Future[list[int]]


class Appender:
    """Appends for many coroutines of one event loop at once, in a thread of its own.

    `on_broken` is called on the loop once the log can't be written any more (the process should end);
    `stored` with all that is on disk, in its order; `has_room` says whether a lane takes more.
    """

    def __init__(
        self,
        store: Log,
        on_broken: Callable[[], None],
        waiting: int = WAITING,
        waiting_bytes: int = WAITING_BYTES,
        stored: Stored = lambda *_: None,
        has_room: Callable[[Lane], bool] = lambda _: True,
    ) -> None:
        self._store = store
        self._stored = stored
        self._on_broken = on_broken
        self._most, self._most_bytes = waiting, waiting_bytes
        self._has_room = has_room
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._waiting = self._bytes = 0
        self._thread = threading.Thread(target=self._write, name="log writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> tuple[int, int]:
        """(requests, bytes) that wait to be written."""
        return self._waiting, self._bytes

    async def append(self, rows: Sequence[NewRow], rejects: Sequence[Reject] = ()) -> list[int]:
        """The sequence numbers of the rows, once they are on disk.

        Raises OverloadError at once if too much waits here or for the engine; LogFullError or LogBrokenError
        if nothing was appended.
        """
        size = sum(len(row.body) for row in rows)
        if self._waiting >= self._most or self._bytes + size > self._most_bytes:
            raise OverloadError
        if not all(self._has_room(lane) for lane in {row.lane for row in rows}):
            raise OverloadError
        done: asyncio.Future[list[int]] = self._loop.create_future()
        self._waiting += 1
        self._bytes += size
        self._queue.put(_Waiting(rows, rejects, size, done))
        return await done

    async def close(self) -> None:
        """Write what waits, then end the thread and close the log."""
        self._queue.put(None)
        while self._thread.is_alive():
            await asyncio.sleep(0.01)

    def _write(self) -> None:
        ending = False
        while not ending:
            group, ending = self._gather()
            if group:
                answer, error = self._commit(group)
                self._loop.call_soon_threadsafe(self._answer, group, answer, error)
        self._store.close()

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """What waits now (at least one; blocks until then), and whether the end was asked for."""
        first = self._queue.get()
        group: list[_Waiting] = []
        size = 0
        while first is not None:
            group.append(first)
            size += first.bytes
            if size > GROUP_BYTES:
                return group, False
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Waiting]) -> tuple[list[int], Exception | None]:
        rows = [row for waiting in group for row in waiting.rows]
        rejects = [reject for waiting in group for reject in waiting.rejects]
        try:
            return self._store.append(rows, rejects), None
        except Exception as error:
            return [], error

    def _answer(self, group: list[_Waiting], seqs: list[int], error: Exception | None) -> None:
        start = 0
        for waiting in group:
            self._waiting -= 1
            self._bytes -= waiting.bytes
            end = start + len(waiting.rows)
            if not error:
                self._stored(waiting.rows, waiting.rejects, seqs[start:end])
            if not waiting.done.done():
                if error:
                    waiting.done.set_exception(error)
                else:
                    waiting.done.set_result(seqs[start:end])
            start = end
        if isinstance(error, LogBrokenError):
            self._on_broken()
