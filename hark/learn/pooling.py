"""Several estimates of one kind, each drawn towards their common centre as far as chance alone parts them.

The normal-normal model: each true effect is drawn around the centre with variance tau squared, each estimate
around its true effect with a known variance. Tau squared by the method of moments (DerSimonian and Laird
1986, Controlled Clinical Trials 7, 177-188, equation 8). The drawn estimate is the posterior mean, its
interval allows for the centre's own uncertainty (Morris 1983, JASA 78, 47-55, section 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from hark.learn.compare import LEVEL, Interval
from hark.learn.power import quantile


def tau_squared(estimates: Sequence[float], variances: Sequence[float]) -> float:
    """The variance between true effects; 0 where they differ by no more than chance lets them."""
    weights = [1 / one for one in variances]
    whole = sum(weights)
    freedom = whole - sum(one * one for one in weights) / whole if weights else 0.0
    if freedom <= 0:
        return 0.0
    middle = sum(w * y for w, y in zip(weights, estimates, strict=True)) / whole
    spread = sum(w * (y - middle) ** 2 for w, y in zip(weights, estimates, strict=True))
    return max(0.0, (spread - (len(estimates) - 1)) / freedom)


def shrunk(
    estimate: float, variance: float, centre: float, centre_variance: float, between: float
) -> Interval:
    """An estimate drawn towards the centre; `between` is tau squared. With 0 it is the centre itself."""
    pull = variance / (variance + between)
    mean = pull * centre + (1 - pull) * estimate
    half = quantile(0.5 + LEVEL / 2) * sqrt((1 - pull) * variance + pull**2 * centre_variance)
    return Interval(mean, mean - half, mean + half)
