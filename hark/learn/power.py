"""What a comparison of rates can detect, and how many people it needs."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from typing import TypeAlias

LEVEL = 0.95
POWER = 0.8

Needed: TypeAlias = Callable[[float, float, float], int]
"""(base rate, lift, share left alone) to the people in both arms who show that lift in 4 cases of 5."""


def people_needed(
    base: float, lift: float, control: float = 0.5, level: float = LEVEL, power: float = POWER
) -> int:
    """People in both arms together, so that a test at `level` finds a difference of `lift` with `power`.

    `base`: the goal rate of the control, `control`: the share left alone. The normal approximation, with the
    pooled variance under no difference and the rates' own under the difference (Fleiss, Levin and Paik 2003,
    Statistical Methods for Rates and Proportions, 3rd ed., sections 4.1 and 4.2).
    ValueError: a rate outside of (0, 1), no lift, or no control.
    """
    rate = base + lift
    if not (0 < base < 1 and 0 < rate < 1 and lift and 0 < control < 1):
        raise ValueError("needs rates between 0 and 1, a difference, and a control between 0 and 1")
    alone, treated = base * (1 - base), rate * (1 - rate)
    pooled = control * base + (1 - control) * rate
    under_none = sqrt(pooled * (1 - pooled) * (1 / control + 1 / (1 - control)))
    under_lift = sqrt(alone / control + treated / (1 - control))
    z = quantile(0.5 + level / 2) * under_none + quantile(power) * under_lift
    return ceil((z / lift) ** 2)


def detectable(
    base: float, people: int, control: float = 0.5, needed: Needed = people_needed
) -> float | None:
    """The smallest rise of the rate that `people` in both arms show in 4 cases of 5; None: not even to 1."""
    low, high = 0.0, 1 - base
    if not 0 < base < 1 or needed(base, 0.999_999 * high, control) > people:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        enough = needed(base, middle, control) <= people
        low, high = (low, middle) if enough else (middle, high)
    return high


def best_control(base: float, lift: float, needed: Needed = people_needed) -> float:
    """The share left alone, from 10 to 50 %, with which the fewest people are needed to detect `lift`."""
    shares = [hundredth / 100 for hundredth in range(10, 51)]
    return min(shares, key=lambda share: needed(base, lift, share))


def quantile(probability: float) -> float:
    """Of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))
