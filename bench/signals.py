"""Grading 200 events over 10M events of 500k customers, limit 20 s: `python -m bench.signals [EVENTS]`.

Over sizes spanning 100x, beside the time to read the same columns once. Fixed seed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from time import perf_counter

import numpy as np

from hark.history.runs import Run
from hark.learn.signals.grade import ask_signals
from hark.model import DAY, Instant

SEED = 20260301
EVENTS, PER_CUSTOMER, NAMES, BUCKETS = 10_000_000, 20, 200, 16
START: Instant = 1_772_000_000_000_000


class Made:
    """A history made in memory, in sorted runs by bucket, as a snapshot gives it."""

    def __init__(self, events: int) -> None:
        self.buckets, chance = BUCKETS, np.random.default_rng(SEED)
        self._runs = [_run(chance, events // BUCKETS, bucket) for bucket in range(BUCKETS)]

    def runs(
        self,
        bucket: int,
        _names: Collection[str] | None = None,
        _properties: bool = False,
        _values: object = None,
    ) -> list[Run]:
        return [self._runs[bucket]]


def _run(chance: np.random.Generator, events: int, bucket: int) -> Run:
    customers = max(events // PER_CUSTOMER, 1)
    subject = np.sort(chance.integers(0, customers, events)) * BUCKETS + bucket
    at = START + chance.integers(0, 90 * DAY, events)
    order = np.lexsort((at, subject))
    code = chance.integers(0, NAMES, events).astype(np.int32)
    names, everything = tuple(f"Event {n}" for n in range(NAMES)), np.array([[0, events]], np.int64)
    return Run(names, subject, at[order], np.arange(events), code, np.ones(events, np.bool_), everything)


def main(most: int) -> None:
    for events in (most // 100, most // 10, most):
        made = Made(events)
        began = perf_counter()
        runs = [run for bucket in range(BUCKETS) for run in made.runs(bucket)]
        read = sum(int(run.at.sum() + run.code.sum()) for run in runs)
        reading, began = perf_counter() - began, perf_counter()
        found = ask_signals(made, START + 100 * DAY)  # type: ignore[arg-type]
        seconds = perf_counter() - began
        told = {"events": events, "graded": len(found.signals), "seconds": round(seconds, 2),
                "times_a_read": round(seconds / reading, 1), "sum": read % 10}  # fmt: skip
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
