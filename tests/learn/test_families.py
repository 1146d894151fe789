"""Several comparisons at once, against statsmodels and against simulation."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.families import against_control, discovered


def test_false_discoveries_are_controlled_as_statsmodels_does() -> None:
    """Benjamini and Hochberg on 200 random families of p-values."""
    chance = np.random.default_rng(1)
    for _ in range(200):
        p = np.where(chance.random(12) < 0.4, chance.random(12) / 100, chance.random(12))
        expected = multipletests(p, 0.05, method="fdr_bh")[0]
        found = discovered({str(n): float(one) for n, one in enumerate(p)})
        assert found == {str(n) for n in np.flatnonzero(expected)}


def test_all_variants_intervals_hold_together() -> None:
    """Of 500 campaigns with four idle variants, in 95 % all intervals contain 0 at all of ten looks."""
    chance, held = np.random.default_rng(1), 0
    for _ in range(500):
        goals = chance.binomial(300, 0.1, (10, 5)).cumsum(axis=0).tolist()
        looks = [
            against_control({str(n): Sums(300 * (look + 1), one) for n, one in enumerate(row[:4])},
                            Sums(300 * (look + 1), row[4])) for look, row in enumerate(goals)
        ]  # fmt: skip
        held += all(0.0 in one for found in looks for one in found.values() if one)
    assert held / 500 >= 0.95


def test_several_variants_have_wider_intervals_than_one() -> None:
    """Each of m at level .95^(1/m) (Sidak): the same arm beside two others is wider than alone."""
    arms, control = {str(n): Sums(1000, 100) for n in range(3)}, Sums(1000, 90)
    alone, among = against_control({"0": arms["0"]}, control)["0"], against_control(arms, control)["0"]
    assert alone is not None and among is not None
    assert alone == anytime.rate(arms["0"], control)
    assert among == anytime.rate(arms["0"], control, 0.95 ** (1 / 3))
    assert among.high - among.low > alone.high - alone.low
