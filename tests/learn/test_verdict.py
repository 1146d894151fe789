"""The verdict in words: what each rests on, when it is given, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hark.clock import moment
from hark.learn.report import Report, report, reports
from hark.learn.verdict import Word
from hark.model import DAY, JSON, WEEK, Event
from tests.learn.histories import T0, Told, campaign, entry, event, people

OVER = T0 + 15 * DAY + 1
"""When everybody who entered at T0 counts."""


def told(events: Sequence[Event], now: int = OVER, **changed: JSON) -> Report:
    return report(Told(events), [campaign(**changed)], now)


def two_arms(treated: int, control: int, size: int = 400, at: int = T0, first: int = 1) -> list[Event]:
    ours = people("mail", size, treated, first, at=at)
    return ours + people("control", size, control, first + 5000, at=at)


@pytest.mark.parametrize(
    ("treated", "control", "word", "says"),
    [
        (120, 40, Word.HELPS, "It helps: more people did Bought within 14 days, +20.0 percentage points ("),
        (40, 120, Word.HARMS, "It harms: fewer people did Bought within 14 days, -20.0 percentage points ("),
        (80, 80, Word.NOT_YET, "Not known yet (needs about "),
    ],
)
def test_the_word_follows_the_interval_that_is_right_at_every_look(
    treated: int, control: int, word: Word, says: str
) -> None:
    """Where it lies apart from 0 there is a word; the sentence never lacks the interval."""
    found = told(two_arms(treated, control))
    assert found.verdict.word == word
    assert found.sentences[0].startswith(says)
    assert found.verdict.lift == found.always
    assert " to " in found.sentences[0]


def test_no_difference_is_only_said_with_its_size() -> None:
    """Once the interval lies within what the author expects, either way; X is the farther end."""
    found = told(two_arms(80, 80), expects="30%")
    assert found.verdict.word == Word.NO_LARGER
    assert found.always is not None
    assert found.verdict.larger_than == pytest.approx(max(-found.always.low, found.always.high))
    assert f"no difference larger than {100 * found.always.high:.1f} percentage points" in found.sentences[0]


def test_when_nobody_can_enter_any_more_what_matters_is_excluded_or_it_cannot_be_judged() -> None:
    """Waiting shows no more; yet a test in which a difference that matters may have been missed says so."""
    ends = f"{moment(T0 + DAY):%Y-%m-%dT%H:%M:%SZ}"
    assert told(two_arms(80, 80), ends=ends, expects="30%").verdict.word == Word.NO_LARGER
    missed = told(two_arms(80, 70), ends=ends, expects="2%")
    assert missed.verdict.word == Word.CANNOT
    assert missed.verdict.lift == missed.always is not None
    assert "to tell a difference of 2.0 percentage points from none; the lift is -" in missed.sentences[0]
    assert missed.sentences[1].startswith("Next: test it again with more people")
    few = told(two_arms(4, 10), ends=ends)
    assert few.verdict.word == Word.CANNOT
    assert "4 of at least 5 goals among the people treated" in few.verdict.why


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([], "nobody has entered"),
        (two_arms(4, 10), "4 of at least 5 goals among the people treated"),
        (two_arms(10, 10, size=19), "19 of at least 20 people treated"),
    ],
)
def test_too_little_is_not_known_yet(events: list[Event], why: str) -> None:
    """The sentence says what is missing, and claims nothing."""
    found = told(events)
    assert found.verdict.word == Word.NOT_YET
    assert why in found.sentences[0]


def test_the_days_needed_follow_the_pace() -> None:
    """Twice as many people a day need half the time beyond the window; a stronger effect needs less."""

    def days(size: int, expects: str) -> int:
        events = [
            one for day in range(20)
            for one in two_arms(size // 10, size // 10, size, T0 + day * DAY, 1 + 10_000 * day)
        ]  # fmt: skip
        found = told(events, T0 + 20 * DAY, expects=expects).verdict.days
        assert found is not None
        return found

    slow, fast, strong = days(20, "5%"), days(40, "5%"), days(20, "10%")
    assert fast < slow
    assert strong < slow
    assert (slow + 5) / (fast + 5) == pytest.approx(2, rel=0.15)


def test_a_date_of_decision_gives_weekly_looks_and_a_word_at_its_end() -> None:
    """Looks are weekly back from the date; between them the last stands; at the end there is a word."""
    end = T0 + 15 * DAY + 4 * WEEK
    decide_by = f"{moment(end):%Y-%m-%dT%H:%M:%S}+00:00"
    before = told(two_arms(80, 80), end - 1, decide_by=decide_by)
    assert [round(one.planned, 2) for one in before.looks] == [0.25, 0.5, 0.75]
    assert (before.verdict.word, before.verdict.days) == (Word.NOT_YET, 1)
    after = told(two_arms(80, 80), end + 90 * DAY, decide_by=decide_by, expects="30%")
    assert (after.verdict.word, after.verdict.since) == (Word.NO_LARGER, end)
    missed = told(two_arms(80, 80), end + 90 * DAY, decide_by=decide_by, expects="2%").verdict
    assert (missed.word, missed.since) == (Word.CANNOT, end)
    assert len(after.looks) == 4


def test_a_planned_look_that_found_a_difference_stands() -> None:
    """Whatever comes later, before the end or after it, the word is that of the deciding look."""
    end = T0 + 15 * DAY + 4 * WEEK
    decide_by = f"{moment(end):%Y-%m-%dT%H:%M:%S}+00:00"
    later = two_arms(0, 200, at=T0 + 8 * DAY, first=20_000)
    found = told(two_arms(160, 20) + later, end + DAY, decide_by=decide_by)
    assert (found.verdict.word, found.verdict.since) == (Word.HELPS, end - 3 * WEEK)
    assert found.verdict.lift is not None
    assert found.verdict.lift.estimate == pytest.approx(0.35)
    assert "found at the weekly look of" in found.sentences[0]


def test_a_number_of_people_ends_the_looks() -> None:
    """The last look is the first at which so many count; nothing after it is looked at."""
    events = two_arms(80, 80) + two_arms(80, 80, at=T0 + 3 * WEEK, first=20_000)
    found = told(events, T0 + 200 * DAY, decide_by=1000, expects="20%")
    assert [one.people for one in found.looks] == [800, 800, 800, 1600]
    assert [one.planned for one in found.looks] == [0.8, 0.8, 0.8, 1.0]
    assert found.verdict.word == Word.NO_LARGER


def test_money_stands_beside_the_word_with_its_interval() -> None:
    """Where the goal has a value, per person and for all treated so far; without a word it is not said."""
    goal: JSON = {"event": "Bought", "within": "14d", "value": "revenue"}
    ours = people("mail", 400, 120, 1, [10.0 + n % 7 for n in range(120)])
    others = people("control", 400, 60, 5001, [10.0 + n % 5 for n in range(60)])
    found = told(ours + others, goal=goal)
    assert found.money is not None
    spent = sum(10.0 + n % 7 for n in range(120)) - sum(10.0 + n % 5 for n in range(60))
    assert found.money.estimate == pytest.approx(spent / 400)
    said = found.sentences[1]
    assert said.startswith(f"In revenue: +{spent / 400:.2f} revenue per person (")
    assert f"for the 400 people treated so far +{spent:,.0f} (" in said


def test_the_forecast_is_scored_with_the_verdict() -> None:
    """The estimate minus what was expected, and whether the interval allows it; before a verdict nothing."""
    found = told(two_arms(120, 40), expects="5%").forecast
    assert found is not None
    assert found.error == pytest.approx(0.15)
    assert not found.inside
    assert told(two_arms(80, 80), expects="1%").forecast is None


def test_among_many_campaigns_only_those_are_believed_that_chance_does_not_explain() -> None:
    """One strong finding among twenty idle campaigns is believed; an arm of wrong size never is."""
    names = [f"c{n}" for n in range(21)]
    events = []
    for n, name in enumerate(names):
        ours, others = (120, 40) if n == 3 else (80, 76)
        for arm, goals, at in (("mail", ours, 0), ("control", others, 400)):
            who = range(10_000 * n + at, 10_000 * n + at + 400)
            events += [entry(one, T0, 10 * one, arm, campaign=name) for one in who]
            events += [event(one, T0 + DAY, 10 * one + 1, "Bought") for one in who[:goals]]
    found = reports(Told(events), {name: [campaign(name=name)] for name in names}, OVER)
    assert [name for name, one in found.items() if one.believed] == ["c3"]
    assert told(two_arms(120, 40)).believed is None


@pytest.mark.parametrize(("ours", "others", "says"), [(120, 40, "keep it"), (40, 120, "stop it (paused")])
def test_after_the_word_comes_what_to_do(ours: int, others: int, says: str) -> None:
    """Keep and watch with a control of 5 %, or stop."""
    assert any(one.startswith("Next: ") and says in one for one in told(two_arms(ours, others)).sentences)
