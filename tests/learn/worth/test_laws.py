"""The models of worth recover what drew the customers, and agree with plain integration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import integrate, special, stats

from hark.learn.worth import bgnbd, gamma_gamma
from hark.learn.worth.bgnbd import BGNBD, Purchases
from hark.learn.worth.fit import Fit
from hark.learn.worth.fit import Floats as Grid
from hark.learn.worth.gamma_gamma import GammaGamma, Spend

TRUTH = BGNBD(0.8, 6.0, 1.2, 3.0)
SEEDS = 50
SUITE = 6
"""Of the fifty; all of them in the long loops."""


def drawn(rng: np.random.Generator, model: BGNBD, count: int, weeks: float) -> Purchases:
    """Customers one by one: a rate, a probability of leaving after each purchase, and then what happened."""
    rate, leaving = rng.gamma(model.r, 1 / model.alpha, count), rng.beta(model.a, model.b, count)
    seen = rng.uniform(weeks / 2, weeks, count)
    lives = np.array([_life(rng, *one) for one in zip(rate, leaving, seen, strict=True)], np.float64)
    return Purchases(lives[:, 0], lives[:, 1], seen)


def _life(rng: np.random.Generator, rate: float, leaving: float, seen: float) -> tuple[int, float]:
    repeats, last = 0, 0.0
    while not repeats or rng.random() >= leaving:
        next_ = last + rng.exponential(1 / rate)
        if next_ > seen:
            break
        repeats, last = repeats + 1, next_
    return repeats, last


def distances(fit: Fit, truth: Sequence[float]) -> list[float]:
    """Of the logarithms, in standard errors."""
    errors = np.array(fit.errors) / np.array(fit.parameters)
    return list(np.abs(np.log(fit.parameters) - np.log(truth)) / errors)


def _beyond(seeds: range) -> int:
    """In how many simulations a parameter lies beyond 3 standard errors (by chance: 1 in 100)."""
    truth = (TRUTH.r, TRUTH.alpha, TRUTH.a, TRUTH.b)
    fits = (bgnbd.fit(drawn(np.random.default_rng(seed), TRUTH, 5000, 60))[1] for seed in seeds)
    return sum(max(distances(fit, truth)) >= 3 for fit in fits)


def test_parameters_are_recovered() -> None:
    """Of six simulations of 5,000 customers, at most one has a parameter beyond 3 standard errors."""
    assert _beyond(range(SUITE)) <= 1


@pytest.mark.torture
def test_parameters_are_recovered_in_fifty_simulations() -> None:
    """Of fifty, at most two (binomial, 1 % each: more in 1 of 70 such runs)."""
    assert _beyond(range(SEEDS)) <= 2


def test_the_mean_value_is_recovered() -> None:
    """Gamma-Gamma's parameters lie within 3 standard errors of what drew 5,000 customers' purchases."""
    rng, truth = np.random.default_rng(1), GammaGamma(6.0, 4.0, 15.0)
    repeats = rng.integers(1, 9, 5000).astype(float)
    own = rng.gamma(truth.q, 1 / truth.v, 5000)
    mean = rng.gamma(truth.p * repeats, 1 / own) / repeats
    _, fit = gamma_gamma.fit(Spend(repeats, mean))
    assert max(distances(fit, (truth.p, truth.q, truth.v))) < 3


def _integrated(x: int, last: float, seen: float, of: Callable[[Grid, Grid], Grid]) -> float:
    """The mean of `of(rate, leaving)` counted where alive, over what may have made such a customer.

    By Gauss's quadrature for the two densities: generalised Laguerre for the rate, Jacobi for the leaving.
    """
    nodes, rate_weights = special.roots_genlaguerre(80, TRUTH.r - 1)
    leavings, leaving_weights = special.roots_sh_jacobi(80, TRUTH.a + TRUTH.b - 1, TRUTH.a)
    rate, p = np.meshgrid(nodes / TRUTH.alpha, leavings)
    weights = np.outer(leaving_weights, rate_weights) * rate**x
    alive = weights * (1 - p) ** x * np.exp(-rate * seen)
    gone = weights * p * (1 - p) ** (x - 1) * np.exp(-rate * last) if x else np.zeros_like(rate)
    return float((of(rate, p) * alive).sum() / (alive + gone).sum())


@pytest.mark.parametrize(("x", "last", "seen"), [(0, 0.0, 20.0), (2, 12.0, 30.0), (5, 29.0, 30.0)])
def test_prospects_agree_with_integration_over_rates_and_leavings(x: int, last: float, seen: float) -> None:
    """P(alive) and the purchases of the next 10 weeks equal the integrals which the closed forms solve."""
    one = Purchases(np.array([float(x)]), np.array([last]), np.array([seen]))
    assert TRUTH.alive(one)[0] == pytest.approx(
        _integrated(x, last, seen, lambda rate, _: np.ones_like(rate)), rel=1e-4
    )
    to_come = _integrated(x, last, seen, lambda rate, p: (1 - np.exp(-rate * p * 10)) / p)
    assert TRUTH.expected(one, 10)[0] == pytest.approx(to_come, rel=1e-4)


def test_the_mean_value_agrees_with_integration() -> None:
    """The mean value to come is the posterior mean of p / rate, rate being gamma(q + p x, v + x z)."""
    model = GammaGamma(6.25, 3.74, 15.44)
    shape, scale = model.q + model.p * 3, 1 / (model.v + 3 * 40.0)
    mean = integrate.quad(lambda rate: model.p / rate * stats.gamma.pdf(rate, shape, scale=scale), 0, np.inf)[
        0
    ]
    assert model.expected(Spend(np.array([3.0]), np.array([40.0])))[0] == pytest.approx(mean, rel=1e-6)
