"""The probability of being best, against draws and against a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln

from hark.learn.aggregates import Sums
from hark.learn.best import best


def closed(ours: Sums, others: Sums) -> float:
    """P(ours > others) as a finite sum (Cook 2003, MD Anderson technical report 54)."""
    a, b = 1 + others.goals, 1 + others.subjects - others.goals
    c, d = 1 + ours.goals, 1 + ours.subjects - ours.goals
    terms = (np.exp(betaln(a + n, b + d) - np.log(d + n) - betaln(1 + n, d) - betaln(a, b)) for n in range(c))
    return float(sum(terms))


@pytest.mark.parametrize(("ours", "others"), [(Sums(100, 12), Sums(80, 7)), (Sums(2000, 40), Sums(500, 9))])
def test_of_two_arms_it_is_the_closed_form(ours: Sums, others: Sums) -> None:
    """The finite sum and the integral agree to six digits, and the two arms make 1."""
    found = best({"ours": ours, "others": others})
    assert found["ours"] == pytest.approx(closed(ours, others), abs=1e-6)
    assert sum(found.values()) == pytest.approx(1)


def test_of_four_arms_it_is_what_draws_say() -> None:
    """400,000 draws from the posteriors: the same shares of wins to 0.3 points."""
    arms = {"a": Sums(400, 40), "b": Sums(400, 48), "c": Sums(200, 25), "d": Sums(50, 2)}
    chance = np.random.default_rng(1)
    draws = np.array([chance.beta(1 + s.goals, 1 + s.subjects - s.goals, 400_000) for s in arms.values()])
    shares = np.bincount(draws.argmax(axis=0), minlength=4) / 400_000
    assert list(best(arms).values()) == pytest.approx(shares.tolist(), abs=0.003)
    assert best({}) == {}
