"""Whether two campaigns change each other's lift, by histories counted by hand and beside statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from hark.learn.report import reports
from hark.model import DAY, Event
from tests.learn.histories import T0, Told, campaign, entry, event

NOW = T0 + 60 * DAY
GOALS = {("mail", "mail"): 60, ("mail", "control"): 30, ("control", "mail"): 25, ("control", "control"): 20}
"""Of 100 people in each cell, by the arms in "a" and in "b", so many buy."""


def cells(alike: bool = False) -> list[Event]:
    events = []
    for cell, ((mine, theirs), goals) in enumerate(GOALS.items()):
        for number in range(100):
            subject = 1 + 100 * cell + number
            events.append(entry(subject, T0, 10 * subject, mine, campaign="a"))
            events.append(entry(subject, T0, 10 * subject + 1, theirs, campaign="b"))
            if number < (30 if alike else goals):
                events.append(event(subject, T0 + DAY, 10 * subject + 2, "Bought"))
    return events


def test_the_difference_of_two_lifts_is_that_of_a_saturated_model() -> None:
    """Lifts of 35 and 10 points differ by 25; estimate and standard error are those of the interaction in a
    linear model with a variance for each cell, as statsmodels fits it."""
    found = reports(Told(cells()), {"a": [campaign(name="a")], "b": [campaign(name="b")]}, NOW)
    (one,) = found["a"].interactions
    assert (one.other, one.shared, one.people) == ("b", 1.0, 400)
    assert one.treated is not None
    assert one.alone is not None
    assert (one.treated.estimate, one.alone.estimate) == pytest.approx((0.35, 0.10))
    rows = [(a == "mail", b == "mail", n < goals) for (a, b), goals in GOALS.items() for n in range(100)]
    a, b, y = np.array(rows, float).T
    model = sm.OLS(y, np.column_stack([np.ones(400), a, b, a * b])).fit(cov_type="HC0")
    assert one.difference is not None
    assert one.difference.estimate == pytest.approx(model.params[3])
    half = (one.difference.high - one.difference.low) / 2
    assert half / 1.959964 == pytest.approx(model.bse[3], rel=1e-6)
    assert one.found


def test_alike_lifts_do_not_interact() -> None:
    """Where the goal is as frequent in all cells nothing is found."""
    found = reports(Told(cells(alike=True)), {"a": [campaign(name="a")], "b": [campaign(name="b")]}, NOW)
    assert [one.found for one in found["b"].interactions] == [False]


def test_few_shared_people_are_not_looked_at() -> None:
    """A fifth or less in common says nothing of a campaign; alone it has no interactions either."""
    events = [one for one in cells() if not (b'"campaign":"b"' in one.properties and one.subject > 80)]
    found = reports(Told(events), {"a": [campaign(name="a")], "b": [campaign(name="b")]}, NOW)
    assert found["a"].interactions == ()
    assert [one.other for one in found["b"].interactions] == ["a"]
    assert found["b"].interactions[0].difference is None
