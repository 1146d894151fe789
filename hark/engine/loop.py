"""The loop: read, fold, commit, hand off. One thread; one transaction a tick."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hark.clock import Clock
from hark.engine.erase import SMALL_BYTES
from hark.engine.gather import changed, gathered
from hark.engine.handoff import Deliver
from hark.engine.intake import Intake, Taken
from hark.engine.messages import Messages
from hark.engine.parts import Parts
from hark.engine.sealing import Sealing
from hark.errors import HarkError
from hark.model import GROUPS, SECOND
from hark.settings import Settings
from hark.store.state import StorageError
from hark.store.vitals import Pulse

IDLE_S, RESTING_S = 0.004, 0.02
"""How long an idle engine sleeps before it looks at the log again; longer, step by step, if nothing comes."""
TICK_S = 0.15
"""How long a tick should take; its size follows from how long the last ones took."""
FEWEST, MOST = 2_000, 16_384
"""Bounds of a tick's events."""
MANY = 250
SPACING_S = 0.05
"""A tick of many events is followed by the next no sooner than this, so that a commit serves more of them;
unless more wait already than fit in one."""
TIMERS = 2_000
"""Timers fired in one tick, at most."""
SWITCH_S = 0.0005
"""How long the loop waits for the interpreter at most (the default is 5 ms) while deliverers render: it lets
go of it at each call of SQLite."""
EX_TEMPFAIL = 75
"""Exit code that means: try again a little later."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Cycles are looked for rarely meanwhile: records and events are many, live long and are in none."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def telling(pulse: Pulse) -> Iterator[None]:
    """Says what ends the engine to whoever asks whether the server is ready, also when it could not start.

    Where SQLite cannot write (full disk) the process ends for a later start.
    """
    try:
        yield
    except StorageError as error:
        problem = HarkError(f"the state can't be written: {error}", "free some space", "state.full")
        sys.stderr.write(f"{problem}\n")
        pulse.failed(str(problem))
        raise SystemExit(EX_TEMPFAIL) from error
    except Exception as error:
        pulse.failed(f"{type(error).__name__}: {error}")
        raise


class Engine:
    """The engine of one data directory; the caller holds its lock. Not for two threads."""

    def __init__(
        self, data: Path, clock: Clock, deliver: Deliver | None = None, settings: Settings | None = None
    ) -> None:
        """Without `deliver` nothing is handed off; all else goes on.

        Raises HarkError: `epoch.differs` (state and log are not of one directory), `cursor.past-end` (the
        log lost rows the state has), `log.missing`.
        """
        settings = settings or Settings()
        self._clock = clock
        self._parts = parts = Parts(data, settings, clock)
        self._intake = Intake(parts.log, parts.state.cursors(), clock)
        self._messages = Messages(
            parts.state,
            parts.folder,
            parts.resolver.ids,
            deliver,
            parts.copies,
            parts.whose,
            parts.endings,
            settings.deliver_threads,
        )
        self._sealing = Sealing(
            parts.waiting, parts.seal, parts.compact, parts.erasing.wanted, clock, settings
        )
        self._time = self._saved_time = parts.state.engine_time()
        self._budget = FEWEST
        self._pulse = Pulse(data)
        self._folded = 0
        """Events and facts since the process began."""
        self._pause_s = 0.0
        """How long the tick before leaves time to gather more."""
        self._late = False
        """Timers wait that are due by the engine's time: it is not written down until they have fired."""
        self._messages.abandon(self._time)
        self._commit(Taken(until=self._time))

    def run(self, stop: threading.Event) -> None:
        """Ticks until `stop` is set, then lets the deliverers finish and takes their outcomes.

        Ends the process for a later start where SQLite cannot write (full disk).
        """
        gc.freeze()
        sys.setswitchinterval(SWITCH_S)
        with telling(self._pulse), seldom_collecting():
            idle_s = IDLE_S
            while not stop.is_set():
                began = time.perf_counter()
                worked = self.tick()
                took_s = time.perf_counter() - began if worked else None
                self._pulse.ticked(took_s, self._folded, self._sealing.failure, self._parts.fence.closed)
                idle_s = IDLE_S if worked else min(RESTING_S, idle_s * 1.2)
                pause_s = self._pause_s if worked else idle_s
                if pause_s > 0:
                    stop.wait(pause_s)
            self.close()

    def catch_up(self) -> None:
        """Folds all there is in the log and fires what is due, then returns with everything closed."""
        with seldom_collecting():
            while self.tick():
                pass
        self.close(None)

    def close(self, clean_bytes: int | None = SMALL_BYTES) -> None:
        """Ends in order: outcomes that come within a few seconds are kept, a running seal is finished, the
        files are cleaned of who was erased if they have no more than `clean_bytes`."""
        self._messages.close()
        self._messages.outcomes(self._time)
        self._commit(Taken(), self._sealing.close())
        self._parts.erasing.end(clean_bytes)
        self._parts.erasing.finish()
        self._commit(Taken())
        self._parts.close()

    def abort(self) -> None:
        """Lets go of the files without another word: what a crash leaves, for tests of the next start."""
        self._parts.close()

    def tick(self, budget: int | None = None) -> bool:
        """One round of about `budget` events (else as many as the last rounds' speed tells).

        Whether there was anything to do. When it returns all of it is on disk.
        """
        began = time.perf_counter()
        taken = self._intake.take(budget or self._budget)
        self._parts.erasing.finish()
        self._parts.state.begin()
        self._parts.rows.fold(taken.rows)
        told = self._parts.groups.advance()
        filled = [one.advance() for one in self._parts.backfills]
        self._time = max(self._time, self._parts.groups.until(taken.until))
        heard = self._messages.outcomes(self._time)
        fired = self._timers()
        rate_per_s = 0.0 if self._parts.fence.closed else self._parts.definitions.rate_per_s
        asked = self._messages.due(self._time, time.monotonic(), rate_per_s) if rate_per_s else 0
        self._parts.judge(self._time)
        events = len(self._parts.folder.events)
        self._commit(taken)
        self._folded += events
        self._messages.dispatch()
        self._resize(events, time.perf_counter() - began)
        return bool(taken.rows or told or any(filled) or heard or fired or asked)

    def _timers(self) -> int:
        """Fires what is due by the engine's time, earliest first, and groups' before that of customers, to
        whom they may have something to say; how many."""
        armed = self._parts.state.armed(self._time, TIMERS)
        self._parts.folder.records.expect(armed)
        due = dict.fromkeys([*armed, *self._parts.records.due(self._time)])
        for subject in sorted(due, key=lambda one: one < GROUPS):
            self._parts.folder.timers(subject, self._time)
        self._late = len(armed) == TIMERS
        return len(armed)

    def _commit(self, taken: Taken, sealed: int | None = None) -> None:
        """Everything of this tick in one transaction; nothing at all if nothing happened."""
        parts = self._parts
        changes = gathered(parts, taken)
        changes.endings = parts.endings.take()
        changes.sealed = sealed or self._sealing.poll()
        changes.sealed_cursors = parts.sealed_cursors if changes.sealed else {}
        if self._time - self._saved_time >= SECOND or changed(changes):
            changes.engine_time = None if self._late else self._time
            parts.state.commit(changes)
            self._saved_time = changes.engine_time or self._saved_time
            self._sealing.committed(changes.chunk.events if changes.chunk else 0, changes.sealed is not None)
        else:
            parts.state.rest()
        parts.folder.clear()

    def _resize(self, events: int, took_s: float) -> None:
        """The next tick's budget: what would have taken TICK_S, at most twice the last one's; and the pause
        before it."""
        self._pause_s = SPACING_S - took_s if MANY <= events < self._budget else 0.0
        if events >= self._budget // 2:
            ideal = int(events * TICK_S / max(took_s, 1e-6))
            self._budget = max(FEWEST, min(MOST, ideal, 2 * self._budget))
