"""Reports from histories: arms, lifts, and what the sentences may say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from hark.history.reader import Snapshot
from hark.learn.report import Report, report
from hark.learn.verdict import Word
from hark.model import DAY, JSON, Event, Instant
from hark.understand.people import People
from tests.learn.histories import T0, Told, campaign, entry, event, people

OVER = T0 + 15 * DAY + 1
"""When everybody who entered at T0 counts."""


def told(events: Sequence[Event], now: Instant, **changed: JSON) -> Report:
    return report(Told(events), [campaign(**changed)], now)


def two_arms(treated: int = 30, control: int = 10, size: int = 100) -> list[Event]:
    return people("mail", size, treated, 1) + people("control", size, control, 1000)


def test_arms_count_first_entries_and_goals() -> None:
    """Each arm has its people, those that count, goals and rate; the control comes first."""
    found = told(two_arms(), OVER)
    assert [(one.arm, one.entered, one.complete, one.goals, one.rate) for one in found.arms] == [
        ("control", 100, 100, 10, 0.1),
        ("mail", 100, 100, 30, 0.3),
    ]
    assert found.lift is not None
    assert found.lift.estimate == pytest.approx(0.2)
    assert found.relative == pytest.approx(2.0)


def test_open_windows_are_left_out_of_every_arm_even_with_the_goal_reached() -> None:
    """An early goal does not let an entry in before its window is over: that would favour early goals."""
    late = people("mail", 50, 50, 3000, at=T0 + 10 * DAY)
    found = told(two_arms() + late, OVER)
    assert [(one.entered, one.complete, one.goals) for one in found.arms] == [(100, 100, 10), (150, 100, 30)]
    assert any("Not counted yet in any arm: 50 people" in sentence for sentence in found.sentences)


def test_arms_of_the_wrong_size_forbid_belief() -> None:
    """With 300 to 100 where half and half was drawn, no lift is believed, at whatever date."""
    found = told(people("mail", 300, 90, 1) + people("control", 100, 10, 1000), OVER)
    assert found.sample_ratio.p is not None
    assert found.sample_ratio.p < 0.001
    assert not found.sample_ratio.trusted
    assert found.verdict.word == Word.CANNOT
    assert "must not be believed" in found.sentences[0]


def test_arms_carried_over_say_nothing_of_the_draw() -> None:
    """Who keeps the arm of an earlier version was drawn under its shares: in the lift, not in the check."""
    kept = [entry(5000 + n, T0, 90_000 + n, "mail", carried=True) for n in range(300)]
    found = told(two_arms() + kept, OVER)
    assert {one.arm: one.entered for one in found.arms} == {"control": 100, "mail": 400}
    assert found.sample_ratio.p == pytest.approx(1.0)


def test_without_a_control_nothing_is_claimed() -> None:
    """`control: none` gives counts and the sentence that the change cannot be known."""
    found = told(people("mail", 100, 30, 1), OVER, control="none", why="everybody asked for it")
    assert found.lift is None
    assert found.sample_ratio.p is None
    assert found.sentences[0].startswith("This cannot be judged: nobody is left alone (everybody asked")


def test_several_variants_are_each_compared_with_the_control_and_together() -> None:
    """The lift is of all treated together; each variant has its own against the same control."""
    variants: JSON = {
        "mail": {"send": {"channel": "email", "template": "hello"}},
        "voucher": {"send": {"channel": "email", "template": "hello"}},
    }
    events = people("mail", 100, 20, 1) + people("voucher", 100, 40, 1000) + people("control", 200, 20, 2000)
    found = told(events, OVER, variants=variants)
    lifts = {one.arm: one.lift for one in found.arms}
    assert lifts["control"] is None
    assert lifts["mail"] is not None
    assert lifts["voucher"] is not None
    assert found.lift is not None
    estimates = (lifts["mail"].estimate, lifts["voucher"].estimate, found.lift.estimate)
    assert estimates == pytest.approx((0.1, 0.3, 0.2))
    assert found.sample_ratio.p == pytest.approx(1.0)


def test_values_are_compared_per_person_with_a_note_on_who_carries_them() -> None:
    """Value per subject, non-buyers counting 0; more than 5 % on one person is said."""
    events = people("mail", 100, 30, 1, [10.0] * 30) + people("control", 100, 10, 1000, [91.0] + [1.0] * 9)
    found = told(events, OVER, goal={"event": "Bought", "within": "14d", "value": "revenue"})
    assert [one.value for one in found.arms] == [1.0, 3.0]
    assert found.value is not None
    assert found.value.estimate == pytest.approx(2.0)
    assert any("One person carries 23% of all revenue" in sentence for sentence in found.sentences)


def test_lift_among_those_who_came_to_the_first_message_stands_second() -> None:
    """In both arms only who came to the send counts there, the control in shadow; the main lift is of all."""
    wanted = [event(n, T0 + 1, 70_000 + n, "Message Wanted", {"run": f"r{10 * n}"}) for n in range(1, 51)]
    shadow = [
        event(n, T0 + 1, 70_000 + n, "Message Withheld", {"run": f"r{10 * n}"}) for n in range(1000, 1050)
    ]
    found = told([*two_arms(30, 10), *wanted, *shadow], OVER)
    assert found.lift is not None and found.lift.estimate == pytest.approx(0.2)
    assert found.reached is not None and found.reached.estimate == pytest.approx(30 / 50 - 10 / 50)
    said = [one for one in found.sentences if one.startswith("Among the 100 who came to the first message")]
    assert len(said) == 1 and "+40.0 percentage points" in said[0]


def test_the_report_is_on_the_newest_version_that_somebody_entered() -> None:
    """Each version is a comparison of its own; a newer one without entries does not hide the last."""
    events = [*two_arms(), *[entry(5000 + n, T0, 90_000 + n, "mail", version=2) for n in range(3)]]
    versions = [campaign(1), campaign(2), campaign(3)]
    assert report(Told(events), versions, OVER).version == 2
    assert report(Told(events), versions, OVER, 1).arms[1].entered == 100
    assert report(Told([]), versions, OVER).version == 3
    with pytest.raises(ValueError, match="no version 9"):
        report(Told(events), versions, OVER, 9)


def test_json_holds_the_promised_shape() -> None:
    """The members that programs rely on are there, in plain data."""
    found = told(two_arms(), OVER).to_json()
    assert {
        "campaign",
        "version",
        "arms",
        "verdict",
        "lift",
        "always",
        "sample_ratio",
        "sentences",
    } <= found.keys()
    assert {"arm", "entered", "complete", "goals", "rate"} <= found["arms"][0].keys()
    assert {"estimate", "low", "high"} == found["lift"].keys()
    assert "p" in found["sample_ratio"]


def test_other_events_are_not_the_goal() -> None:
    """Only the goal's event counts, not what else people do in the window."""
    events = [*two_arms(0, 0), *[event(n, T0 + DAY, 80_000 + n, "Seen") for n in range(1, 50)]]
    assert [one.goals for one in told(events, OVER).arms] == [0, 0]


