"""Ratios of means, against Udacity's published answers and against a jackknife."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from statsmodels.stats.descriptivestats import sign_test

from hark.learn.adjust import CrossSums
from hark.learn.aggregates import Sums
from hark.learn.compare import wald
from hark.learn.ratios import difference, ratio, variance
from tests.data import shared

DAYS = 23
"""Enrolments and payments are known of the first 23 days."""


def cross(y: np.ndarray, x: np.ndarray) -> CrossSums:
    return CrossSums(len(y), *(float(one.sum()) for one in (y, y * y, x, x * x, x * y)))


def days(arm: str) -> dict[str, np.ndarray]:
    with (shared("udacity_free_trial") / f"{arm}.csv").open() as file:
        rows = list(csv.DictReader(file))[:DAYS]
    return {name.lower(): np.array([float(row[name]) for row in rows]) for name in list(rows[0])[1:]}


def clicks(arm: dict[str, np.ndarray], metric: str) -> Sums:
    return Sums(int(arm["clicks"].sum()), int(arm[metric].sum()))


def test_the_delta_methods_variance_is_the_jackknifes() -> None:
    """Leaving out one person after the other gives the same variance, to 1 %."""
    chance = np.random.default_rng(5)
    x = 1.0 + chance.poisson(3, 4000)
    y = x * chance.gamma(2, 10, 4000)
    left_out = (y.sum() - y) / (x.sum() - x)
    jackknife = (len(x) - 1) * left_out.var()
    assert variance(cross(y, x)) == pytest.approx(jackknife, rel=0.01)


def test_the_interval_holds_the_true_ratio_in_95_of_100() -> None:
    """1,500 comparisons of order values that go with how often people order: 94 to 96.5 % inside."""
    chance, inside = np.random.default_rng(6), 0
    for _ in range(1500):
        arms = []
        for _arm in range(2):
            x = 1.0 + chance.poisson(2, 300)
            arms.append(cross(x * (10 + x) * chance.gamma(4, 0.25, 300), x))
        found = difference(arms[0], arms[1])
        inside += found is not None and 0 in found
    assert 0.935 <= inside / 1500 <= 0.965


def test_nothing_is_said_without_a_denominator() -> None:
    """No clicks, no ratio; one subject, no variance."""
    assert ratio(CrossSums(5, 3.0, 3.0)) is None
    assert variance(CrossSums(1, 3.0, 9.0, 1.0, 1.0, 3.0)) is None
    assert difference(CrossSums(), CrossSums()) is None


@pytest.mark.parametrize(
    ("metric", "estimate", "low", "high", "up", "p"),
    [
        ("enrollments", -0.02055, -0.02912, -0.01199, 4, 0.0026),
        ("payments", -0.00487, -0.01160, 0.00186, 10, 0.6776),
    ],
)
def test_udacitys_published_differences(
    metric: str, estimate: float, low: float, high: float, up: int, p: float
) -> None:
    """Gross and net conversion with the published interval (clicks as the unit), and the sign test by day.

    The delta method with days as the unit agrees on the estimate to the digit, and its interval lies within
    a third of the published width: days vary a little more than clicks would alone.
    """
    control, trial = days("control"), days("experiment")
    found = wald(clicks(trial, metric), clicks(control, metric))
    by_day = difference(cross(trial[metric], trial["clicks"]), cross(control[metric], control["clicks"]))
    assert found is not None and by_day is not None
    assert (found.estimate, found.low, found.high) == pytest.approx((estimate, low, high), abs=2e-5)
    assert by_day.estimate == pytest.approx(found.estimate, abs=1e-12)
    better = trial[metric] / trial["clicks"] - control[metric] / control["clicks"]
    assert int((better > 0).sum()) == up
    assert sign_test(better)[1] == pytest.approx(p, abs=5e-5)
