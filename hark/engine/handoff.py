"""Handing messages to the provider: at its pace, by a few threads, whose outcomes come back as inputs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

from hark.model import Outcome
from hark.store.contracts import OutboxRow

Deliver: TypeAlias = Callable[[OutboxRow], Outcome]

HORIZON_S = 0.5
"""No more is marked *sending* than the provider takes in this time: an unsubscribe is never far behind."""


class Pace:
    """How many messages may be handed over now: a bucket of tokens, refilled at the sender's rate."""

    def __init__(self, horizon_s: float = HORIZON_S) -> None:
        self._horizon_s = horizon_s
        self._tokens = 0.0
        self._at: float | None = None

    def allowed(self, now_s: float, rate_per_s: float, in_flight: int) -> int:
        """Whole messages, so that with those in flight no more wait than the provider takes in the horizon.

        `now_s` is a monotonic clock.
        """
        most = max(1.0, rate_per_s * self._horizon_s)
        passed = self._horizon_s if self._at is None else now_s - self._at
        self._at = now_s
        self._tokens = min(most, self._tokens + passed * rate_per_s)
        return max(0, min(int(self._tokens), int(most) - in_flight))

    def used(self, messages: int) -> None:
        self._tokens -= messages


class Deliverers:
    """A few threads which only call the provider: `put` what is *sending*, `outcomes` come back."""

    def __init__(self, deliver: Deliver, threads: int) -> None:
        self._deliver = deliver
        self._rows: queue.SimpleQueue[OutboxRow | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.in_flight = 0
        self._answered = 0
        """How many outcomes came between two looks, of late."""
        self._threads = [
            threading.Thread(target=self._run, name=f"deliver-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def room(self) -> int:
        """How many more may be put: one for each thread, and twice what they answered between two looks.

        More would only wait for a thread: an unsubscribe would come too late for them, and should the
        engine be killed, nobody would know of them.
        """
        return max(0, len(self._threads) + 2 * self._answered - self.in_flight)

    def put(self, row: OutboxRow) -> None:
        self.in_flight += 1
        self._rows.put(row)

    def outcomes(self) -> list[Outcome]:
        """Those that came since the last call; never waits."""
        found: list[Outcome] = []
        while not self._outcomes.empty():
            found.append(self._outcomes.get())
        self._answered = max(len(found), self._answered // 2)
        self.in_flight -= len(found)
        return found

    def close(self, patience_s: float = 5.0) -> None:
        """Lets the threads finish what they hold; what they don't finish is *sending* at the next start."""
        for _ in self._threads:
            self._rows.put(None)
        for thread in self._threads:
            thread.join(patience_s)

    def _run(self) -> None:
        while (row := self._rows.get()) is not None:
            self._outcomes.put(self._outcome(row))

    def _outcome(self, row: OutboxRow) -> Outcome:
        try:
            return self._deliver(row)
        except Exception as error:  # whatever broke, it may have left: saying so is the only safe answer
            detail = f"{type(error).__name__}: {error}"
            return Outcome(row.subject, 0, row.message, "unknown", detail)
