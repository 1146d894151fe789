"""A provider of messages that misbehaves as the seed has it, the same for the same message and attempt."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from hark.model import DAY, HOUR, MINUTE, Outcome
from hark.store.contracts import OutboxRow
from tests.simulate.nouns import Moved


class Handed(NamedTuple):
    """A message as the provider saw it."""

    message: str
    subject: int
    at: int
    content: dict[str, Any]
    accepted: bool
    """Or maybe: it was not refused."""


class Provider:
    """Stands where the engine has its deliverer threads: answers come when asked, some late, some never."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked = 0
        self._answers: list[tuple[int, Outcome]] = []
        self.handed: list[Handed] = []
        self.reports: list[tuple[int, dict[str, Any]]] = []
        """(when, body) of what will be reported by a webhook."""
        self.answered: list[Moved] = []
        """What the engine was told since this was last emptied."""
        self.in_flight = 0

    def room(self) -> int:
        """However many come."""
        return 1 << 30

    def put(self, row: OutboxRow) -> None:
        """Takes a message: accepts it, refuses it for now or for good, or hangs with it."""
        tried = sum(one.message == row.message for one in self.handed)
        chance = random.Random(f"{self._seed}/{row.message}/{tried}")
        state, more = _fate(chance.random())
        self.handed.append(Handed(row.message, row.subject, row.updated_at, row.content, state != "failed"))
        if state:
            said = Outcome(row.subject, 0, row.message, state, "said so", **more)
            self._answers.append((self._asked + chance.choice([1, 1, 1, 2, 4]), said))
        if state in ("sent", "unknown", ""):
            self._report(row, chance)

    def outcomes(self) -> list[Outcome]:
        """The answers that have come by now."""
        self._asked += 1
        found = [said for when, said in self._answers if when <= self._asked]
        self._answers = [one for one in self._answers if one[0] > self._asked]
        self.answered += [_moved(one) for one in found]
        return found

    def close(self) -> None:
        """Nothing is left running."""

    def cut(self) -> None:
        """The engine has ended: whatever it was still to be told is lost."""
        self._answers.clear()
        self.answered.clear()

    def due(self, now: int) -> list[dict[str, Any]]:
        """What is reported by a moment."""
        found = [body for when, body in self.reports if when <= now]
        self.reports = [one for one in self.reports if one[0] > now]
        return found

    def _report(self, row: OutboxRow, chance: random.Random) -> None:
        """Delivered, bounced, complained: late, repeated and out of order."""
        if chance.random() > 0.4:
            return
        for what in chance.choices(["delivered", "delivered", "bounced", "complained"], [20, 20, 2, 1], k=2):
            body = {
                "message": row.message,
                "what": what,
                "permanent": chance.random() < 0.5,
                "provider": "sim",
            }
            self.reports.append((row.updated_at + chance.choice([0, MINUTE, 3 * HOUR, 2 * DAY]), body))


def _fate(u: float) -> tuple[str, dict[str, Any]]:
    """What becomes of a message; "": it hangs after it was accepted."""
    fates: list[tuple[float, str, dict[str, Any]]] = [
        (0.70, "sent", {}),
        (0.78, "failed", {"temporary": True}),
        (0.82, "failed", {"temporary": True, "retry_after_us": 3 * HOUR}),
        (0.86, "failed", {"permanent": True}),
        (0.89, "failed", {}),
        (0.95, "unknown", {}),
        (1.00, "", {}),
    ]
    return next((state, more) for end, state, more in fates if u < end)


def _moved(one: Outcome) -> Moved:
    return Moved(one.message, one.state, one.permanent, one.temporary, one.retry_after_us or 0)
