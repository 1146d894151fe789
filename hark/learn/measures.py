"""What else differs between the arms: how often, how soon, and how much each time. None of it decides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.learn.adjust import CrossSums
from hark.learn.aggregates import Sums
from hark.learn.columns import NEVER, Flags, Floats, Outcomes
from hark.learn.compare import Interval, welch
from hark.learn.ratios import difference, ratio
from hark.model import DAY, Instant


class Measure(Struct, frozen=True):
    """One measure of both arms, for one look."""

    says: str
    treated: float | None
    control: float | None
    lift: Interval | None
    """The treated's minus the control's (95 %); None where it cannot be computed."""


def measures(outcomes: Outcomes, now: Instant) -> tuple[Measure, ...]:
    """Over those whose window is over: goals a person, days to the goal, and the value of each goal."""
    over, alone = outcomes.over(now), _alone(outcomes)
    return tuple(_all(outcomes, over & ~alone, over & alone))


def _all(outcomes: Outcomes, ours: Flags, others: Flags) -> Iterator[Measure]:
    count = outcomes.count.astype(np.float64)
    yield mean("goals per person", count, ours, others)
    yield mean("days to the goal, the window's if it did not come", days_to_goal(outcomes), ours, others)
    if outcomes.goal.value:
        arms = [_cross(outcomes.value[who], count[who]) for who in (ours, others)]
        name = f"{outcomes.goal.value} per goal"
        yield Measure(name, ratio(arms[0]), ratio(arms[1]), difference(arms[0], arms[1]))


def days_to_goal(outcomes: Outcomes) -> Floats:
    """By entry, days until the first goal, but at most the window: its mean is the restricted mean.

    Royston and Parmar (2013), BMC Medical Research Methodology 13, 152: the area under the curve of those
    still without the goal. Nobody here is censored, since only entries whose window is over count.
    """
    within = outcomes.goal.within_us
    waited: Floats = np.where(outcomes.since == NEVER, within, outcomes.since).astype(np.float64) / DAY
    return waited


def mean(says: str, of: Floats, ours: Flags, others: Flags) -> Measure:
    """The mean of a number that each person has, and Welch's interval of the difference."""
    treated, control = (_sums(of[who]) for who in (ours, others))
    return Measure(says, treated.mean, control.mean, welch(treated, control))


def _sums(of: Floats) -> Sums:
    return Sums(len(of), 0, float(of.sum()), float((of * of).sum()))


def _cross(y: Floats, x: Floats) -> CrossSums:
    return CrossSums(len(y), *(float(one.sum()) for one in (y, y * y, x, x * x, x * y)))


def _alone(outcomes: Outcomes) -> Flags:
    names = outcomes.entries.names
    code = names.index(CONTROL) if CONTROL in names else -1
    alone: Flags = outcomes.entries.arm == code
    return alone
