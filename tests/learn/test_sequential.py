"""Weekly looks: the boundaries of published tables, and the promise over all looks."""

from __future__ import annotations

import numpy as np
import pytest

from hark.learn.aggregates import Sums
from hark.learn.sequential import HIGHEST, Looks, boundaries, spent


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        (4, [4.3326, 2.9631, 2.3590, 2.0141]),
        (1, [1.9600]),
    ],
)
def test_the_boundaries_are_those_of_the_tables(looks: int, published: list[float]) -> None:
    """As Reboussin, DeMets, Kim and Lan's program prints them (O'Brien-Fleming kind, two-sided 5 %)."""
    shares = [(number + 1) / looks for number in range(looks)]
    assert boundaries(shares, [1000 * one for one in shares]) == pytest.approx(published, abs=2e-4)


def test_all_error_is_spent_at_the_end_and_none_before_the_start() -> None:
    """5 % in all, and never less at a later share of the plan."""
    assert spent(0) == 0
    assert spent(1) == pytest.approx(0.05)
    assert spent(2) == spent(1)
    assert spent(0.3) < spent(0.6) < spent(1)


def test_a_look_without_news_cannot_stop() -> None:
    """The same sums again get the highest boundary, and leave the error for later looks."""
    found = boundaries([0.5, 0.7, 1], [50, 50, 100])
    assert found[1] == HIGHEST
    assert found[2] < 2.0


def test_weekly_looks_mislead_in_five_of_a_hundred() -> None:
    """Of 2,000 campaigns that change nothing, looked at in 8 unequal weeks, 5 % are called different."""
    chance, alarms = np.random.default_rng(3), 0
    planned = [week / 8 for week in range(1, 9)]
    people = np.array([30, 400, 50, 200, 100, 600, 10, 300]).cumsum()
    bounds = boundaries(planned, people.tolist())
    for _ in range(2000):
        ours, others = (chance.binomial(np.diff(people, prepend=0), 0.3).cumsum() for _ in range(2))
        rates = (ours + others) / (2 * people)
        z = (ours - others) / people / np.sqrt(rates * (1 - rates) * 2 / people)
        alarms += bool((np.abs(z) > bounds).any())
    assert 0.036 <= alarms / 2000 <= 0.064


def test_the_intervals_are_estimate_and_boundary_times_error() -> None:
    """At the only look it is the textbook interval; an arm without anybody has none."""
    one = Looks([1], [(Sums(200, 60), Sums(100, 20))]).intervals[0]
    error = (0.3 * 0.7 / 200 + 0.2 * 0.8 / 100) ** 0.5
    assert one is not None
    assert (one.low, one.high) == pytest.approx((0.1 - 1.959964 * error, 0.1 + 1.959964 * error))
    assert Looks([0.5, 1], [(Sums(), Sums(9, 3)), (Sums(20, 4), Sums(20, 3))]).intervals[0] is None
