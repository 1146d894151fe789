"""How long people stay: the restricted mean of the time until they go, for two arms.

Somebody has gone when nothing was done for 56 days; they went at their last activity. Who was here in the
last 56 days is known to have stayed until these began, and counts as still there from then on (Kaplan and
Meier 1958). The mean is that of the time up to a common horizon, the area under the curve (Royston and Parmar
2013, BMC Medical Research Methodology 13, 152), its variance by Greenwood's formula.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.learn.columns import Flags, Floats, Integers, Outcomes
from hark.learn.compare import Interval
from hark.learn.facts import Facts
from hark.learn.power import quantile
from hark.model import DAY, Instant

GONE_US = 56 * DAY
LONGEST_D = 364.0
"""The farthest horizon, in days."""
FEWEST = 20
"""People of an arm, and of these who have gone, below which nothing is said."""


class Lifetime(Struct, frozen=True):
    """Days that people stay after the draw, of the first `horizon_d` days."""

    horizon_d: float
    treated: float
    control: float
    difference: Interval
    """95 %, for one look."""
    gone_treated: int
    gone_control: int


def lifetime(facts: Facts, outcomes: Outcomes, now: Instant) -> Lifetime | None:
    """Of everybody drawn 56 days ago or earlier; None: too few, or too few have gone, in an arm."""
    entries = outcomes.entries
    days, gone = stayed(entries.subject, entries.at, facts.activity, now)
    known = entries.at < now - GONE_US
    alone = entries.arm == (entries.names.index(CONTROL) if CONTROL in entries.names else -1)
    ours, others = known & ~alone, known & alone
    arms = [(days[who], gone[who]) for who in (ours, others)]
    if any(len(one) < FEWEST or left.sum() < FEWEST for one, left in arms):
        return None
    horizon = min(LONGEST_D, *(float(one.max()) for one, _ in arms))
    (mine, spread), (theirs, spread_theirs) = (restricted(*arm, horizon) for arm in arms)
    half = quantile(0.975) * sqrt(spread + spread_theirs)
    difference = Interval(mine - theirs, mine - theirs - half, mine - theirs + half)
    return Lifetime(horizon, mine, theirs, difference, *(int(left.sum()) for _, left in arms))


def stayed(
    subject: Integers, drawn: Integers, activity: tuple[Integers, Integers], now: Instant
) -> tuple[Floats, Flags]:
    """(days until they went, or until which they are known to have stayed; whether they went), by subject,
    ascending; who did nothing after the draw went at once."""
    last = np.array(drawn, np.int64)
    who, at = activity
    if len(subject) and len(who):
        place = np.minimum(np.searchsorted(subject, who), len(subject) - 1)
        mine = (subject[place] == who) & (at <= now)
        np.maximum.at(last, place[mine], at[mine])
    seen = now - GONE_US
    gone: Flags = last < seen
    until = np.where(gone, last, np.maximum(seen, drawn))
    return (until - drawn) / DAY, gone


def restricted(days: Floats, gone: Flags, horizon: float) -> tuple[float, float]:
    """The mean of the time up to the horizon, and its variance: at each time at which d of n went, the area
    under the curve from there on, squared, times d / (n (n - d))."""
    times, place = np.unique(days, return_inverse=True)
    left = np.bincount(place, gone, len(times))
    there = len(days) - np.concatenate([[0.0], np.cumsum(np.bincount(place, minlength=len(times)))[:-1]])
    curve = np.cumprod(1 - left / there)
    within = times < horizon
    edges = np.concatenate([[0.0], times[within], [horizon]])
    areas = np.diff(edges) * np.concatenate([[1.0], curve[within]])
    after = areas[::-1].cumsum()[::-1][1:]
    n, d = there[within], left[within]
    rest = np.maximum(n - d, 1e-300)
    parts = np.where(n > d, after**2 * d / (n * rest), 0.0)
    return float(areas.sum()), float(parts.sum())
