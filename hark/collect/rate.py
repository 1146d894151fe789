"""A key's rate: a bucket of one second's requests that refills all the time."""

from __future__ import annotations

import math

from hark.model import SECOND, Instant


class Rate:
    """Whether each key may go on; `per_s` requests a second, 0 for no limit."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s)
        self._buckets: dict[str, tuple[float, Instant]] = {}

    def wait_s(self, key: str, now: Instant) -> int:
        """0: the request is allowed, and counted; else the whole seconds until one is."""
        if not self._per_s:
            return 0
        level, since = self._buckets.get(key, (self._most, now))
        level = min(self._most, level + max(0, now - since) / SECOND * self._per_s)
        if level < 1:
            self._buckets[key] = (level, now)
            return math.ceil((1 - level) / self._per_s)
        self._buckets[key] = (level - 1, now)
        return 0
