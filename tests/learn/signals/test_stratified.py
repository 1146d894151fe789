"""Differences within strata, against statsmodels and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from hark.learn.signals.stratified import Floats, difference, p_value


def strata(chance: np.random.Generator, sizes: Floats, base: Floats, adds: float) -> tuple[Floats, ...]:
    exposed = chance.binomial(sizes.astype(int), np.linspace(0.1, 0.6, len(sizes))).astype(float)
    others = sizes - exposed
    cases = chance.binomial(exposed.astype(int), base + adds).astype(float)
    return exposed, cases, others, chance.binomial(others.astype(int), base).astype(float)


def test_the_p_value_is_cochrans_mantels_and_haenszels() -> None:
    """Equal to statsmodels on twenty random sets of strata."""
    chance = np.random.default_rng(1)
    for _ in range(20):
        exposed, cases, others, other_cases = strata(chance, np.full(6, 60.0), np.linspace(0.2, 0.6, 6), 0.1)
        tables = np.array([[cases, exposed - cases], [other_cases, others - other_cases]])
        expected = StratifiedTable(tables).test_null_odds(correction=False).pvalue
        assert p_value(exposed, cases, others, other_cases) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("size", [6, 400], ids=["sparse", "large"])
def test_the_interval_contains_the_truth(size: int) -> None:
    """In 94 to 97 % of 3,000 simulations, whether strata are many and sparse or few and large."""
    chance, held = np.random.default_rng(1), 0
    base = np.linspace(0.2, 0.6, 2400 // size)
    for _ in range(3000):
        found = difference(*strata(chance, np.full(len(base), float(size)), base, 0.1))
        held += found is not None and 0.1 in found
    assert 0.94 <= held / 3000 <= 0.97


def test_a_stratum_without_both_says_nothing() -> None:
    """Where everybody did it, or nobody, there is nothing to compare."""
    none, some = np.zeros(2), np.array([5.0, 3.0])
    assert difference(some, some, none, none) is None
    assert p_value(some, some, none, none) is None
