"""Simulated customers: how they begin, and what of it tells that they stay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hark.learn.signals.counts import STRATA, Counted

STRONG, NOISE = 5, 45


def drawn(chance: np.random.Generator, people: int) -> dict[str, Counted]:
    """Counts of fifty events. Who is more active does more of each and stays more; five events add to that.

    Each strong event adds 0.15 to the probability of staying, noise adds nothing beyond being active.
    """
    days = np.minimum(chance.geometric(0.2, people), STRATA)
    often = np.linspace(0.2, 0.6, STRONG + NOISE)
    did = chance.random((people, STRONG + NOISE)) < often * (0.5 + days[:, None] / STRATA)
    order = chance.permutation(STRONG + NOISE)[:STRONG]
    stayed = chance.random(people) < 0.05 + 0.15 * days / STRATA + 0.15 * did[:, order].sum(axis=1)
    part = (chance.random(people) > 1 / 3).astype(int)
    return {
        f"{'strong' if number in order else 'noise'} {number}": _counted(did[:, number], stayed, part, days)
        for number in range(STRONG + NOISE)
    }


Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


def _counted(did: Flags, stayed: Flags, part: Counts, days: Counts) -> Counted:
    cell = part * STRATA + days - 1
    made = [np.bincount(cell[kept], minlength=2 * STRATA).reshape(2, STRATA)
            for kept in (did, did & stayed, ~did, ~did & stayed)]  # fmt: skip
    return Counted(*made)
