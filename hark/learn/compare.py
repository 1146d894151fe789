"""The difference between two arms, with an interval. Arithmetic on sums alone."""

from __future__ import annotations

from functools import cache
from math import sqrt

from msgspec import Struct

from hark.learn.aggregates import Sums

LEVEL = 0.95


class Interval(Struct, frozen=True):
    """An estimate and the bounds of its confidence interval, in the estimate's own unit."""

    estimate: float
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def newcombe(treated: Sums, control: Sums, level: float = LEVEL) -> Interval | None:
    """Goal rate of the treated minus the control's, with Newcombe's hybrid score interval.

    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10: the squared distances from each rate
    to its own Wilson bounds add up. None while an arm is empty.
    """
    if not (treated.subjects and control.subjects):
        return None
    p, q = treated.goals / treated.subjects, control.goals / control.subjects
    (p_low, p_high), (q_low, q_high) = wilson(treated, level), wilson(control, level)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return Interval(p - q, low, high)


def wilson(arm: Sums, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of one rate: Wilson (1927), JASA 22, 209-212. Needs at least one subject."""
    z, n, p = _z(level), arm.subjects, arm.goals / arm.subjects
    centre, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def wald(treated: Sums, control: Sums, level: float = LEVEL) -> Interval | None:
    """Goal rate of the treated minus the control's with the textbook interval (unpooled normal).

    Only beside `newcombe`, to compare with what others publish: it is too narrow for rare goals.
    """
    if not (treated.subjects and control.subjects):
        return None
    p, q = treated.goals / treated.subjects, control.goals / control.subjects
    half = _z(level) * sqrt(p * (1 - p) / treated.subjects + q * (1 - q) / control.subjects)
    return Interval(p - q, p - q - half, p - q + half)


def welch(treated: Sums, control: Sums, level: float = LEVEL) -> Interval | None:
    """Value per subject of the treated minus the control's, with Welch's interval.

    Welch (1947), Biometrika 34, 28-35, as tea-tasting computes it. None under two subjects in an arm
    or where nobody's value differs from another's.
    """
    if not (treated.variance or control.variance) or min(treated.subjects, control.subjects) < 2:
        return None
    # Imported late: it takes over a second, and most goals carry no value.
    from tea_tasting.aggr import Aggregates
    from tea_tasting.metrics import Mean

    arms = [
        Aggregates(count_=arm.subjects, mean_={"value": arm.mean or 0.0}, var_={"value": arm.variance or 0.0})
        for arm in (control, treated)
    ]
    found = Mean("value", confidence_level=level, equal_var=False, use_t=True).analyze_aggregates(*arms)
    return Interval(
        float(found.effect_size), float(found.effect_size_ci_lower), float(found.effect_size_ci_upper)
    )


def relative(treated: Sums, control: Sums) -> float | None:
    """The lift as a share of the control's rate (0.1: a tenth more); None where that rate is 0."""
    if not (treated.rate is not None and control.rate):
        return None
    return treated.rate / control.rate - 1


@cache
def _z(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))
