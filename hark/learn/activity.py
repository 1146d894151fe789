"""On how many days people were active after they entered, whatever they did."""

from __future__ import annotations

import numpy as np

from hark.decide.assignment import CONTROL
from hark.learn.columns import Flags, Integers, Outcomes
from hark.learn.facts import Facts
from hark.learn.measures import Measure, mean
from hark.model import Instant
from hark.understand.conditions.base import distinct
from hark.understand.periods import Cut


def active_days(facts: Facts, outcomes: Outcomes, now: Instant, zone: str = "UTC") -> tuple[Measure, ...]:
    """Different days of the workspace's zone with activity in the goal's window, a person."""
    count = days(facts, outcomes, zone).astype(np.float64)
    found = arms(outcomes, now)
    nobody = np.zeros(len(count), np.bool_)
    ours = np.logical_or.reduce([nobody, *(who for name, who in found.items() if name != CONTROL)])
    return (mean("active days per person", count, ours, found.get(CONTROL, nobody)),)


def arms(outcomes: Outcomes, now: Instant) -> dict[str, Flags]:
    """By arm, the entries whose window is over."""
    entries, over = outcomes.entries, outcomes.over(now)
    return {name: over & (entries.arm == code) for code, name in enumerate(entries.names)}


def days(facts: Facts, outcomes: Outcomes, zone: str = "UTC") -> Integers:
    """By entry, the days with activity strictly after it, within the goal's window."""
    entries, (subject, at) = outcomes.entries, facts.activity
    if not (len(entries) and len(subject)):
        return np.zeros(len(entries), np.int64)
    place = np.minimum(np.searchsorted(entries.subject, subject), len(entries) - 1)
    since = at - entries.at[place]
    inside = (entries.subject[place] == subject) & (since > 0) & (since <= outcomes.goal.within_us)
    cut = Cut.over(at[inside], "day", zone)
    width = len(cut.days) + 1
    different = distinct(place[inside] * width + cut.places(at[inside])) // width
    counted: Integers = np.bincount(different, minlength=len(entries))
    return counted
