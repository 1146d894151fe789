"""What campaigns change, for ranking: each campaign's lift, drawn towards that of all."""

from __future__ import annotations

import numpy as np

from hark.learn.aggregates import Sums
from hark.learn.effects import Arms, effects


def arms(treated: tuple[int, int], control: tuple[int, int]) -> Arms:
    """(goals, subjects) of each."""
    return Arms(Sums(treated[1], treated[0]), Sums(control[1], control[0]))


def test_one_campaign_alone_is_its_own_centre() -> None:
    """Its lift, and the textbook's standard error of a difference of rates."""
    found = effects({"a": arms((60, 1000), (40, 1000))})["a"]
    p, q = 60.5 / 1001, 40.5 / 1001
    assert abs(found.mean - (p - q)) < 1e-12
    assert abs(found.spread - np.sqrt(p * (1 - p) / 1000 + q * (1 - q) / 1000)) < 1e-12


def test_a_small_campaign_is_drawn_towards_the_others() -> None:
    """Of the same lift found in 100,000 and in 100 customers the latter is drawn further to the rest, and is
    less sure; with under 20 in an arm nothing is said."""
    large = {f"c{n}": arms((3000 + 500 * n, 100_000), (3000, 100_000)) for n in range(6)}
    found = effects({**large, "small": arms((9, 100), (4, 100)), "tiny": arms((3, 19), (0, 1000))})
    assert "tiny" not in found
    centre = np.mean([found[name].mean for name in large])
    assert abs(found["small"].mean - centre) < abs(0.05 - centre) / 2
    assert found["small"].spread > found["c5"].spread
    assert abs(found["c5"].mean - 0.025) < 0.001


def test_the_posteriors_are_calibrated() -> None:
    """Over 80 workspaces of 30 campaigns whose true lifts are drawn from a normal, about 95 % of these lie
    within 1.96 spreads of the means; with few campaigns it is less, since how they differ is unsure too."""
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(80):
        lifts = rng.normal(0.02, 0.015, 30)
        found = effects(
            {
                str(n): arms((rng.binomial(2000, 0.1 + lift), 2000), (rng.binomial(2000, 0.1), 2000))
                for n, lift in enumerate(lifts)
            }
        )
        inside += [
            abs(found[str(n)].mean - lift) < 1.96 * found[str(n)].spread for n, lift in enumerate(lifts)
        ]
    assert 0.91 < np.mean(inside) < 0.98
