"""Intervals that hold at every look: the price of looking every day is a wider interval, not a wrong one.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), "Time-uniform
central limit theory and asymptotic confidence sequences", Annals of Statistics 52(6), theorem 2.2, for the
difference of two means: the truth lies inside at all looks together with probability `level`, once the
central limit has set in. Therefore nothing is said before the burn-in (`too_early`).
"""

from __future__ import annotations

from math import log, sqrt

from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval

TIGHTEST_AT = 2_000
"""Subjects in both arms together at which the interval is tightest. Fixed, so that no look can choose it."""
FEWEST_GOALS = 10
"""In each arm, and as many without the goal: the burn-in of a rate."""
FEWEST_WITH_VALUE = 50
"""Goals in each arm: the burn-in of a value, which may be heavy-tailed."""


def rate(treated: Sums, control: Sums, level: float = LEVEL) -> Interval | None:
    """Goal rate of the treated minus the control's; None during the burn-in."""
    if too_early(treated, control, FEWEST_GOALS):
        return None
    p, q = treated.goals / treated.subjects, control.goals / control.subjects
    variance = p * (1 - p) / treated.subjects + q * (1 - q) / control.subjects
    return _around(p - q, variance, treated.subjects + control.subjects, level)


def value(treated: Sums, control: Sums, level: float = LEVEL) -> Interval | None:
    """Value per subject of the treated minus the control's; None during the burn-in."""
    if too_early(treated, control, FEWEST_WITH_VALUE):
        return None
    variance = sum((arm.variance or 0.0) / arm.subjects for arm in (treated, control))
    estimate = (treated.mean or 0.0) - (control.mean or 0.0)
    return _around(estimate, variance, treated.subjects + control.subjects, level)


def too_early(treated: Sums, control: Sums, fewest: int) -> bool:
    """Whether an arm has fewer than `fewest` subjects with the goal, or fewer without."""
    return any(min(arm.goals, arm.subjects - arm.goals) < fewest for arm in (treated, control))


def _around(estimate: float, variance: float, subjects: int, level: float) -> Interval:
    """`variance` is that of the estimate; in the paper's terms, sigma squared over t."""
    scaled = subjects * _rho_squared(1 - level)
    half = sqrt(variance * 2 * (scaled + 1) / scaled * log(sqrt(scaled + 1) / (1 - level)))
    return Interval(estimate, estimate - half, estimate + half)


def _rho_squared(alpha: float) -> float:
    """The tuning that makes the interval tightest at TIGHTEST_AT (the paper's appendix B.2)."""
    return (-2 * log(alpha) + log(-2 * log(alpha)) + 1) / TIGHTEST_AT
