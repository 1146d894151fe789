"""BG/NBD on a million customers, limit 15 s on two cores: `python -m bench.worth [CUSTOMERS]`.

Fitted, with the probability of being alive and the purchases to come of everybody, over sizes spanning 100x,
beside the time to read the same columns once. Customers are drawn from the model itself, with a fixed seed,
so that the parameters found stand beside the true ones.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter, process_time

import numpy as np

from hark.learn.worth import bgnbd
from hark.learn.worth.bgnbd import BGNBD, Purchases

SEED = 20260301
CUSTOMERS = 1_000_000
TRUE = BGNBD(0.25, 4.4, 0.8, 2.4)
LONGEST_WEEKS = 104.0


def drawn(chance: np.random.Generator, customers: int) -> Purchases:
    """Customers as the model says they live, seen for up to two years."""
    rate = chance.gamma(TRUE.r, 1 / TRUE.alpha, customers)
    leaves = chance.beta(TRUE.a, TRUE.b, customers)
    seen = chance.uniform(1, LONGEST_WEEKS, customers)
    repeats, last, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.arange(customers)
    while len(alive):
        clock[alive] += chance.exponential(1 / rate[alive])
        alive = alive[clock[alive] <= seen[alive]]
        repeats[alive] += 1
        last[alive] = clock[alive]
        alive = alive[chance.random(len(alive)) >= leaves[alive]]
    return Purchases(repeats, last, seen)


def main(most: int) -> None:
    for customers in (most // 100, most // 10, most):
        known = drawn(np.random.default_rng(SEED), customers)
        began = perf_counter()
        read = float(known.repeats.sum() + known.last.sum() + known.seen.sum())
        reading, began, used = perf_counter() - began, perf_counter(), process_time()
        model, found = bgnbd.fit(known)
        fitted = perf_counter() - began
        alive, ahead = float(model.alive(known).sum()), float(model.expected(known, 13).sum())
        seconds = perf_counter() - began
        told = {"customers": customers, "fit_s": round(fitted, 2), "seconds": round(seconds, 2),
                "processor_s": round(process_time() - used, 2),
                "times_a_read": round(seconds / max(reading, 1e-9)), "alive": round(alive),
                "ahead": round(ahead),
                "parameters": [round(one, 3) for one in found.parameters],
                "errors": [round(one, 4) for one in found.errors], "read": round(read)}  # fmt: skip
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
