"""Several senders of one channel: whose turn it is, who is resting, who is full.

A sender is chosen by weight and the message's id, so that an attempt is repeated at the same one; those of
weight 0 come after all others. A sender that fails by its own fault several times in a row rests for a while
that doubles (a circuit breaker), then one message tries it again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from hark.clock import unit_hash
from hark.definitions.types import Sender
from hark.speak.contract import Verdict

FAILURES = 5
"""In a row, all by the sender's fault, before it rests."""
FIRST_REST_S, LONGEST_REST_S = 15.0, 600.0
BURST_S = 1.0
"""A sender takes at once what it may take in this time; the engine hands over less than that."""


def in_turn(message: str, senders: Sequence[Sender]) -> list[Sender]:
    """The senders in the order in which this message tries them: by weighted rendezvous hashing (Thaler and
    Ravishankar 1998, the weights as in Schindelhauer and Schomaker 2005): each gets its share, and a new one
    takes its own only from the others."""
    return sorted(senders, key=lambda sender: _rank(message, sender), reverse=True)


def _rank(message: str, sender: Sender) -> tuple[float, str]:
    u = unit_hash(f"sender/{sender.name}", message)
    return (sender.weight / -math.log(u or 1e-300) if sender.weight else -1.0), sender.name


class Health(Struct):
    """What one sender's answers say of it; in seconds of the clock."""

    failures: int = 0
    rests_until_s: float = 0.0
    rest_s: float = FIRST_REST_S
    said: str = ""
    """What was said at its last failure."""

    def wait_s(self, now_s: float) -> float:
        """How long the sender still rests. Then one message goes first and the others wait for it."""
        left = self.rests_until_s - now_s
        if left <= 0 and self.failures >= FAILURES:
            self.rests_until_s = now_s + self.rest_s
        return max(0.0, left)

    def heard(self, verdict: Verdict, now_s: float) -> None:
        """Counts an outcome."""
        if verdict.retry_after_s is not None:
            self.said = verdict.detail
            self.rests_until_s = max(self.rests_until_s, now_s + verdict.retry_after_s)
        if not verdict.ours and verdict.state != "unknown":
            self.failures, self.rest_s = 0, FIRST_REST_S
            if verdict.retry_after_s is None:
                self.rests_until_s = 0.0
            return
        self.failures, self.said = self.failures + 1, verdict.detail
        if self.failures >= FAILURES:
            self.rests_until_s = max(self.rests_until_s, now_s + self.rest_s)
            self.rest_s = min(LONGEST_REST_S, self.rest_s * 2)


class Places(Struct):
    """Who may be sent when, at a sender's rate: a place is kept for whoever waits, so that they wait once."""

    rate_per_s: float
    free_at_s: float = -math.inf
    kept: dict[str, float] = field(default_factory=dict)

    def wait_s(self, message: str, now_s: float) -> float:
        """0: now; else the seconds until this message's own place."""
        at = self.kept.pop(message, None)
        if at is None:
            self.free_at_s = max(self.free_at_s, now_s - BURST_S)
            at = self.free_at_s
            self.free_at_s += 1 / self.rate_per_s
        if at <= now_s:
            return 0.0
        self.kept[message] = at
        return at - now_s


class Desk:
    """The health and the places of all senders; shared by the deliverer's threads."""

    def __init__(self) -> None:
        self._health: dict[Sender, Health] = {}
        self._places: dict[Sender, Places] = {}
        self._lock = threading.Lock()

    def ready(self, message: str, senders: Sequence[Sender], now_s: float) -> Iterator[Sender | Verdict]:
        """The senders that may take this message now, in its order; then, if none took it, why."""
        waits: list[tuple[float, bool, str]] = []
        for sender in in_turn(message, senders):
            wait_s, rests, why = self._wait(message, sender, now_s)
            if wait_s == 0.0:
                yield sender
            else:
                waits.append((wait_s, rests, why))
        if waits:
            yield _waiting(*min(waits))

    def heard(self, sender: Sender, verdict: Verdict, now_s: float) -> None:
        with self._lock:
            self._health.setdefault(sender, Health()).heard(verdict, now_s)

    def _wait(self, message: str, sender: Sender, now_s: float) -> tuple[float, bool, str]:
        """Seconds to wait, whether because the sender rests, and the reason in words."""
        with self._lock:
            health = self._health.setdefault(sender, Health())
            rests_s = health.wait_s(now_s)
            if rests_s:
                return rests_s, True, f"sender {sender.name} rests: {health.said}"
            places = self._places.setdefault(sender, Places(sender.rate_per_s))
            why = f"sender {sender.name} takes {sender.rate_per_s:g} a second"
            return places.wait_s(message, now_s), False, why


def _waiting(wait_s: float, rests: bool, why: str) -> Verdict:
    """A rest stands for a failed attempt, so that every outage ends; a place at the rate for none."""
    return Verdict("failed", why, temporary=True, retry_after_s=wait_s, counted=rests)
