"""A short share of `bench.coverage`, with the same fixed seed."""

import numpy as np
import pytest

from bench.coverage import RATES, SEED, VALUES, Rates, Values, of_rates, of_values

RATE_SIMULATIONS, VALUE_SIMULATIONS = 4_000, 1_000


@pytest.mark.parametrize("one", RATES, ids=str)
def test_newcombes_interval_contains_the_truth_as_often_as_it_says(one: Rates) -> None:
    """At least 94 % of intervals hold the true difference, from rates of 0.5 % to 60 %."""
    found = of_rates(one, RATE_SIMULATIONS, np.random.default_rng(SEED))
    assert 0.94 <= found.coverage < 0.985


@pytest.mark.parametrize("one", VALUES[:3], ids=str)
def test_welchs_interval_contains_the_truth_with_heavy_tails(one: Values) -> None:
    """The same for values that few people have and that are heavy-tailed."""
    found = of_values(one, VALUE_SIMULATIONS, np.random.default_rng(SEED))
    assert 0.94 <= found.coverage < 0.98
