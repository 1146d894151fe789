"""The checks that stand before every lift."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import dirichlet_multinomial, multinomial
from statsmodels.stats.gof import chisquare

from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.checks import SAMPLE_RATIO_P, Size, draw_p, largest_share, sample_ratio, too_few
from hark.learn.compare import wald
from tests.data import shared


def test_cookie_cats_arms_are_of_unequal_size() -> None:
    """The published p = 0.0086 of a game's A/B test: under 0.01, but not under our 0.001."""
    text = gzip.decompress((shared("cookie_cats") / "cookie_cats.csv.gz").read_bytes()).decode()
    arms = [line.split(",")[1] for line in text.splitlines()[1:]]
    p = sample_ratio([[Size(arms.count("gate_30"), 0.5), Size(arms.count("gate_40"), 0.5)]])
    assert p == pytest.approx(0.0086, abs=5e-5)
    assert p is not None
    assert p > SAMPLE_RATIO_P


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0.05, 1)), min_size=2, max_size=5))
def test_sample_ratio_equals_an_independent_library(arms: list[tuple[int, float]]) -> None:
    """Of one period the p-value is Pearson's, as statsmodels computes it."""
    entered, shares = np.array([n for n, _ in arms]), np.array([share for _, share in arms])
    found = sample_ratio([[Size(n, share) for n, share in arms]])
    if entered.sum() == 0:
        assert found is None
    else:
        _, p = chisquare(entered, entered.sum() * shares / shares.sum())
        assert found == pytest.approx(p, rel=1e-6, abs=1e-12)


def test_periods_with_other_shares_are_not_mixed() -> None:
    """Two periods that each keep their own shares are right together, though their sum is not 50 : 50."""
    first, second = [Size(500, 0.5), Size(500, 0.5)], [Size(100, 0.1), Size(900, 0.9)]
    assert sample_ratio([first, second]) == pytest.approx(1.0)
    p = sample_ratio([[Size(600, 0.5), Size(1400, 0.5)]])
    assert p is not None
    assert p < SAMPLE_RATIO_P


def test_an_arm_with_no_share_is_not_compared() -> None:
    """Without a control there is only one arm, and nothing to compare."""
    assert sample_ratio([[Size(0, 0.0), Size(900, 1.0)]]) is None


@pytest.mark.parametrize(
    ("treated", "control", "why"),
    [
        (Sums(19, 10), Sums(500, 100), "19 of at least 20 people treated"),
        (Sums(500, 100), Sums(500, 4), "4 of at least 5 goals among the people left alone"),
        (Sums(20, 5), Sums(20, 5), None),
    ],
)
def test_too_few_says_what_is_missing(treated: Sums, control: Sums, why: str | None) -> None:
    """Under 20 people or 5 goals in an arm there is a reason in words; from there on there is none."""
    found = too_few(treated, control)
    assert found is None if why is None else found is not None and found.startswith(why)


def test_the_largest_share_is_of_all_value_in_both_arms() -> None:
    """One person with 30 of 100 carries 30 %."""
    arms = [Sums(10, 3, 60.0, 0.0, 30.0), Sums(10, 3, 40.0, 0.0, 5.0)]
    assert largest_share(arms) == pytest.approx(0.3)
    assert largest_share([Sums(10), Sums(10)]) == 0


def test_a_draw_looked_at_daily_is_doubted_once_in_a_thousand() -> None:
    """Of 1,000 fair draws seen on 60 days at most 0.1 % (and chance) are ever doubted; a wrong one is"""
    chance, doubted = np.random.default_rng(4), 0
    for _ in range(1000):
        left = chance.binomial(100, 0.2, 60).cumsum().tolist()
        looks = ([Size(one, 0.2), Size(100 * (day + 1) - one, 0.8)] for day, one in enumerate(left))
        doubted += any((draw_p(sizes) or 1.0) < SAMPLE_RATIO_P for sizes in looks)
    assert doubted / 1000 <= 0.001 + 3 * (0.001 / 1000) ** 0.5
    wrong = draw_p([Size(10_300, 0.5), Size(9_700, 0.5)])
    assert wrong is not None and wrong < SAMPLE_RATIO_P


def test_a_draws_p_value_is_the_dirichlet_multinomials_odds() -> None:
    """For three arms the same as scipy's Dirichlet-multinomial against its multinomial."""
    counts, shares = [130, 90, 60], [0.4, 0.35, 0.25]
    prior = dirichlet_multinomial([1000 * share for share in shares], np.array(280)).logpmf(counts)
    odds = prior - multinomial(280, shares).logpmf(counts)
    sizes = [Size(count, share) for count, share in zip(counts, shares, strict=True)]
    assert draw_p(sizes) == pytest.approx(min(np.exp(-odds), 1.0), rel=1e-9)
    assert draw_p([Size(5, 1.0)]) is None


@pytest.mark.parametrize(
    ("column", "goals", "low", "high"),
    [(3, (20_034, 20_119), -0.0124, 0.0006), (4, (8_502, 8_279), -0.0133, -0.0031)],
    ids=["day 1", "day 7"],
)
def test_cookie_cats_both_days(column: int, goals: tuple[int, int], low: float, high: float) -> None:
    """Counts and intervals as published; who looked every day could not have been sure of either yet."""
    text = gzip.decompress((shared("cookie_cats") / "cookie_cats.csv.gz").read_bytes()).decode()
    rows = [line.split(",") for line in text.splitlines()[1:]]
    arms = [
        [row[column].upper() == "TRUE" for row in rows if row[1] == arm] for arm in ("gate_30", "gate_40")
    ]
    control, moved = (Sums(len(arm), sum(arm)) for arm in arms)
    assert (control.goals, moved.goals) == goals
    once, always = wald(moved, control), anytime.rate(moved, control)
    assert once is not None and (once.low, once.high) == pytest.approx((low, high), abs=1e-4)
    assert always is not None and 0 in always
