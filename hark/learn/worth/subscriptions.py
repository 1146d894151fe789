"""How long subscriptions last: the shifted-beta-geometric model of everybody who subscribed, and its check.

A subscription begins at a customer's first start and ends at the first end after it. Time counts in whole
periods from each one's start: who left in the t-th period renewed t - 1 times.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from hark.learn.columns import Integers
from hark.learn.worth import sbg
from hark.learn.worth.fit import Floats
from hark.learn.worth.sbg import ShiftedBetaGeometric
from hark.model import Instant

MOST_PERIODS = 520
FEWEST = 20
"""Who left, and who is there for a period or longer: fewer of either make no model."""
NEVER = np.iinfo(np.int64).max


class Subscribers(Struct, frozen=True):
    """One row a subscriber."""

    start: Integers
    end: Integers
    """NEVER where there is none."""
    subject: Integers = np.zeros(0, np.int64)
    """Ascending; of those that events tell of."""

    def counts(self, now: Instant, period_us: int) -> tuple[Floats, Floats]:
        """(left in the t-th period, still there after t whole periods), as they were known at a moment."""
        begun = self.start <= now
        start, end = self.start[begun], self.end[begun]
        gone = end <= now
        ended = np.maximum(end[gone] - start[gone] - 1, 0) // period_us
        whole = (now - start[~gone]) // period_us
        size = int(max(ended.max(initial=0) + 1, whole.max(initial=0), 1))
        left = np.bincount(ended, minlength=size).astype(np.float64)
        return left, np.bincount(whole, minlength=size + 1).astype(np.float64)


def subscribers(starts: tuple[Integers, Integers], ends: tuple[Integers, Integers]) -> Subscribers:
    """Of (subject, at) of all starts and of all ends."""
    order = np.lexsort((starts[1], starts[0]))
    who, first = np.unique(starts[0][order], return_index=True)
    begun = starts[1][order][first]
    until = np.full(len(who), NEVER, np.int64)
    if len(who):
        place = np.minimum(np.searchsorted(who, ends[0]), len(who) - 1)
        mine = (who[place] == ends[0]) & (ends[1] > begun[place])
        np.minimum.at(until, place[mine], ends[1][mine])
    return Subscribers(begun, until, who)


def enough(left: Floats, still: Floats) -> bool:
    """Whether these counts make a model."""
    return bool(min(left.sum(), still[1:].sum()) >= FEWEST)


class Renewal(Struct, frozen=True):
    """One period: of those there at its start, who renewed."""

    period: int
    there: int
    renewed: float | None
    """The share seen; None where nobody came so far."""
    expected: float
    """By the model."""
    survival: float
    """By the model, the share of all who began that is still there after it."""


class Held(Struct, frozen=True):
    """The check: those there when the last periods began, at their end; the model had not seen these."""

    there: int
    expected: float
    actual: int


def renewals(left: Floats, still: Floats, model: ShiftedBetaGeometric, ahead: int) -> list[Renewal]:
    """Every period seen, and `ahead` more."""
    periods = np.arange(1, len(left) + ahead + 1, dtype=np.float64)
    expected, survival = model.retention(periods), model.survival(periods)
    known = still.sum() + left.sum()
    there = known - np.concatenate([[0.0], np.cumsum(left)])[:-1] - np.cumsum(still)[: len(left)]
    found = []
    for place, period in enumerate(periods.astype(int).tolist()):
        seen = float(there[place]) if place < len(left) else 0.0
        renewed = 1 - float(left[place]) / seen if seen else None
        found.append(Renewal(period, int(seen), renewed, float(expected[place]), float(survival[place])))
    return found


def held_back(of: Subscribers, now: Instant, period_us: int, periods: int) -> Held | None:
    """None: too little was known before these periods for a model."""
    cut = now - periods * period_us
    left, still = of.counts(cut, period_us)
    try:
        model, _ = sbg.fit_all(left, still)
    except ValueError:
        return None
    there = (of.start <= cut) & (of.end > cut)
    done = ((cut - of.start[there]) // period_us).astype(np.float64)
    expected = float((model.survival(done + periods) / model.survival(done)).sum())
    return Held(int(there.sum()), expected, int((of.end[there] > now).sum()))
