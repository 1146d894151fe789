"""Learning allocation: shares, the regret it saves, and that it calls equal arms equal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln

from hark.learn.aggregates import Sums
from hark.learn.allocate import FLOOR, Batch, highest, next_shares, policy_value, within_batches

BATCHES, SIZE, WINDOW = 24, 2_083, 3
"""50,000 customers over 120 days in batches of five; a goal's window and its grace are three of them."""


def closed_form(mine: Sums, other: Sums) -> float:
    """P(mine's rate is higher), by the sum over a Beta's integer parameter (Evan Miller 2014)."""
    a, b = 1 + other.goals, 1 + other.subjects - other.goals
    c, d = 1 + mine.goals, 1 + mine.subjects - mine.goals
    return sum(
        float(np.exp(betaln(a + i, b + d) - np.log(d + i) - betaln(1 + i, d) - betaln(a, b)))
        for i in range(c)
    )


@pytest.mark.parametrize("goals", [(0, 0), (3, 9), (30, 41), (400, 500)])
def test_the_probability_to_be_best_is_the_closed_form(goals: tuple[int, int]) -> None:
    """For two arms the integral is the published sum."""
    arms = [Sums(goals[0] * 10 + 20, goals[0]), Sums(goals[1] * 9 + 30, goals[1])]
    assert highest(arms)[0] == pytest.approx(closed_form(arms[0], arms[1]), abs=2e-4)


def test_shares_add_up_and_none_is_under_the_floor() -> None:
    """A hopeless variant keeps 5 %; with nothing known all get the same."""
    shares = next_shares({"good": Sums(5_000, 400), "bad": Sums(5_000, 100), "worse": Sums(5_000, 50)})
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["bad"] == pytest.approx(FLOOR, abs=1e-4)
    assert next_shares({"a": Sums(), "b": Sums()}) == pytest.approx({"a": 0.5, "b": 0.5})
    with pytest.raises(ValueError, match="21 variants"):
        next_shares({str(number): Sums() for number in range(21)})


def learned(
    rates: tuple[float, float], chance: np.random.Generator, drift: float = 1.0
) -> tuple[float, list[Batch], list[tuple[float, int, int]]]:
    """All batches: how many got the worse arm, the batches, and (share, treated, goals) of arm two."""
    batches: list[Batch] = []
    kept: list[tuple[float, int, int]] = []
    worse = 0.0
    for day in range(BATCHES):
        over = batches[: max(0, day - WINDOW)]
        first = sum((one.control for one in over), Sums())
        second = sum((one.treated for one in over), Sums())
        share = next_shares({"one": first, "two": second})["two"]
        two = int(chance.binomial(SIZE, share))
        scale = 1 + (drift - 1) * day / BATCHES
        goals = [int(chance.binomial(n, p * scale)) for n, p in zip((SIZE - two, two), rates, strict=True)]
        batches.append(Batch(Sums(two, goals[1]), Sums(SIZE - two, goals[0])))
        kept.append((share, two, goals[1]))
        worse += SIZE - two
    return worse, batches, kept


def test_regret_is_at_most_three_fifths_of_equal_shares() -> None:
    """Arms of 3 % and 4 %, outcomes known after 15 days: customers who get the worse one, over 20 runs."""
    chance = np.random.default_rng(5)
    runs = [learned((0.03, 0.04), chance)[0] for _ in range(20)]
    assert np.mean(runs) <= 0.6 * BATCHES * SIZE / 2


def test_equal_arms_are_called_equal_while_the_base_rate_drifts() -> None:
    """From 3 to 6 %: compared within batches, 6 % of runs at most call them different (5 % at the truth)."""
    chance = np.random.default_rng(11)
    called = 0
    for _ in range(60):
        found = within_batches(learned((0.03, 0.03), chance, drift=2.0)[1])
        called += found is not None and found.excludes_zero
    assert called / 60 <= 0.06 + 2 * (0.05 * 0.95 / 60) ** 0.5


def test_inverse_propensities_give_the_rate_of_an_arm() -> None:
    """Over 25 runs the weighted rate of the arm is its rate, within three of its own standard errors."""
    chance = np.random.default_rng(17)
    found = []
    for _ in range(25):
        _, _, kept = learned((0.03, 0.04), chance)
        found.append(sum(goals / share for share, _, goals in kept) / (BATCHES * SIZE))
    assert np.mean(found) == pytest.approx(0.04, abs=3 * float(np.std(found)) / 25**0.5)
    assert policy_value([True, True, False], [0.5, 0.5, 0.5], [True, False, True]) == pytest.approx(2 / 3)
