"""Intervals against published values and an independent library."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from hark.learn.aggregates import Sums, total
from hark.learn.compare import Interval, newcombe, relative, wald, welch, wilson

TABLE_II = [
    # Newcombe (1998), Statistics in Medicine 17, table II, method 10: 1/1, 2/2 ... bounds of p1 - p2.
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]

arms = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def arm(goals: int, subjects: int) -> Sums:
    return Sums(subjects, goals)


def of(values: np.ndarray) -> Sums:
    return Sums(
        len(values),
        int((values > 0).sum()),
        float(values.sum()),
        float((values**2).sum()),
        float(values.max()),
    )


@pytest.mark.parametrize(("ours", "others", "published"), TABLE_II)
def test_newcombe_gives_the_published_bounds(
    ours: tuple[int, int], others: tuple[int, int], published: tuple[float, float]
) -> None:
    """The bounds are those of the paper's table, to its four places."""
    found = newcombe(arm(*ours), arm(*others))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(published, abs=6e-5)


@settings(deadline=None)
@given(arms, arms)
def test_newcombe_equals_an_independent_library(ours: tuple[int, int], others: tuple[int, int]) -> None:
    """For any counts the interval is the one statsmodels computes."""
    found = newcombe(arm(*ours), arm(*others))
    low, high = confint_proportions_2indep(*ours, *others, method="newcomb", compare="diff")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@settings(deadline=None)
@given(arms)
def test_wilson_equals_an_independent_library(one: tuple[int, int]) -> None:
    """For any counts the score interval of one rate is the one statsmodels computes."""
    assert wilson(arm(*one)) == pytest.approx(proportion_confint(*one, method="wilson"), abs=1e-9)


@settings(deadline=None)
@given(arms, arms)
def test_exchanging_the_arms_turns_the_interval_round(ours: tuple[int, int], others: tuple[int, int]) -> None:
    """lift(a, b) = -lift(b, a), bound for bound, and it stays between -1 and 1."""
    one, other = newcombe(arm(*ours), arm(*others)), newcombe(arm(*others), arm(*ours))
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert -1 - 1e-12 <= one.low <= one.estimate <= one.high <= 1 + 1e-12


@settings(deadline=None)
@given(arms, arms)
def test_wald_equals_an_independent_library(ours: tuple[int, int], others: tuple[int, int]) -> None:
    """The textbook interval is the one statsmodels computes, where it clips nothing."""
    found = wald(arm(*ours), arm(*others))
    low, high = confint_proportions_2indep(*ours, *others, method="wald", compare="diff")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_welch_equals_an_independent_library() -> None:
    """From sums alone, the interval is the one statsmodels computes from the rows."""
    chance = np.random.default_rng(5)
    ours, others = chance.lognormal(2, 1, 400) * (chance.random(400) < 0.2), chance.lognormal(2, 1, 250)
    found = welch(of(ours), of(others))
    low, high = CompareMeans(DescrStatsW(ours), DescrStatsW(others)).tconfint_diff(usevar="unequal")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1e4), min_size=1, max_size=20), min_size=1, max_size=5))
def test_sums_of_parts_are_the_sums_of_the_whole(parts: list[list[float]]) -> None:
    """Aggregates add up: it does not matter how subjects are divided among partial results."""
    whole = of(np.array([value for part in parts for value in part]))
    added = total(of(np.array(part)) for part in parts)
    assert (added.subjects, added.goals, added.largest) == (whole.subjects, whole.goals, whole.largest)
    assert added.value == pytest.approx(whole.value)
    assert added.value_squared == pytest.approx(whole.value_squared)


def test_nothing_is_said_of_an_empty_arm() -> None:
    """An arm without people gives no number at all, never a zero."""
    nobody, some = Sums(), Sums(10, 2)
    assert (
        newcombe(some, nobody) is newcombe(nobody, some) is wald(some, nobody) is welch(some, nobody) is None
    )
    assert relative(some, Sums(10, 0)) is None
    assert nobody.rate is nobody.mean is nobody.variance is None


def test_values_without_any_spread_have_no_interval() -> None:
    """Where everybody is worth the same, Welch's interval is not defined and none is given."""
    assert welch(Sums(30, 30, 60.0, 120.0, 2.0), Sums(30, 30, 30.0, 30.0, 1.0)) is None


def test_relative_lift_is_a_share_of_the_controls_rate() -> None:
    """15 % against 10 % is half as much again."""
    assert relative(Sums(100, 15), Sums(100, 10)) == pytest.approx(0.5)


def test_an_interval_knows_whether_it_excludes_zero() -> None:
    """Touching zero is not excluding it."""
    assert Interval(1, 0.1, 2).excludes_zero
    assert Interval(-1, -2, -0.1).excludes_zero
    assert not Interval(1, 0, 2).excludes_zero
    assert 0.5 in Interval(1, 0.1, 2)
    assert not math.isnan(Interval(1, 0, 2).estimate)
