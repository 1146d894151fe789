"""The same comparison by week of entry and by days since entry: whether the effect lasts, and when it comes.

Descriptions: no verdict rests on them. A week that stands out among many is what chance looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.learn.aggregates import Sums
from hark.learn.columns import Integers, Outcomes
from hark.learn.compare import Interval, newcombe
from hark.learn.looks import treated
from hark.learn.signals.stratified import difference
from hark.model import DAY, Instant
from hark.understand.periods import begins, days_between

MOST_DAYS = 30
"""So many points at most; over a longer window they lie further apart."""


class WeekEffect(Struct, frozen=True):
    """Those who entered in one week."""

    week: str
    """Its Monday, in the workspace's zone."""
    treated: Sums
    control: Sums
    lift: Interval | None
    """Of that week by itself (Newcombe, 95 %, for one look); None while an arm is empty."""


class DayEffect(Struct, frozen=True):
    """Goals within so many days of the entry, among all whose whole window is over."""

    days: int
    treated: float
    control: float
    lift: Interval | None


def by_week(outcomes: Outcomes, now: Instant, zone: str, without: Integers | None = None) -> list[WeekEffect]:
    """By week of entry, oldest first, `without` these subjects; weeks in which nobody counts are left out."""
    entered = outcomes.entries.at
    days = days_between(int(entered.min()), int(entered.max()), "week", zone) if len(entered) else []
    starts = np.array([begins(day, zone) for day in days], np.int64)
    place = np.searchsorted(starts, entered, side="right") - 1
    sums = [outcomes.sums(now, without, place == week) for week in range(len(days))]
    weeks = [_week(f"{day}", one) for day, one in zip(days, sums, strict=True)]
    return [one for one in weeks if one.treated.subjects or one.control.subjects]


def _week(day: str, sums: Mapping[str, Sums]) -> WeekEffect:
    ours, others = treated(sums), sums.get(CONTROL, Sums())
    return WeekEffect(day, ours, others, newcombe(ours, others))


def by_day(outcomes: Outcomes, now: Instant) -> list[DayEffect]:
    """By days since the entry, up to the goal's window, cumulative."""
    last = max(outcomes.goal.within_us // DAY, 1)
    step = -(-last // MOST_DAYS)
    return [_day(days, outcomes.sums(now, by=days * DAY)) for days in range(step, last + 1, step)]


def _day(days: int, sums: Mapping[str, Sums]) -> DayEffect:
    ours, others = treated(sums), sums.get(CONTROL, Sums())
    return DayEffect(days, ours.rate or 0.0, others.rate or 0.0, newcombe(ours, others))


def stratified(weeks: Sequence[WeekEffect]) -> Interval | None:
    """The lift over weeks (of one version or several), each compared within itself: Mantel and Haenszel.

    Pooling them would compare early people with late ones where the shares of the arms had changed.
    """
    columns = [
        (one.treated.subjects, one.treated.goals, one.control.subjects, one.control.goals) for one in weeks
    ]
    exposed, cases, others, other_cases = np.array(columns, np.float64).reshape(-1, 4).T
    return difference(exposed, cases, others, other_cases)
