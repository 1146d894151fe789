"""What stands beside the goal in a report: goals of `also`, guardrails, active days; by a history counted by
hand, and beside an independent computation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from hark.learn.report import report
from hark.model import DAY, HOUR, JSON, FactName
from tests.learn.histories import T0, Told, campaign, entry, event

NOW = T0 + 60 * DAY


def history() -> Told:
    """100 treated and 100 left alone; of each hundred as many did a thing as stands beside it."""
    did = {"Opened": (30, 20), "Redeemed": (12, 0), "Unsubscribed": (5, 1), "Came": (40, 60)}
    events = []
    for arm, first in enumerate((1, 101)):
        for number in range(100):
            subject = first + number
            events.append(entry(subject, T0, 10 * subject, ("mail", "control")[arm]))
            for place, (name, counts) in enumerate(did.items(), start=1):
                if number < counts[arm]:
                    events.append(event(subject, T0 + DAY + place * HOUR, 10 * subject + place, name))
    return Told(events)


DOCUMENT = campaign(
    also=[{"event": "Opened", "within": "7d"}, {"event": "Redeemed", "within": "7d", "response": "yes"}],
    guardrails=["Unsubscribed", "Closed"],
)


def test_goals_beside_the_goal_have_rates_and_intervals() -> None:
    """Both arms' rates and an interval for every look; a response has the treated's rate and Wilson's
    interval, as statsmodels computes it, and no lift."""
    opened, redeemed = report(history(), [DOCUMENT], NOW).also
    assert (opened.treated.goals, opened.control.goals) == (30, 20)
    assert opened.lift is not None
    assert opened.lift.estimate == pytest.approx(0.1)
    assert redeemed.lift is None
    assert redeemed.rate is not None
    low, high = proportion_confint(12, 100, method="wilson")
    assert (redeemed.rate.low, redeemed.rate.high) == pytest.approx((low, high))


def test_the_report_says_them() -> None:
    """Each is said in a sentence that says it decides nothing."""
    said = " ".join(report(history(), [DOCUMENT], NOW).sentences)
    assert (
        "Beside the goal, deciding nothing: 30 (30.0%) of those treated, 20 (20.0%) of those left alone"
        in said
    )
    assert "Response: of 100 written to, 12 (12.0%) did Redeemed within 7 days" in said


def test_guardrails_are_those_named_and_that_people_come_back() -> None:
    """The names of the document, and activity again; of unsubscribing and the like nothing is activity but
    what people did."""
    found = {one.event: one for one in report(history(), [DOCUMENT], NOW).guardrails}
    assert list(found) == ["Unsubscribed", "Closed", "came back"]
    assert (found["Unsubscribed"].treated.goals, found["Unsubscribed"].control.goals) == (5, 1)
    assert (found["came back"].treated.goals, found["came back"].control.goals) == (40, 60)
    assert found["came back"].lift is not None
    assert found["came back"].lift.estimate == pytest.approx(-0.2)


def test_active_days_are_different_days() -> None:
    """Three events on two days are two days; what is at the entry's own instant or past the window is
    none."""
    events = []
    rng = np.random.default_rng(1)
    counts: dict[str, list[int]] = {"mail": [], "control": []}
    for subject in range(1, 41):
        arm = ("mail", "control")[subject % 2]
        events.append(entry(subject, T0, 100 * subject, arm))
        days = sorted(set(rng.integers(1, 13, size=4 if arm == "mail" else 2).tolist()))
        counts[arm].append(len(days))
        for place, day in enumerate(days):
            for twice in (1, 2):
                seq = 100 * subject + 2 * place + twice
                events.append(event(subject, T0 + day * DAY + twice * HOUR, seq, "Looked"))
        events.append(event(subject, T0 + 15 * DAY, 100 * subject + 90, "Looked"))
    found = report(Told(events), [campaign()], NOW).measures[-1]
    welch = stats.ttest_ind(counts["mail"], counts["control"], equal_var=False).confidence_interval(0.95)
    assert found.says == "active days per person"
    assert (found.treated, found.control) == pytest.approx(
        (np.mean(counts["mail"]), np.mean(counts["control"]))
    )
    assert found.lift is not None
    assert (found.lift.low, found.lift.high) == pytest.approx((welch.low, welch.high))


def test_a_judged_goal_is_read_from_what_the_runs_wrote() -> None:
    """Of a goal that is a condition the report counts the facts, and not those of goals beside it."""
    document = campaign(goal={"when": {"did_not": "Cancelled"}, "within": "14d"})
    events = [entry(subject, T0, 10 * subject, ("mail", "control")[subject % 2]) for subject in range(1, 101)]
    for subject in range(1, 51):
        told: dict[str, JSON] = {"campaign": "c", "run": "r", "value": None, "event": "", "first": True}
        told |= {"also": 1} if subject > 40 else {}
        events.append(event(subject, T0 + 14 * DAY, 10 * subject + 1, FactName.GOAL_REACHED, told))
    found = report(Told(events), [document], NOW)
    assert [arm.goals for arm in found.arms] == [20, 20]
    assert "did not do Cancelled" in " ".join(found.sentences)
