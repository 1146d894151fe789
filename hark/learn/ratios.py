"""Ratios whose parts both vary from person to person: value per order, enrolments per click."""

from __future__ import annotations

from math import sqrt

from hark.learn.adjust import CrossSums
from hark.learn.compare import LEVEL, Interval
from hark.learn.power import quantile


def ratio(arm: CrossSums) -> float | None:
    """Sum of y by sum of x; None where x is 0."""
    return arm.y / arm.x if arm.x else None


def variance(arm: CrossSums) -> float | None:
    """Of the ratio of the two means, by the delta method; None under two subjects or without x.

    Deng, Knoblich and Lu (2018), KDD, 233-242, equation 4: (s_yy - 2 r s_xy + r^2 s_xx) / (n mean_x^2).
    """
    r = ratio(arm)
    if r is None or arm.subjects < 2:
        return None
    yy, xx, xy = (one / (arm.subjects - 1) for one in arm.spread)
    return max(yy - 2 * r * xy + r * r * xx, 0.0) * arm.subjects / arm.x**2


def difference(treated: CrossSums, control: CrossSums, level: float = LEVEL) -> Interval | None:
    """The treated's ratio minus the control's; the sums are per unit that was drawn (a subject, a day).

    None where an arm's ratio or its variance is not known, or nothing varies.
    """
    parts = [(ratio(arm), variance(arm)) for arm in (treated, control)]
    (p, p_variance), (q, q_variance) = parts
    if p is None or q is None or p_variance is None or q_variance is None or not p_variance + q_variance:
        return None
    half = quantile(0.5 + level / 2) * sqrt(p_variance + q_variance)
    return Interval(p - q, p - q - half, p - q + half)
