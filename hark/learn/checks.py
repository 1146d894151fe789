"""What must be right before a lift means anything: the arms' sizes, and enough in each."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log

from msgspec import Struct

from hark.learn.aggregates import Sums

SAMPLE_RATIO_P = 0.001
"""Below this the arms' sizes are not chance any more, and the lift must not be believed."""
LIKELY = 1_000.0
"""How closely around the shares the sizes of a draw gone wrong are expected: within some points of 100."""
FEWEST_GOALS = 5
FEWEST_SUBJECTS = 20
LARGE_SHARE = 0.05
"""Of all value, on one subject: above it the interval of values rests on that one."""

DISPUTED_SHARE = 0.01
"""Of people found to have been in two arms: above it the lift is also given without them."""


class Size(Struct, frozen=True):
    """How many different subjects came into an arm, and the share that should have."""

    entered: int
    share: float


def sample_ratio(periods: Sequence[Sequence[Size]]) -> float | None:
    """The p-value of the arms' sizes given their shares: Pearson's chi-square.

    `periods`: the arms of each period of constant allocation; statistics and degrees of freedom add up
    over them. None where there is nothing to compare.
    """
    from scipy.special import chdtrc

    found = [_pearson([size for size in period if size.share > 0]) for period in periods]
    freedom = sum(degrees for _, degrees in found)
    return float(chdtrc(freedom, sum(statistic for statistic, _ in found))) if freedom else None


def _pearson(sizes: Sequence[Size]) -> tuple[float, int]:
    """(statistic, degrees of freedom) of one period; (0, 0) with fewer than two arms or nobody in them."""
    from scipy.stats import chisquare

    entered, shares = sum(size.entered for size in sizes), sum(size.share for size in sizes)
    if len(sizes) < 2 or not entered:
        return 0.0, 0
    expected = [entered * size.share / shares for size in sizes]
    return float(chisquare([size.entered for size in sizes], expected).statistic), len(sizes) - 1


def draw_p(sizes: Sequence[Size]) -> float | None:
    """The p-value of one draw's sizes, right at every look: an arm may be looked at daily.

    Lindon and Malek (2022), "Anytime-valid inference for multinomial count data", NeurIPS 35, equation 8: the
    Bayes factor of a Dirichlet prior around the shares, of weight LIKELY, against the shares themselves;
    1 over it. None where there is nothing to compare.
    """
    sizes = [size for size in sizes if size.share > 0]
    entered, shares = sum(size.entered for size in sizes), sum(size.share for size in sizes)
    if len(sizes) < 2 or not entered:
        return None
    odds = lgamma(LIKELY) - lgamma(LIKELY + entered)
    for size in sizes:
        prior = LIKELY * size.share / shares
        odds += lgamma(prior + size.entered) - lgamma(prior) - size.entered * log(size.share / shares)
    return min(exp(-min(odds, 700.0)), 1.0) if odds > 0 else 1.0


def too_few(treated: Sums, control: Sums) -> str | None:
    """Why the two cannot be judged yet, in words; None if they can."""
    for name, arm in (("treated", treated), ("left alone", control)):
        if arm.subjects < FEWEST_SUBJECTS:
            return f"{arm.subjects} of at least {FEWEST_SUBJECTS} people {name} have their window behind them"
        if arm.goals < FEWEST_GOALS:
            return f"{arm.goals} of at least {FEWEST_GOALS} goals among the people {name}"
    return None


def largest_share(arms: Sequence[Sums]) -> float:
    """The share of all value that one subject carries, the largest there is."""
    value = sum(arm.value for arm in arms)
    return max((arm.largest for arm in arms), default=0.0) / value if value > 0 else 0.0
