"""A key's rate: a bucket of one second's requests that refills all the time."""

from __future__ import annotations

import math

from hark.model import SECOND, Instant


class Rate:
    """Whether each key may go on; `per_s` requests a second where nothing else is said, 0 for no limit."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._buckets: dict[str, tuple[float, Instant]] = {}

    def wait_s(self, key: str, now: Instant, own_per_s: float | None = None) -> int:
        """0: the request is allowed, and counted; else the whole seconds until one is.

        `own_per_s` is the rate of this key; None: the common one.
        """
        per_s = self._per_s if own_per_s is None else own_per_s
        if not per_s:
            return 0
        most = max(1.0, per_s)
        level, since = self._buckets.get(key, (most, now))
        level = min(most, level + max(0, now - since) / SECOND * per_s)
        if level < 1:
            self._buckets[key] = (level, now)
            return math.ceil((1 - level) / per_s)
        self._buckets[key] = (level - 1, now)
        return 0
