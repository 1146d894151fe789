"""Asking bucket by bucket: the same kernel over each, in threads, and what they find added up."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import Protocol, TypeVar

from hark.history.watching import watching

P = TypeVar("P")


class Buckets(Protocol):
    """A history in parts, each with all events of its subjects."""

    @property
    def buckets(self) -> int: ...


def over_buckets(history: Buckets, one: Callable[[int], P]) -> list[P]:
    """`one(bucket)` for every bucket, as many at once as there are cores (kernels let go of the GIL).

    Whoever watches is told after each; the first that fails ends the others that have not begun.
    """
    watch, pool = watching.get(), ThreadPoolExecutor(os.cpu_count())
    try:
        asked = [pool.submit(copy_context().run, one, bucket) for bucket in range(history.buckets)]
        for done, part in enumerate(as_completed(asked), start=1):
            part.result()
            watch.bucket(done, history.buckets)
        return [part.result() for part in asked]
    finally:
        pool.shutdown(cancel_futures=True)
