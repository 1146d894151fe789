"""Asking bucket by bucket: the same kernel over each, in threads, and what they find added up."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hark.history.reader import Snapshot

P = TypeVar("P")


def over_buckets(snapshot: Snapshot, one: Callable[[int], P]) -> list[P]:
    """`one(bucket)` for every bucket, as many at once as there are cores (kernels let go of the GIL)."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, range(snapshot.buckets)))
