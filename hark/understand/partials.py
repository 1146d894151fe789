"""Asking bucket by bucket: the same kernel over each, in threads, and what they find added up."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Protocol, TypeVar

P = TypeVar("P")


class Buckets(Protocol):
    """A history in parts, each with all events of its subjects."""

    @property
    def buckets(self) -> int: ...


Watch = Callable[[int, int], None]
"""Told after each bucket how many of how many are done; raises HarkError to end the question."""

watching: ContextVar[Watch] = ContextVar("watching", default=lambda _done, _all: None)
"""Who watches the question that is being answered in this context."""


def over_buckets(history: Buckets, one: Callable[[int], P]) -> list[P]:
    """`one(bucket)` for every bucket, as many at once as there are cores (kernels let go of the GIL)."""
    watch, found = watching.get(), []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for done, part in enumerate(pool.map(one, range(history.buckets)), start=1):
            found.append(part)
            watch(done, history.buckets)
    finally:
        pool.shutdown(cancel_futures=True)
    return found
