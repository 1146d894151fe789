"""Intervals that hold at every look: the price of looking every day is a wider interval, not a wrong one.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), "Time-uniform
central limit theory and asymptotic confidence sequences", Annals of Statistics 52(6), theorem 2.2, for the
difference of two means: the truth lies inside at all looks together with probability `level`, once the
central limit has set in. Therefore nothing is said before the burn-in (`too_early`).
"""

from __future__ import annotations

from math import ceil, exp, log, sqrt

from hark.definitions.types import Campaign
from hark.learn import power as fixed
from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval
from hark.learn.power import POWER, Needed, quantile

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
    estimate = treated.goals / treated.subjects - control.goals / control.subjects
    return _around(estimate, _variance(treated, control), treated.subjects + control.subjects, level)


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


def p_value(treated: Sums, control: Sums) -> float | None:
    """The smallest error at which `rate` would leave out 0: right at every look. None during the burn-in.

    The interval solved for alpha, with the tuning of LEVEL held fixed.
    """
    found = rate(treated, control)
    if found is None:
        return None
    scaled = (treated.subjects + control.subjects) * _rho_squared(1 - LEVEL)
    worth = found.estimate**2 / _variance(treated, control) * scaled / (2 * (scaled + 1))
    return min(sqrt(scaled + 1) * exp(-min(worth, 700.0)), 1.0)


def people_needed(variance: float, lift: float, level: float = LEVEL, power: float = POWER) -> int:
    """People in both arms together, after whom `rate` leaves out 0 with `power` if the truth is `lift`.

    `variance`: of the estimate, times the people it rests on. At that one look: those before help a little.
    ValueError: no lift.
    """
    if not lift:
        raise ValueError("needs a difference")
    low, high = 1, 1
    while _reach(variance, high, level, power) > abs(lift):
        low, high = high, 2 * high
    while high - low > max(1, high // 1000):
        middle = (low + high) // 2
        enough = _reach(variance, middle, level, power) <= abs(lift)
        low, high = (low, middle) if enough else (middle, high)
    return high


def needed(base: float, lift: float, control: float) -> int:
    """People in both arms, after whom `rate` leaves out 0 in 4 cases of 5 if the truth is `lift`, by the base
    rate and the share left alone; and after whom the burn-in is over, if all reach it at the base rate.

    ValueError as `power.people_needed`.
    """
    raised = base + lift
    if not (0 < base < 1 and 0 < raised < 1 and lift and 0 < control < 1):
        raise ValueError("needs rates between 0 and 1, a difference, and a control between 0 and 1")
    variance = base * (1 - base) / control + raised * (1 - raised) / (1 - control)
    seldom = min(base, 1 - base) * min(control, 1 - control)
    return max(people_needed(variance, lift), ceil(FEWEST_GOALS / seldom))


def needed_by(campaign: Campaign) -> Needed:
    """How many people a campaign's verdict needs: by the plan of one that says when it is decided, else by
    intervals that hold at every look, which are wider."""
    planned = campaign.decide_at is not None or campaign.decide_people is not None
    return fixed.people_needed if planned else needed


def _reach(variance: float, people: int, level: float, power: float) -> float:
    """The lift that so many people show with `power`."""
    around = _around(0.0, variance / people, people, level)
    return around.high + quantile(power) * sqrt(variance / people)


def _variance(treated: Sums, control: Sums) -> float:
    """Of the difference of the rates."""
    return sum((arm.rate or 0.0) * (1 - (arm.rate or 0.0)) / arm.subjects for arm in (treated, control))


def _around(estimate: float, variance: float, subjects: int, level: float) -> Interval:
    """`variance` is that of the estimate; in the paper's terms, sigma squared over t."""
    scaled = subjects * _rho_squared(1 - level)
    half = sqrt(variance * 2 * (scaled + 1) / scaled * log(sqrt(scaled + 1) / (1 - level)))
    return Interval(estimate, estimate - half, estimate + half)


def _rho_squared(alpha: float) -> float:
    """The tuning that makes the interval tightest at TIGHTEST_AT (the paper's appendix B.2)."""
    return (-2 * log(alpha) + log(-2 * log(alpha)) + 1) / TIGHTEST_AT
