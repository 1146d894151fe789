"""How often, how soon and how much each time, against statsmodels and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from hark.learn.measures import Measure
from hark.learn.report import report
from hark.model import DAY, HOUR, JSON, Event
from tests.learn.histories import T0, Told, campaign, entry, event, people

GOAL: JSON = {"event": "Bought", "within": "14d", "value": "revenue"}


def measured(events: list[Event]) -> list[Measure]:
    return list(report(Told(events), [campaign(goal=GOAL)], T0 + 90 * DAY).measures)


def test_days_to_the_goal_are_the_area_under_the_survival_curve() -> None:
    """As statsmodels' Kaplan-Meier curve of the same waits, cut at the window's end."""
    chance = np.random.default_rng(7)
    waits = (chance.exponential(15 * 24, 200) * HOUR).astype(int).tolist()
    events = people("control", 50, 10, 5000) + [entry(n, T0, 10 * n, "mail") for n in range(1, 201)]
    events += [event(n + 1, T0 + wait, 10 * n + 11, "Bought") for n, wait in enumerate(waits)]
    days = np.minimum(np.array(waits) / DAY, 14)
    curve = SurvfuncRight(days, (days < 14).astype(int))
    edges = np.concatenate([[0], curve.surv_times, [14]])
    area = float((np.diff(edges) * np.concatenate([[1], curve.surv_prob])).sum())
    assert measured(events)[1].treated == pytest.approx(area, rel=1e-9)


def test_goals_per_person_and_value_per_goal() -> None:
    """Ten of a hundred buy twice for 10 and 20: 0.2 goals a person, 15 each; the control once for 12."""
    ours = people("mail", 100, 10, 1, [10.0] * 10)
    ours += [event(n, T0 + 2 * DAY, 10 * n + 2, "Bought", {"revenue": 20.0}) for n in range(1, 11)]
    found = measured(ours + people("control", 100, 10, 5000, [12.0] * 10))
    assert (found[0].treated, found[0].control) == (0.2, 0.1)
    assert (found[2].says, found[2].treated, found[2].control) == ("revenue per goal", 15.0, 12.0)
    assert found[2].lift is not None and found[2].lift.estimate == pytest.approx(3.0)
    assert found[0].lift is not None and found[0].lift.estimate == pytest.approx(0.1)
