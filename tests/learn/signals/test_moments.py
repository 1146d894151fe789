"""Discovery: the way that tells most is found, and to look at many ways makes no finding out of chance."""

from __future__ import annotations

import numpy as np

from hark.learn.signals.beginnings import How
from hark.learn.signals.counts import STRATA, Counted
from hark.learn.signals.moments import HOWS, moments
from tests.learn.signals.simulated import drawn

RUNS = 40


def one(did: tuple[int, int], others: tuple[int, int], before: tuple[int, int]) -> Counted:
    """(customers, who stayed) of the later ones, who did it and did not; and of the earlier who did it."""
    columns = [np.zeros((2, STRATA), np.int64) for _ in range(4)]
    for column, count in zip(columns, (*did, *others), strict=True):
        column[1, 0] = count
    for column, count in zip(columns, (*before, 500, 150), strict=True):
        column[0, 0] = count
    return Counted(*columns)


def test_the_way_is_chosen_by_earlier_customers_alone() -> None:
    """Of two ways the one that told more of the earlier ones is taken, though later ones say the other."""
    once = one((1000, 400), (1000, 300), (500, 160))
    often = one((1000, 380), (1000, 300), (500, 250))
    (found,) = moments({How(): {"A": once}, How(3, 7): {"A": often}})
    assert (found.how, found.says) == (How(3, 7), "A 3 times or more in the first 7 days")
    assert found.signal.adds is not None
    assert round(found.signal.adds.estimate, 3) == 0.08


def test_looking_at_many_ways_finds_no_more_by_chance() -> None:
    """Of 45 events that tell nothing, in six independent ways each, something is found in at most 1 of 20
    runs and chance (binomial: over 5 of 40 happens once in 60)."""
    wrong = 0
    for seed in range(RUNS):
        chance = np.random.default_rng(seed)
        counts = {how: _noise(drawn(chance, 1500)) for how in HOWS}
        wrong += any(one.signal.grade in ("strong", "weak") for one in moments(counts))
    assert wrong <= 5


def _noise(counts: dict[str, Counted]) -> dict[str, Counted]:
    """The 45 that tell nothing, by number."""
    found = [one for name, one in counts.items() if name.startswith("noise")]
    return {f"noise {number}": one for number, one in enumerate(found)}
