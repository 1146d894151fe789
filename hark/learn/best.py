"""How probable it is that an arm is the best: an aid for choosing, never a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hark.learn.aggregates import Sums

Floats: TypeAlias = npt.NDArray[np.float64]
_PLACES = 4_001


def best(arms: Mapping[str, Sums]) -> dict[str, float]:
    """By arm, the probability that its goal rate is the highest; they add up to 1. Empty without arms.

    Posteriors are Beta(1 + goals, 1 + others), from a flat prior and arms apart (Scott 2010, Applied
    Stochastic Models in Business and Industry 26, 639-658, equation 4), integrated where any has mass.
    """
    from scipy.stats import beta

    posteriors = {name: beta(1 + one.goals, 1 + one.subjects - one.goals) for name, one in arms.items()}
    if not posteriors:
        return {}
    low = min(one.ppf(1e-12) for one in posteriors.values())
    high = max(one.isf(1e-12) for one in posteriors.values())
    places = np.linspace(low, high, _PLACES)
    middles = (places[1:] + places[:-1]) / 2
    below = {name: one.cdf(middles) for name, one in posteriors.items()}
    found = {
        name: float((np.diff(one.cdf(places)) * _product(below, name)).sum())
        for name, one in posteriors.items()
    }
    whole = sum(found.values())
    return {name: one / whole for name, one in found.items()}


def _product(below: Mapping[str, Floats], but: str) -> Floats:
    found = np.ones(_PLACES - 1)
    for name, one in below.items():
        found = found if name == but else found * one
    return found
