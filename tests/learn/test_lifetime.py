"""How long people stay: against statsmodels' curve, and where nobody is left against the plain mean."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from hark.definitions.types import EventMatch, Goal
from hark.learn.columns import Entries, Outcomes
from hark.learn.entries import Entered
from hark.learn.facts import FactsOf
from hark.learn.lifetime import GONE_US, lifetime, restricted, stayed
from hark.model import DAY
from tests.learn.histories import T0, Told, event

NOW = T0 + 400 * DAY


def test_the_mean_is_the_area_under_kaplan_and_meiers_curve() -> None:
    """With a third still there, the area under statsmodels' curve up to the horizon."""
    chance = np.random.default_rng(5)
    days, seen = chance.exponential(80, 300), chance.uniform(20, 200, 300)
    time, gone = np.minimum(days, seen), days <= seen
    curve = SurvfuncRight(time, gone.astype(int))
    edges = np.concatenate([[0.0], curve.surv_times[curve.surv_times < 120], [120.0]])
    heights = np.concatenate([[1.0], curve.surv_prob[curve.surv_times < 120]])
    assert restricted(time, gone, 120.0)[0] == pytest.approx(float(np.diff(edges) @ heights))


def test_where_all_have_gone_it_is_the_plain_mean() -> None:
    """Mean and variance are those of the times cut at the horizon."""
    days = np.random.default_rng(6).exponential(50, 200)
    cut = np.minimum(days, 90)
    mean, variance = restricted(days, np.ones(200, np.bool_), 90.0)
    assert mean == pytest.approx(cut.mean())
    assert variance == pytest.approx(cut.var() / 200)


def test_who_was_here_lately_has_not_gone() -> None:
    """Silent for 56 days: not gone yet; a moment longer: gone at the last activity; who did nothing went at
    once."""
    subjects, drawn = np.array([1, 2, 3]), np.full(3, T0)
    activity = np.array([1, 2]), np.array([NOW - GONE_US, NOW - GONE_US - 1])
    days, gone = stayed(subjects, drawn, activity, NOW)
    assert gone.tolist() == [False, True, True]
    assert days.tolist() == [344.0, pytest.approx(344.0), 0.0]


def test_two_arms_are_compared_by_hand() -> None:
    """Half of each have gone, after 100 and 50 days: by hand the mean, the difference and its interval."""
    subjects = np.arange(1, 101)
    told = [Entered("", 0, "treated" if one <= 60 else "control") for one in subjects]
    entries = Entries(subjects, np.full(100, T0), np.zeros(100, np.int64), told)
    events = [event(int(one), T0 + (100 if one <= 60 else 50) * DAY, int(one), "Came") for one in subjects]
    events += [event(int(one), NOW - DAY, 1000 + int(one), "Came") for one in subjects if one % 2]
    facts = FactsOf(Told(events), subjects)
    goal = Goal(EventMatch(("Bought",)), 28 * DAY)
    found = lifetime(facts, Outcomes(entries, facts.events(("Bought",)), goal), NOW)
    assert found is not None
    assert (found.horizon_d, found.gone_treated, found.gone_control) == (344, 30, 20)
    assert found.treated == pytest.approx((100 + 344) / 2)
    assert found.difference.estimate == pytest.approx(25)
    half = 1.959964 * np.sqrt(244**2 / 4 / 60 + 294**2 / 4 / 40)
    assert found.difference.high - found.difference.estimate == pytest.approx(half, rel=1e-6)
    few = Entries(subjects[:30], np.full(30, T0), np.zeros(30, np.int64), told[:30])
    assert lifetime(facts, Outcomes(few, facts.events(("Bought",)), goal), NOW) is None
