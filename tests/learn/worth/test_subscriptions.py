"""Subscriptions by their events: the paper's cohorts, counts by hand, and a check on what was held back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hark.learn.worth import sbg
from hark.learn.worth.subscriptions import NEVER, Subscribers, held_back, renewals, subscribers
from hark.model import DAY, Instant

T0: Instant = 1_772_000_000_000_000
YEAR = 365 * DAY
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]


def cohort() -> Subscribers:
    """The paper's high-end customers, who leave in the middle of a year."""
    ends: list[int] = []
    for year, (before, after) in enumerate(pairwise(HIGH_END)):
        ends += [T0 + year * YEAR + YEAR // 2] * (before - after)
    ends += [NEVER] * HIGH_END[-1]
    return Subscribers(np.full(1000, T0), np.array(ends))


def test_a_cohort_s_events_give_the_papers_parameters() -> None:
    """High end: alpha = .668, beta = 3.806 (Fader and Hardie 2007), from starts and ends."""
    left, still = cohort().counts(T0 + 7 * YEAR, YEAR)
    model, _ = sbg.fit_all(left, still)
    assert (model.alpha, model.beta) == pytest.approx((0.668, 3.806), abs=6e-4)
    shown = renewals(left, still, model, 2)
    assert [one.there for one in shown] == [*HIGH_END[:-1], 0, 0]
    assert shown[1].renewed == pytest.approx(743 / 869)
    assert shown[-1].renewed is None
    assert shown[6].survival == pytest.approx(0.491, abs=0.01)


def test_cohorts_of_different_age_recover_the_model() -> None:
    """Subscribers drawn from alpha = 1.2, beta = 4, of one to three years: within 3 standard errors."""
    chance = np.random.default_rng(3)
    start = T0 + chance.integers(0, 24, 4000) * 30 * DAY
    stays = chance.geometric(np.clip(chance.beta(1.2, 4, 4000), 1e-6, 1))
    of = Subscribers(start, start + stays * 30 * DAY)
    left, still = of.counts(T0 + 36 * 30 * DAY, 30 * DAY)
    model, found = sbg.fit_all(left, still)
    assert abs(model.alpha - 1.2) < 3 * found.errors[0]
    assert abs(model.beta - 4) < 3 * found.errors[1]
    check = held_back(of, T0 + 36 * 30 * DAY, 30 * DAY, 6)
    assert check is not None
    assert check.expected == pytest.approx(check.actual, rel=0.03)


def test_first_start_and_first_end_after_it_count() -> None:
    """An end before the start, a second start and a second end change nothing; nobody's end is nobody's."""
    starts: Any = (np.array([2, 1, 1]), np.array([50, 20, 10]))
    ends: Any = (np.array([1, 1, 1, 7]), np.array([5, 40, 30, 60]))
    found = subscribers(starts, ends)
    assert (found.start.tolist(), found.end.tolist()) == ([10, 50], [30, NEVER])
    left, still = found.counts(70, 10)
    assert left.tolist()[:2] == [0, 1]
    assert still.tolist()[:3] == [0, 0, 1]
