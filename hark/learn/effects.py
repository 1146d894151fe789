"""What each campaign changes, to decide whose message goes first: the lift, drawn towards all campaigns'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL
from hark.learn.pooling import shrunk, tau_squared
from hark.learn.power import quantile

LEAST = 20
"""Subjects in each arm, below which nothing is said of a campaign."""


class Arms(NamedTuple):
    """One campaign's complete windows."""

    treated: Sums
    control: Sums


class Effect(Struct, frozen=True):
    """The posterior of a campaign's lift of the goal rate, as a normal distribution."""

    mean: float
    spread: float
    """Its standard deviation."""


def effects(campaigns: Mapping[str, Arms]) -> dict[str, Effect]:
    """By campaign the posterior of its lift; those with too few in an arm are left out.

    The centre is the mean of the estimates, weighted by one over the sum of their variance and that between
    true effects (`pooling`). Rates are (goals + 1/2) / (subjects + 1), so that none is certain.
    """
    told = {name: arms for name, arms in campaigns.items() if min(one.subjects for one in arms) >= LEAST}
    if not told:
        return {}
    estimates = [_rate(arms.treated) - _rate(arms.control) for arms in told.values()]
    variances = [_variance(arms.treated) + _variance(arms.control) for arms in told.values()]
    between = tau_squared(estimates, variances)
    weights = [1 / (one + between) for one in variances]
    centre = sum(w * y for w, y in zip(weights, estimates, strict=True)) / sum(weights)
    found = (
        shrunk(estimate, variance, centre, 1 / sum(weights), between)
        for estimate, variance in zip(estimates, variances, strict=True)
    )
    z = quantile(0.5 + LEVEL / 2)
    return {
        name: Effect(one.estimate, (one.high - one.low) / (2 * z))
        for name, one in zip(told, found, strict=True)
    }


def _rate(arm: Sums) -> float:
    return (arm.goals + 0.5) / (arm.subjects + 1)


def _variance(arm: Sums) -> float:
    return _rate(arm) * (1 - _rate(arm)) / arm.subjects
