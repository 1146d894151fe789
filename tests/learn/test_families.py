"""Several comparisons at once, against statsmodels and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from hark.learn.aggregates import Sums
from hark.learn.families import against_control, discovered, p_value


def test_the_p_value_is_the_pooled_z_test() -> None:
    """Equal to statsmodels, for Cookie Cats' second day among others (p = .0016)."""
    for ours, others in [(Sums(45489, 8279), Sums(44700, 8502)), (Sums(100, 3), Sums(50, 4))]:
        counts, sizes = [ours.goals, others.goals], [ours.subjects, others.subjects]
        assert p_value(ours, others) == pytest.approx(proportions_ztest(counts, sizes)[1], rel=1e-9)
    assert p_value(Sums(45489, 8279), Sums(44700, 8502)) == pytest.approx(0.0016, abs=5e-5)
    assert p_value(Sums(10, 0), Sums(10, 0)) is None


def test_false_discoveries_are_controlled_as_statsmodels_does() -> None:
    """Benjamini and Hochberg on 200 random families of p-values."""
    chance = np.random.default_rng(1)
    for _ in range(200):
        p = np.where(chance.random(12) < 0.4, chance.random(12) / 100, chance.random(12))
        expected = multipletests(p, 0.05, method="fdr_bh")[0]
        found = discovered({str(n): float(one) for n, one in enumerate(p)})
        assert found == {str(n) for n in np.flatnonzero(expected)}


def test_all_variants_intervals_hold_together() -> None:
    """With four variants that do nothing, all four intervals contain 0 in 94 % of 3,000 simulations."""
    chance, held = np.random.default_rng(1), 0
    for _ in range(3000):
        goals = chance.binomial(1000, 0.1, 5).tolist()
        arms = {str(n): Sums(1000, one) for n, one in enumerate(goals[:4])}
        held += all(0.0 in one for one in against_control(arms, Sums(1000, goals[4])).values() if one)
    assert held / 3000 >= 0.94
