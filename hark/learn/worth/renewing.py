"""What each subscriber will stay and pay, for computed traits: by the shifted-beta-geometric model of all.

Of somebody who has completed t periods, the chance of staying n more is S(t + n) / S(t), and the periods to
come out of the next n are the sum of these up to n (Fader and Hardie 2010, "Customer-Base Valuation in a
Contractual Setting", Marketing Science 29(1), 85-93: the survivor function conditional on survival so far).
"""

from __future__ import annotations

import numpy as np

from hark.definitions.learned import Renewing
from hark.learn.columns import Integers
from hark.learn.worth import sbg
from hark.learn.worth.fit import Floats
from hark.learn.worth.sbg import ShiftedBetaGeometric
from hark.learn.worth.subscriptions import Subscribers, enough
from hark.model import DAY, Instant


def estimates(of: Subscribers, price: Floats | None, now: Instant, asked: Renewing) -> Floats | None:
    """The estimate of each subscriber, beside `of`; who left has 0. None: too few to fit a model.

    `price`: of each one's period, where `asked.what` is "value".
    """
    left, still = of.counts(now, asked.period_days * DAY)
    if not enough(left, still):
        return None
    model, _ = sbg.fit_all(left, still)
    there = (of.start <= now) & (of.end > now)
    done = np.where(there, (now - of.start) // (asked.period_days * DAY), 0).astype(np.float64)
    if asked.what == "stays":
        return np.where(there, np.round(stays(model, done, asked.ahead), 3), 0.0)
    periods = np.where(there, to_come(model, done, asked.ahead), 0.0)
    return np.round(periods if price is None else periods * price, 2)


def stays(model: ShiftedBetaGeometric, done: Floats, ahead: int) -> Floats:
    """The chance of renewing at each of the next `ahead` ends of a period, after so many completed ones."""
    chance: Floats = model.survival(done + ahead) / model.survival(done)
    return chance


def to_come(model: ShiftedBetaGeometric, done: Floats, ahead: int) -> Floats:
    """The periods of the next `ahead` that are expected to be renewed for."""
    return sum((stays(model, done, period) for period in range(1, ahead + 1)), np.zeros(len(done)))


def latest(subjects: Integers, who: Integers, at: Integers, price: Floats) -> Floats:
    """By subject (ascending), the price that stands in their latest start; 0 where none has one."""
    found = np.zeros(len(subjects))
    order = np.lexsort((at, who))
    order = order[price[order] > 0]
    place = np.searchsorted(subjects, who[order])
    known = (place < len(subjects)) & (subjects[np.minimum(place, len(subjects) - 1)] == who[order])
    found[place[known]] = price[order][known]
    return found
