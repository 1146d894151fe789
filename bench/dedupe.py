"""Deduplication of message ids with a full window: ids/s, and bytes an id in memory.

    python -m bench.dedupe [--ids N]

Ids arrive evenly over 24 hours in ticks of 2,000, so that they stand in all the buckets of the window; then
`fresh` is measured, in processor time, as the engine calls it, with making the fingerprints: four new ids for
each repetition. At N ids (10M) and at a tenth of them: the rate must be 100,000 ids/s at least, the ratio
0.8, and an id take 40 bytes at most. By turns, medians of 7: other work falls on both alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from itertools import starmap

from hark.history.dedupe import Dedupe, fingerprint
from hark.model import DAY

TICK = 2_000
TICKS, ROUNDS = 25, 7


def filled(ids: int) -> Dedupe:
    """A window with so many ids, spread over its 24 hours."""
    dedupe, ticks = Dedupe(), ids // TICK
    for tick in range(ticks):
        dedupe.fresh(prints(range(tick * TICK, tick * TICK + TICK)), DAY * tick // ticks)
        dedupe.take()
    return dedupe


def prints(numbers: range | list[int]) -> list[bytes]:
    return list(starmap(fingerprint, [("shop", f"1b5f9c1e-{number}") for number in numbers]))


def asked(ids: int, batch: int) -> list[tuple[str, str]]:
    """A tick's ids: of five one that is known, the others new."""
    begin = ids + batch * TICK
    numbers = [number * 7919 % ids if number % 5 == 0 else begin + number for number in range(TICK)]
    return [("shop", f"1b5f9c1e-{number}") for number in numbers]


def rate(dedupe: Dedupe, ids: int, turn: int) -> float:
    """Ids a second over some ticks at the end of the window."""
    ticks = [asked(ids, turn * TICKS + tick) for tick in range(TICKS)]
    begin = time.process_time()
    for tick in ticks:
        dedupe.fresh(list(starmap(fingerprint, tick)), DAY)
    spent = time.process_time() - begin
    dedupe.take()
    return TICK * TICKS / spent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ids", type=int, default=10_000_000)
    given = parser.parse_args()
    sizes = (given.ids // 10, given.ids)
    windows = {ids: filled(ids) for ids in sizes}
    memory = {ids: window.bytes / len(window) for ids, window in windows.items()}
    rates: dict[int, list[float]] = {ids: [] for ids in sizes}
    for turn in range(ROUNDS):
        for ids, window in windows.items():
            rates[ids].append(rate(window, ids, turn))
    few, many = (statistics.median(rates[ids]) for ids in sizes)
    ratio = statistics.median(b / a for a, b in zip(*rates.values(), strict=True))
    found = {
        "ids": list(sizes),
        "ids_per_s": [round(few), round(many)],
        "limit_ids_per_s": 100_000,
        "ratio": round(ratio, 2),
        "limit_ratio": 0.8,
        "bytes_an_id": [round(memory[ids], 1) for ids in sizes],
        "limit_bytes": 40,
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
