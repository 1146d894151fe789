"""Learning allocation: which share of the treated each variant gets in the next batch.

Thompson sampling by batch (Thompson 1933, Biometrika 25, 285-294): a variant's share is the probability that
its goal rate is the highest, by what is known from complete windows alone. Within a batch shares are constant
and every draw's propensity is recorded, so that variants are compared within batches: pooling over batches
would take a drift of the base rate for a difference, since shares move with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from msgspec import Struct

from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval
from hark.learn.power import quantile

FLOOR = 0.05
"""The least share of a variant, so that it is never given up for good."""
_GRID = 512


def next_shares(arms: Mapping[str, Sums], floor: float = FLOOR) -> dict[str, float]:
    """The share of each variant in the next batch, from its complete windows so far; they add up to 1.

    Each is `floor` and, of the rest, the probability that the variant's rate is the highest. Rates have
    independent posteriors Beta(1 + goals, 1 + others). ValueError where the floors leave no rest.
    """
    rest = 1 - floor * len(arms)
    if not arms or rest <= 0:
        raise ValueError(f"{len(arms)} variants with at least {floor:.0%} each")
    best = highest(list(arms.values()))
    return {name: floor + rest * probability for name, probability in zip(arms, best, strict=True)}


def highest(arms: Sequence[Sums]) -> list[float]:
    """For each arm the probability that its rate is the highest: the integral of its density times the other
    arms' distribution functions, over a grid fine where the posteriors lie."""
    from scipy.special import betainc, betaincinv

    posteriors = [(1 + arm.goals, 1 + arm.subjects - arm.goals) for arm in arms]
    cuts = np.linspace(0, 1, _GRID // len(arms) + 2)[1:-1]
    grid = np.unique(np.concatenate([[0.0, 1.0], *(betaincinv(a, b, cuts) for a, b in posteriors)]))
    below = np.array([betainc(a, b, grid) for a, b in posteriors])
    # The mass of one posterior between two points, times the mean chance that all others lie below.
    found = []
    for place, mine in enumerate(below):
        others = np.prod(np.delete(below, place, axis=0), axis=0)
        found.append(float(np.sum(np.diff(mine) * (others[1:] + others[:-1]) / 2)))
    return [one / sum(found) for one in found]


class Batch(Struct, frozen=True):
    """Two arms in one batch."""

    treated: Sums
    control: Sums


def within_batches(batches: Sequence[Batch], level: float = LEVEL) -> Interval | None:
    """The difference of two arms' goal rates, compared within each batch; None where no batch has both.

    Batches are weighed by n1 n0 / (n1 + n0), which is fixed before any outcome of the batch is known, so that
    the estimate is unbiased whatever moved the shares (Mantel-Haenszel risk difference with the variance of
    Greenland and Robins 1985, Biometrics 41, 55-68, section 3).
    """
    both = [one for one in batches if one.treated.subjects and one.control.subjects]
    weights = [
        one.treated.subjects * one.control.subjects / (one.treated.subjects + one.control.subjects)
        for one in both
    ]
    if not both:
        return None
    whole = sum(weights)
    estimate = sum(weight * _difference(one) for weight, one in zip(weights, both, strict=True)) / whole
    spread = sqrt(sum(weight**2 * _variance(one) for weight, one in zip(weights, both, strict=True))) / whole
    half = quantile(0.5 + level / 2) * spread
    return Interval(estimate, estimate - half, estimate + half)


def _difference(batch: Batch) -> float:
    return batch.treated.goals / batch.treated.subjects - batch.control.goals / batch.control.subjects


def _variance(batch: Batch) -> float:
    return sum(
        arm.goals * (arm.subjects - arm.goals) / arm.subjects**3 for arm in (batch.treated, batch.control)
    )


def policy_value(goals: Sequence[bool], propensities: Sequence[float], taken: Sequence[bool]) -> float:
    """The goal rate if everybody had had one arm, from those who had it: inverse-propensity weighting.

    `taken`: who had the arm, with the `propensities` recorded at their draws (Horvitz and Thompson 1952, JASA
    47, 663-685). Unbiased for what a policy is worth; not for naming a winner.
    """
    weighted = [
        goal / propensity if mine else 0.0
        for goal, propensity, mine in zip(goals, propensities, taken, strict=True)
    ]
    return sum(weighted) / len(weighted)
