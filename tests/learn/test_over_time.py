"""The effect by week of entry and by days since entry, and versions combined."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from hark.learn.compare import newcombe
from hark.learn.report import report
from hark.model import DAY, WEEK, Event
from tests.learn.histories import T0, Told, campaign, entry, event

LATE = T0 + 200 * DAY


def arms(version: int, first: int, at: int, ours: tuple[int, int], others: tuple[int, int]) -> list[Event]:
    """(people, goals) of each arm, who enter at `at` and buy one after the other, three hours apart."""
    events = []
    for arm, (people, goals), start in (("mail", ours, first), ("control", others, first + 2000)):
        events += [entry(start + n, at, 10 * (start + n), arm, version) for n in range(people)]
        events += [
            event(start + n, at + (n % 30) * DAY // 8, 10 * (start + n) + 1, "Bought") for n in range(goals)
        ]
    return events


def test_each_week_of_entry_has_its_own_people() -> None:
    """Two weeks, each with its counts and its own interval; the goals are those of its people."""
    events = arms(1, 1, T0, (100, 30), (100, 10)) + arms(1, 10_000, T0 + WEEK, (50, 5), (60, 6))
    found = report(Told(events), [campaign()], LATE).weeks
    assert [(one.treated.subjects, one.treated.goals) for one in found] == [(100, 30), (50, 5)]
    assert [(one.control.subjects, one.control.goals) for one in found] == [(100, 10), (60, 6)]
    assert found[0].lift == newcombe(found[0].treated, found[0].control)


def test_days_since_entry_add_up_to_the_windows_goals() -> None:
    """Who buys on day d counts from the d-th point on; the last is the report's own rate."""
    found = report(Told(arms(1, 1, T0, (100, 30), (100, 10))), [campaign()], LATE)
    assert [round(one.treated, 2) for one in found.days[:4]] == [0.09, 0.17, 0.25, 0.3]
    assert found.days[-1].days == 14
    assert found.lift == found.days[-1].lift


def test_versions_are_combined_within_version_and_week() -> None:
    """As statsmodels' pooled risk difference would have it; pooling would show an effect where there is none.

    In the first version half of the people buy and one in ten is left alone; in the second one in ten, and
    half are left alone: the treated look better only because most of them came in the better time.
    """
    first = arms(1, 1, T0, (900, 450), (100, 50))
    second = arms(2, 10_000, T0 + 3 * WEEK, (500, 50), (500, 50))
    again = [entry(1, T0 + 3 * WEEK, 99_999, "control", 2)]
    found = report(Told(first + second + again), [campaign(1), campaign(2)], LATE)
    assert found.versions is not None
    assert found.versions.estimate == pytest.approx(0, abs=1e-12)
    tables = [np.array([[450, 450], [50, 50]]), np.array([[50, 450], [50, 450]])]
    assert StratifiedTable(tables).test_null_odds().pvalue == pytest.approx(1)
    assert report(Told(first), [campaign(1), campaign(2)], LATE).versions is None
