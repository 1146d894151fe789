"""A brake on guessing passwords: per address and per account, in the memory of the one process."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from hark.model import MINUTE, Instant

TRIES = 10
WINDOW_US = 5 * MINUTE
REMEMBERED = 10_000


class Throttle:
    """At most TRIES failures in WINDOW_US for each name; the oldest of more than REMEMBERED are forgotten."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[Instant]] = OrderedDict()
        self._lock = Lock()

    def held(self, name: str, now: Instant) -> bool:
        """Whether the name has failed too often to be heard now."""
        with self._lock:
            return len(self._recent(name, now)) >= TRIES

    def failed(self, name: str, now: Instant) -> None:
        with self._lock:
            self._failures[name] = [*self._recent(name, now), now][-TRIES:]
            self._failures.move_to_end(name)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def forget(self, name: str) -> None:
        """After a success."""
        with self._lock:
            self._failures.pop(name, None)

    def _recent(self, name: str, now: Instant) -> list[Instant]:
        return [at for at in self._failures.get(name, []) if at > now - WINDOW_US]
