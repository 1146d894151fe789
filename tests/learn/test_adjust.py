"""Adjustment by what was known before: against tea-tasting, theory, and where there is nothing to gain."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import numpy.typing as npt
import pytest
from tea_tasting.aggr import Aggregates
from tea_tasting.metrics import Mean

from hark.learn.adjust import CrossSums, adjusted
from hark.learn.aggregates import Sums
from hark.learn.compare import welch
from tests.data import shared

Floats = npt.NDArray[np.float64]


def sums(y: Floats, x: Floats) -> CrossSums:
    return CrossSums(len(y), *(float(one.sum()) for one in (y, y * y, x, x * x, x * y)))


def plain_sums(y: Floats) -> Sums:
    return Sums(len(y), 0, float(y.sum()), float((y * y).sum()))


def drawn(chance: np.random.Generator, rho: float, people: int = 20_000) -> tuple[Floats, Floats]:
    """Outcomes and covariates that correlate by rho."""
    x = chance.normal(5, 2, people)
    return 3 + rho * (x - 5) / 2 + np.sqrt(1 - rho**2) * chance.normal(0, 1, people), x


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7])
def test_it_removes_rho_squared_of_the_variance(rho: float) -> None:
    """The interval's width squared shrinks by rho squared, to 5 % of what stays; the truth stays inside."""
    chance = np.random.default_rng(1)
    (ours, before), (others, before_2) = drawn(chance, rho), drawn(chance, rho)
    found = adjusted(sums(ours + 0.1, before), sums(others, before_2))
    plain = welch(plain_sums(ours + 0.1), plain_sums(others))
    assert found is not None
    assert plain is not None
    shrunk = ((found.lift.high - found.lift.low) / (plain.high - plain.low)) ** 2
    assert shrunk == pytest.approx(1 - rho**2, rel=0.05)
    assert found.removed == pytest.approx(rho**2, abs=0.02)
    assert 0.1 in found.lift


def aggregates(y: Floats, x: Floats) -> Aggregates:
    means, variances = {"y": y.mean(), "x": x.mean()}, {"y": y.var(ddof=1), "x": x.var(ddof=1)}
    both = {("x", "y"): float(np.cov(x, y)[0, 1])}
    return Aggregates(count_=len(y), mean_=means, var_=variances, cov_=both)


def test_it_is_what_tea_tasting_computes() -> None:
    """The same estimate, and the same interval to a thousandth of its width."""
    chance = np.random.default_rng(2)
    arms = [drawn(chance, 0.6, 3000) for _ in range(2)]
    found = adjusted(sums(*arms[0]), sums(*arms[1]))
    told = [aggregates(*arm) for arm in arms]
    theirs = Mean("y", covariate="x", equal_var=False, use_t=True).analyze_aggregates(told[1], told[0])
    assert found is not None
    width = found.lift.high - found.lift.low
    assert found.lift.estimate == pytest.approx(theirs.effect_size, abs=width / 1000)
    assert found.lift.low == pytest.approx(theirs.effect_size_ci_lower, abs=width / 1000)


def test_no_gain_is_claimed_where_the_past_tells_nothing() -> None:
    """Hillstrom's `history` hardly predicts `spend` (r = 0.022): at most 0.1 % of the variance goes."""
    raw = gzip.decompress((shared("hillstrom") / "hillstrom_email_2008.csv.gz").read_bytes())
    arms: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(io.StringIO(raw.decode())):
        arms.setdefault(row["segment"], []).append((float(row["spend"]), float(row["history"])))
    mens, alone = (sums(*np.array(arms[name]).T) for name in ("Mens E-Mail", "No E-Mail"))
    found = adjusted(mens, alone)
    assert found is not None
    assert found.removed <= 0.001
    assert found.lift.estimate == pytest.approx(0.7698, abs=0.02)


def test_nothing_known_before_is_no_adjustment() -> None:
    """With the same past for everybody there is none; with one person in an arm neither."""
    same = sums(np.array([1.0, 2.0]), np.zeros(2))
    assert adjusted(same, same) is None
    assert adjusted(CrossSums(1, 1, 1, 1, 1, 1), same) is None
