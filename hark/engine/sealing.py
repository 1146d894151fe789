"""Sealing `recent` into the history beside the ticks: one thread, one job at a time."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from hark.clock import Clock
from hark.model import SECOND, Instant
from hark.settings import Settings

PAUSE_US = 5 * SECOND
"""After a job that failed (a full disk) the next one begins no sooner."""


class Sealing:
    """Decides when to seal and when to compact."""

    def __init__(
        self,
        waiting: Callable[[], tuple[int, Instant]],
        seal: Callable[[], int],
        compact: Callable[[], None],
        wanted: Callable[[], bool],
        clock: Clock,
        settings: Settings,
    ) -> None:
        """`waiting` gives (events, when the oldest was folded) of `recent`. `seal` writes what waits and
        gives the last chunk's number; it and `compact` run in the thread of this class, also when little
        waits but `wanted` says so."""
        self._count, self._seal, self._compact, self._wanted = waiting, seal, compact, wanted
        self._clock, self._settings = clock, settings
        self._pool = ThreadPoolExecutor(1, "seal")
        self._running: Future[int] | None = None
        self._stopped = threading.Event()
        self._events, self._oldest = waiting()
        self._not_before: Instant = 0
        self.failure = ""
        """Why the last job failed; "" if it did not."""

    def poll(self) -> int | None:
        """Called between ticks; starts sealing when it is time.

        The number of a chunk once all up to it are in the history: then they may be dropped from `recent`.
        """
        done = self._done()
        free = self._running is None and done is None and not self._stopped.is_set()
        if free and self._is_time():
            self._running = self._pool.submit(self._job)
        return done

    def committed(self, events: int, dropped: bool) -> None:
        """A tick's commit added these events to `recent`, and maybe dropped what was sealed."""
        if dropped:
            self._events, self._oldest = self._count()
            return
        if events and not self._events:
            self._oldest = self._clock.now()
        self._events += events

    def close(self) -> int | None:
        """Waits for the job that runs; what it has sealed."""
        self._stopped.set()
        self._pool.shutdown(wait=True)
        return self._done()

    def _is_time(self) -> bool:
        now = self._clock.now()
        if now < self._not_before:
            return False
        age_us = now - self._oldest
        old = self._events > 0 and age_us >= self._settings.seal_age_s * SECOND
        return self._events >= self._settings.seal_events or old or self._wanted()

    def _job(self) -> int:
        sealed = self._seal()
        if not self._stopped.is_set():
            self._compact()
        return sealed

    def _done(self) -> int | None:
        if self._running is None or not self._running.done():
            return None
        finished, self._running = self._running, None
        try:
            sealed = finished.result()
        except Exception as error:  # it is tried again; until then `recent` keeps everything
            traceback.print_exc()
            self.failure = f"{type(error).__name__}: {error}"
            self._not_before = self._clock.now() + PAUSE_US
            return None
        self.failure = ""
        return sealed
