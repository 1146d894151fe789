"""Intervals that hold at every look: a short share of `bench.anytime`, and what theory says of the width."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bench.anytime import SEED, SETTINGS, Daily, held
from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.compare import wald
from hark.learn.power import detectable

SIMULATIONS = 300


@pytest.mark.parametrize("one", SETTINGS[3:11], ids=str)
def test_the_truth_lies_inside_at_all_of_sixty_looks(one: Daily) -> None:
    """In at least 95 % of campaigns (less 2.5 standard errors of so short a share) no look misleads."""
    assert held(one, SIMULATIONS, np.random.default_rng(SEED)).held >= 0.95 - 2.5 * sqrt(
        0.05 * 0.95 / SIMULATIONS
    )


def test_an_interval_for_one_look_misleads_who_looks_every_day() -> None:
    """The same campaigns seen through a fixed interval: far under 95 %, so the law above can fail."""
    chance, misled = np.random.default_rng(SEED), 0
    for _ in range(SIMULATIONS):
        ours, others = (chance.binomial(200, 0.05, 60).cumsum().tolist() for _ in range(2))
        looks = (wald(Sums(200 * (day + 1), p), Sums(200 * (day + 1), q))
                 for day, (p, q) in enumerate(zip(ours, others, strict=True)))  # fmt: skip
        misled += any(found is not None and found.excludes_zero for found in looks)
    assert misled / SIMULATIONS > 0.2


def test_nothing_is_said_during_the_burn_in() -> None:
    """Under ten goals, or ten without, in an arm there is no interval; values need fifty."""
    assert anytime.rate(Sums(1000, 9), Sums(1000, 50)) is None
    assert anytime.rate(Sums(1000, 991), Sums(1000, 50)) is None
    assert anytime.rate(Sums(1000, 10), Sums(1000, 50)) is not None
    assert anytime.value(Sums(1000, 49, 10.0, 20.0), Sums(1000, 50, 10.0, 20.0)) is None


def test_the_interval_is_tightest_where_it_is_meant_to_be() -> None:
    """At 2,000 people no other tuning gives an interval that is narrower by more than 1 %."""
    arms = Sums(1000, 300), Sums(1000, 200)
    found, fixed = anytime.rate(*arms), wald(*arms)
    assert found is not None
    assert fixed is not None
    error = (fixed.high - fixed.low) / 2 / 1.959964

    def width(log_rho: float) -> float:
        scaled = 2000 * np.exp(2 * log_rho)
        return error * sqrt(2 * (scaled + 1) / scaled * log(sqrt(scaled + 1) / 0.05))

    best = minimize_scalar(width, bounds=(-12, 2), method="bounded")
    assert best.fun <= (found.high - found.low) / 2 <= 1.01 * best.fun


@pytest.mark.parametrize("arms", [(Sums(1000, 300), Sums(1000, 200)), (Sums(900, 50), Sums(300, 12))])
def test_the_p_value_is_where_the_interval_touches_zero(arms: tuple[Sums, Sums]) -> None:
    """At the p-value as the error, the interval with the same tuning ends at 0."""
    p, fixed = anytime.p_value(*arms), wald(*arms)
    assert p is not None and fixed is not None
    error = (fixed.high - fixed.low) / 2 / 1.959964
    scaled = sum(arm.subjects for arm in arms) * (-2 * log(0.05) + log(-2 * log(0.05)) + 1) / 2000
    half = error * sqrt(2 * (scaled + 1) / scaled * log(sqrt(scaled + 1) / p)) if p < 1 else 0.0
    assert half == pytest.approx(fixed.estimate, rel=1e-5) or p == 1.0
    assert anytime.p_value(Sums(10, 1), Sums(10, 1)) is None


PLANS = [(0.1, 4000, 0.2), (0.5, 1500, 0.5), (0.02, 20_000, 0.3)]


@pytest.mark.parametrize(("base", "people", "share"), PLANS)
def test_what_is_said_to_be_detectable_is_found(base: float, people: int, share: float) -> None:
    """Of 800 campaigns of so many people with the smallest rise that is said to be found, 80 % are, within
    5 points; and none is said of a list too small for the burn-in."""
    lift, alone = detectable(base, people, share, anytime.needed), round(people * share)
    assert lift is not None
    chance = np.random.default_rng(4)
    found = [
        anytime.rate(Sums(people - alone, int(chance.binomial(people - alone, base + lift))),
                     Sums(alone, int(chance.binomial(alone, base)))) for _ in range(800)
    ]  # fmt: skip
    assert sum(one is not None and one.low > 0 for one in found) / 800 == pytest.approx(0.8, abs=0.05)
    assert detectable(base, int(9 / base / share), share, anytime.needed) is None


def test_so_many_people_as_said_are_needed() -> None:
    """Of 800 campaigns with as many people as `people_needed` says, 80 % are found, within 5 points."""
    treated, control, chance = 0.15, 0.10, np.random.default_rng(2)
    variance = 2 * (treated * (1 - treated) + control * (1 - control))
    each = anytime.people_needed(variance, treated - control) // 2
    found = [
        anytime.rate(Sums(each, int(chance.binomial(each, treated))),
                     Sums(each, int(chance.binomial(each, control)))) for _ in range(800)
    ]  # fmt: skip
    assert sum(one is not None and one.low > 0 for one in found) / 800 == pytest.approx(0.8, abs=0.05)
