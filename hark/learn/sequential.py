"""Looking every week, with the error of 5 % spent over the looks: a group-sequential design.

Lan and DeMets (1983), Biometrika 70, 659-663: how much of the error may be spent by a share t of the plan
is fixed beforehand, here of O'Brien and Fleming's kind, a(t) = 2 (1 - Phi(z / sqrt t)) on each side; so
early looks need overwhelming evidence, and the last is almost a test at 5 %. The share is of the plan
(calendar time or people: Lan and DeMets 1989, Biometrics 45, 1017-1020), the correlation of the looks is of
the information seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval
from hark.learn.power import quantile

Floats: TypeAlias = npt.NDArray[np.float64]
HIGHEST = 8.0
"""No boundary is above it: what is spent beyond is under 1e-15."""


def spent(planned: float, level: float = LEVEL) -> float:
    """The error that both sides together may have used up by this share (0 to 1) of the plan."""
    from scipy.special import ndtr

    if planned <= 0:
        return 0.0
    z = quantile(1 - (1 - level) / 4)
    return 4 * float(ndtr(-z / sqrt(min(planned, 1.0))))


def boundaries(planned: Sequence[float], information: Sequence[float], level: float = LEVEL) -> list[float]:
    """By look, how many standard errors a difference must lie from 0, so that all looks together err in 5 %.

    `planned`: ascending shares of the plan; `information`: ascending, in any unit, 1 / variance of the
    estimate. A look without new information gets the highest boundary. The recursive integral of Armitage,
    McPherson and Rowe (1969), JRSS A 132, 235-244, by Gauss-Legendre quadrature over what was not stopped.
    """
    found: list[float] = []
    at, density = np.zeros(1), np.ones(1)  # the walk's place, and its weight there: it starts at 0
    used, before = 0.0, 0.0
    for share, now in zip(planned, information, strict=True):
        step, budget = now - before, spent(share, level) - used
        if step <= 0:
            found.append(HIGHEST)
            continue
        edge = _edge(at, density, step, budget, HIGHEST * sqrt(now))
        found.append(edge / sqrt(now))
        used += _beyond(edge, at, density, step)
        at, density, before = *_walked(at, density, step, edge), now
    return found


def _beyond(edge: float, at: Floats, density: Floats, step: float) -> float:
    """The probability to pass `edge` on either side in this step, not having been stopped before."""
    from scipy.special import ndtr

    spread = sqrt(step)
    return float((density * (ndtr((at - edge) / spread) + ndtr((-at - edge) / spread))).sum())


def _edge(at: Floats, density: Floats, step: float, budget: float, highest: float) -> float:
    """Where exactly `budget` of probability passes; at most `highest`."""
    from scipy.optimize import brentq

    if _beyond(highest, at, density, step) >= budget:
        return highest
    return float(brentq(lambda edge: _beyond(edge, at, density, step) - budget, 0.0, highest, xtol=1e-12))


def _walked(at: Floats, density: Floats, step: float, edge: float) -> tuple[Floats, Floats]:
    """Places within the edges after the step, and the weights there."""
    nodes, weights = _nodes()
    place = edge * nodes
    jump = np.exp(-((place[:, None] - at[None, :]) ** 2) / (2 * step)) / sqrt(2 * np.pi * step)
    return place, edge * weights * (jump @ density)


class Looks:
    """Looks at one comparison of rates in a design with weekly looks: planned shares, both arms' sums."""

    def __init__(self, planned: Sequence[float], sums: Sequence[tuple[Sums, Sums]], level: float = LEVEL):
        self.sums = list(sums)
        self.bounds = boundaries(planned, _ascending([_information(*one) for one in sums]), level)

    @property
    def intervals(self) -> list[Interval | None]:
        """By look, the repeated confidence interval of the difference of rates (Jennison and Turnbull 1989).

        JRSS B 51, 305-361: estimate and boundary times standard error; all of them hold together. None
        while an arm has nobody, or in both arms all or none reached the goal.
        """
        return [_interval(*one, bound) for one, bound in zip(self.sums, self.bounds, strict=True)]


def _interval(treated: Sums, control: Sums, bound: float) -> Interval | None:
    information = _information(treated, control)
    if not information:
        return None
    estimate, half = (treated.rate or 0.0) - (control.rate or 0.0), bound / sqrt(information)
    return Interval(estimate, estimate - half, estimate + half)


def _information(treated: Sums, control: Sums) -> float:
    """1 / variance of the difference of rates (unpooled); 0 where there is none yet."""
    if not (treated.subjects and control.subjects):
        return 0.0
    variance = sum((arm.rate or 0) * (1 - (arm.rate or 0)) / arm.subjects for arm in (treated, control))
    return 1 / variance if variance else 0.0


def _ascending(information: Sequence[float]) -> list[float]:
    """A variance that grows takes nothing back: such a look brings nothing new."""
    return [float(one) for one in np.maximum.accumulate(information)] if information else []


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Places in [-1, 1] and their weights: Gauss-Legendre, of order 160."""
    nodes, weights = np.polynomial.legendre.leggauss(160)
    return nodes, weights
