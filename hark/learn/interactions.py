"""Whether a campaign works differently for people whom another campaign treats, too.

Of two campaigns that share over a fifth of their people those shared stand in four cells, by the arms of
both. The interaction is the lift among whom the other treats minus the lift among whom the other leaves
alone; both were drawn by hashes of their own, so the cells differ by the two campaigns alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np
from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.learn.aggregates import Sums
from hark.learn.anytime import FEWEST_GOALS, too_early
from hark.learn.columns import Flags, Outcomes
from hark.learn.compare import LEVEL, Interval, newcombe
from hark.learn.power import quantile
from hark.model import Instant

SHARED = 0.2
"""Campaigns that share fewer of their people are not looked at."""


class Interaction(Struct, frozen=True):
    """One campaign's lift by the arm in another, among those who are in both; for one look, deciding
    nothing."""

    other: str
    shared: float
    """The share of the campaign's people who are in the other one's comparison, too."""
    people: int
    treated: Interval | None
    """The lift among those whom the other treats (Newcombe)."""
    alone: Interval | None
    """The lift among those whom the other leaves alone."""
    difference: Interval | None
    """Of the two lifts, the first minus the second (95 %, normal); None while a cell is too small."""

    @property
    def found(self) -> bool:
        """Whether the two campaigns change each other's effect."""
        return self.difference is not None and self.difference.excludes_zero


def interactions(found: Mapping[str, Outcomes], now: Instant) -> dict[str, tuple[Interaction, ...]]:
    """By campaign, how its lift goes with each other one that shares over a fifth of its people."""
    return {
        name: tuple(
            one
            for other, theirs in found.items()
            if other != name and (one := _between(mine, other, theirs, now))
        )
        for name, mine in found.items()
    }


def _between(mine: Outcomes, name: str, theirs: Outcomes, now: Instant) -> Interaction | None:
    over = mine.over(now)
    place = np.searchsorted(theirs.entries.subject, mine.entries.subject)
    place = np.minimum(place, max(len(theirs.entries) - 1, 0))
    if not (over.any() and len(theirs.entries)):
        return None
    both = over & (theirs.entries.subject[place] == mine.entries.subject)
    shared = float(both.sum() / over.sum())
    if shared <= SHARED:
        return None
    left, ours = _alone(theirs)[place], _alone(mine)
    cells = [_sums(mine, both & other & own) for other in (~left, left) for own in (~ours, ours)]
    pairs = (cells[0], cells[1]), (cells[2], cells[3])
    lifts = [newcombe(*pair) for pair in pairs]
    return Interaction(name, shared, int(both.sum()), lifts[0], lifts[1], difference(pairs))


def _alone(outcomes: Outcomes) -> Flags:
    names = outcomes.entries.names
    code = names.index(CONTROL) if CONTROL in names else -1
    alone: Flags = outcomes.entries.arm == code
    return alone


def _sums(outcomes: Outcomes, who: Flags) -> Sums:
    return Sums(int(who.sum()), int(outcomes.reached[who].sum()))


def difference(pairs: tuple[tuple[Sums, Sums], tuple[Sums, Sums]]) -> Interval | None:
    """The first lift minus the second, the interaction contrast of a 2 x 2 design: the cells are independent,
    so their binomial variances add (95 %, normal). None while an arm has too few with the goal or without."""
    if any(too_early(*pair, FEWEST_GOALS) for pair in pairs):
        return None
    rates = [[arm.goals / arm.subjects for arm in pair] for pair in pairs]
    estimate = (rates[0][0] - rates[0][1]) - (rates[1][0] - rates[1][1])
    variance = sum(
        rate * (1 - rate) / arm.subjects
        for pair, both in zip(pairs, rates, strict=True)
        for arm, rate in zip(pair, both, strict=True)
    )
    half = quantile(0.5 + LEVEL / 2) * sqrt(variance)
    return Interval(estimate, estimate - half, estimate + half)
