"""What follows a verdict: what it is worth in money, and how good the author's forecast was."""

from __future__ import annotations

from math import sqrt

from msgspec import Struct

from hark.learn import anytime
from hark.learn.compare import Interval
from hark.learn.comparison import Comparison
from hark.learn.verdict import Verdict


class Forecast(Struct, frozen=True):
    """The author's `expects`, scored once there is a verdict."""

    expects: float
    """The difference of rates that was expected."""
    error: float
    """The estimate minus that."""
    inside: bool
    """Whether the verdict's interval allows it."""


def forecast(found: Comparison, judged: Verdict) -> Forecast | None:
    """None: nothing was expected, or no verdict is known."""
    expects = found.campaign.expects
    if expects is None or not judged.known or judged.lift is None:
        return None
    return Forecast(expects, judged.lift.estimate - expects, expects in judged.lift)


def money(found: Comparison) -> Interval | None:
    """Value per person of the treated minus the control's, by the design of the verdict.

    At every look (`anytime.value`); under a plan estimate and boundary of its last look times standard error.
    None where the goal has no value, or too few have one.
    """
    goal, treated, control = found.campaign.goal, found.treated, found.control
    if goal is None or goal.value is None:
        return None
    if found.plan is None or not found.plan.looks:
        return anytime.value(treated, control)
    if not (treated.variance or control.variance):
        return None
    error = sqrt(sum((arm.variance or 0.0) / max(arm.subjects, 1) for arm in (treated, control)))
    estimate, half = (treated.mean or 0.0) - (control.mean or 0.0), found.plan.looks[-1].bound * error
    return Interval(estimate, estimate - half, estimate + half)