def test_people_found_in_two_arms_count_once_and_are_left_out_beside() -> None:
    """Once they pass 1 % the lift is also given without them; the main one counts their first entry."""
    conflict = {"campaign": "c", "version": 1, "kept": "mail", "dropped": "control"}
    both = [event(n, T0 + DAY, 90_000 + n, "Arm Conflict", conflict) for n in range(1, 11)]
    again = [entry(n, T0 + 1, 80_000 + n, "control") for n in range(1, 11)]
    found = told([*two_arms(), *both, *again], OVER)
    assert [one.entered for one in found.arms] == [100, 100]
    said = [sentence for sentence in found.sentences if "in two arms" in sentence]
    assert len(said) == 1
    assert said[0].startswith("5.0% of people")
    assert f"{100 * (20 / 90 - 0.1):+.1f} percentage points" in said[0]
    assert not [one for one in told([*two_arms(), *both[:2]], OVER).sentences if "in two arms" in one]


def test_our_own_people_are_in_no_comparison() -> None:
    """Also who became one of ours after entering counts in no arm."""
    ours = np.arange(1, 11), np.arange(1000, 1005)
    whom = People(cast(Snapshot, Told(two_arms())), OVER, left_out=ours)
    found = report(whom, [campaign()], OVER)
    assert [(one.entered, one.goals) for one in found.arms] == [(95, 5), (90, 20)]
