"""The same difference, less blurred: what people did before they entered explains part of their outcome.

CUPED (Deng, Xu, Kohavi and Walker 2013, WSDM, 123-132): outcome minus theta times the covariate's distance
from its mean, theta being the slope over both arms. It removes the share rho squared of the variance.
"""

from __future__ import annotations

from msgspec import Struct

from hark.learn.aggregates import Sums
from hark.learn.compare import LEVEL, Interval, welch


class CrossSums(Struct, frozen=True):
    """An arm's sums of an outcome y and of what was known before, x. Those of disjoint groups add up."""

    subjects: int = 0
    y: float = 0.0
    yy: float = 0.0
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def __add__(self, other: CrossSums) -> CrossSums:
        return CrossSums(
            self.subjects + other.subjects,
            self.y + other.y,
            self.yy + other.yy,
            self.x + other.x,
            self.xx + other.xx,
            self.xy + other.xy,
        )

    @property
    def spread(self) -> tuple[float, float, float]:
        """Sums of squares around the means: of y, of x, and of both."""
        n = max(self.subjects, 1)
        return self.yy - self.y**2 / n, self.xx - self.x**2 / n, self.xy - self.x * self.y / n


class Adjusted(Struct, frozen=True):
    """A difference of means after adjustment."""

    lift: Interval
    removed: float
    """The share of the variance which the covariate explains (rho squared), 0 to 1."""


def adjusted(treated: CrossSums, control: CrossSums, level: float = LEVEL) -> Adjusted | None:
    """The treated's mean outcome minus the control's; None: nothing was known before, or nothing varies."""
    if min(treated.subjects, control.subjects) < 2:
        return None
    yy, xx, xy = (a + b for a, b in zip(treated.spread, control.spread, strict=True))
    if xx <= 0 or yy <= 0:
        return None
    theta = xy / xx
    middle = (treated.x + control.x) / (treated.subjects + control.subjects)
    lift = welch(_shifted(treated, theta, middle), _shifted(control, theta, middle), level)
    return Adjusted(lift, xy**2 / (xx * yy)) if lift else None


def _shifted(arm: CrossSums, theta: float, middle: float) -> Sums:
    """The sums of y - theta (x - middle)."""
    yy, xx, xy = arm.spread
    total = arm.y - theta * (arm.x - arm.subjects * middle)
    around = max(yy - 2 * theta * xy + theta**2 * xx, 0.0)
    return Sums(arm.subjects, 0, total, around + total**2 / arm.subjects)
