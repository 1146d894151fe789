"""Habits, referrals and champions: columns against the walk over each history, and what the words promise."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.learn.answers import Answer, answer
from hark.learn.champions import champions, friends
from hark.learn.habit import NOT_YET, Habit, Habits, habit, habits
from hark.learn.referrals import Reach, Referral, Said, reaches, referrals, untold
from hark.model import DAY, HOUR, WEEK, Event
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

NOW = T0 + 100 * DAY

drawn = st.tuples(
    st.integers(1, 5),
    st.one_of(st.integers(0, 110 * 4).map(lambda q: T0 + q * 6 * HOUR), st.just(NOW - 13 * WEEK)),
    st.sampled_from(["A", "B", "Message Clicked", "Message Sent"]),
)


@given(st.lists(drawn, max_size=50), st.integers(1, 3))
def test_columns_agree_with_the_walk(rows: list[tuple[int, int, str]], parts: int) -> None:
    """Of everybody who was ever active both give the same first day, fourth week, weeks and things."""
    events = [event(who, at, seq, name) for seq, (who, at, name) in enumerate(rows)]
    events = [replace(one, active=one.name != "Message Clicked") for one in events]
    ordered = sorted(events, key=lambda one: (one.subject, one.at, one.seq))
    walked = {who: habit(list(mine), NOW) for who, mine in groupby(ordered, lambda one: one.subject)}
    found = habits(snapshot(events, parts), NOW)
    columns = zip(found.subject, found.first, found.stayed_at, found.weeks, found.things, strict=True)
    told = {
        int(who): Habit(int(first), None if stayed == NOT_YET else int(stayed), int(weeks), int(things))
        for who, first, stayed, weeks, things in columns
    }
    assert told == {who: one for who, one in walked.items() if one}


def test_a_week_counts_by_what_nobody_called_for() -> None:
    """A visit within a day after a click makes no week, the same visit without it does."""
    visit, long_ago = event(1, NOW - DAY, 2, "A"), event(1, NOW - 13 * WEEK, 0, "Old")
    click: Event = replace(event(1, NOW - 2 * DAY, 1, "Message Clicked"), active=False)
    assert habit([long_ago, click, visit], NOW) == Habit(long_ago.at, None, 0, 1)
    assert habit([long_ago, visit], NOW) == Habit(long_ago.at, None, 1, 1)


def test_first_said_counts_and_nobody_goes_round_in_circles() -> None:
    """The first statement holds; nobody brings themselves or those above; who was here is not brought."""
    said = [
        Said(1, 1, friend=2, referrer=1),
        Said(2, 2, friend=2, referrer=9),
        Said(3, 3, friend=3, referrer=2),
        Said(4, 4, friend=1, referrer=3),
        Said(5, 5, friend=4, referrer=4),
        Said(6, 6, friend=5, referrer=1),
    ]
    said.append(Said(T0 + 3, 7, friend=4, referrer=2, invited=True))
    begun = {1: (T0, None), 2: (T0 + 1, T0 + 22 * DAY), 3: (T0 + 2, None), 4: (T0, None)}
    found = referrals(said, begun)
    assert found == [Referral(1, 2, T0 + 1, T0 + 22 * DAY), Referral(2, 3, T0 + 2, None)]
    assert reaches(found) == {1: Reach(1, 1, 2), 2: Reach(1, 0, 1)}
    told = frozenset({("Referral Joined", 1, 2)})
    assert [(one["name"], one["subject"], one["properties"]["friend"]) for one in untold(found, told)] == [
        ("Referral Stayed", 1, "#2"),
        ("Referral Joined", 2, "#3"),
    ]


def columns(things: list[int], weeks: list[int], stayed: list[bool]) -> Habits:
    import numpy as np

    count = len(things)
    at = np.where(stayed, T0 + 22 * DAY, NOT_YET)
    return Habits(
        *(np.array(one, np.int64) for one in (range(1, count + 1), [T0] * count, at, weeks, things))
    )


def low(subject: int) -> Answer:
    found = answer(subject, T0, "Survey Answered", b'{"kind": "nps", "score": 3}')
    assert found is not None
    return found


def test_the_score_is_the_mean_of_its_parts() -> None:
    """By hand: use by rank, weeks of 13, one friend who stayed 50; goodwill only where somebody said it."""
    known = columns([4, 2, 2, 0], [13, 0, 6, 0], [False] * 4)
    best = champions(known, {1: Reach(1, 1, 1)}, {1: low(1)}, 10)
    assert [one.subject for one in best] == [1, 3, 2]
    first = best[0]
    assert (round(first.use, 6), first.returns, first.referrals, first.goodwill) == (83.333333, 100, 50, 30)
    assert first.score == (first.use + 100 + 50 + 30) / 4
    assert best[1].score == (100 / 3 + 600 / 13 + 0) / 3
    assert first.hold and not best[1].hold
    assert "said: nps 3 of 10" in first.sentences
    assert "was never asked what they feel" in best[1].sentences


def test_friends_are_compared_with_those_who_came_alone() -> None:
    """Only those whose four weeks are over count, on either side."""
    known = columns([1, 1, 1], [1, 1, 1], [True, False, True])
    found = friends(known, frozenset({1}), T0 + 28 * DAY + 1)
    assert (found.brought.subjects, found.brought.goals) == (1, 1)
    assert (found.alone.subjects, found.alone.goals) == (2, 1)
    assert friends(known, frozenset({1}), T0 + 28 * DAY).brought.subjects == 0
