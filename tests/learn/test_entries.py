"""First entries and their outcomes: what the specification means, and that the columns agree with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from hark.definitions.types import EventMatch, Goal
from hark.learn.aggregates import Sums
from hark.learn.columns import COLUMNS, NEVER, Outcomes
from hark.learn.entries import Entry, Outcome, first_entry, outcome, over, reached_send, sums
from hark.learn.facts import Facts
from hark.model import DAY, Event, Instant
from tests.learn.histories import T0, Told, entry, event

GOAL = Goal(EventMatch(("Bought",)), 14 * DAY, "revenue")


def reached(*events: Event, goal: Goal = GOAL) -> tuple[bool, float]:
    found = first_entry(events, "c", 1)
    assert found is not None
    end = outcome(events, found, goal)
    return end.goal, end.value


def bought(at: Instant, seq: int, revenue: object = 5.0) -> Event:
    return event(1, at, seq, "Bought", {"revenue": revenue})


def test_a_goal_counts_strictly_after_the_entry() -> None:
    """At the entry's own instant the order of arrival decides; before it nothing counts."""
    came = entry(1, T0, 10, "mail")
    assert reached(bought(T0 - 1, 9), came) == (False, 0)
    assert reached(bought(T0, 9), came) == (False, 0)
    assert reached(came, bought(T0, 11)) == (True, 5)


def test_the_window_includes_its_last_instant_and_no_more() -> None:
    """(start, start + d]: an order exactly d later counts, one microsecond later does not."""
    came = entry(1, T0, 10, "mail")
    assert reached(came, bought(T0 + 14 * DAY, 11)) == (True, 5)
    assert reached(came, bought(T0 + 14 * DAY + 1, 11)) == (False, 0)


def test_values_of_one_person_add_up_and_other_things_are_worth_nothing() -> None:
    """Value is the sum over the goal events in the window; a text, a truth value or nothing adds 0."""
    came, events = entry(1, T0, 10, "mail"), [bought(T0 + DAY, 11, 3), bought(T0 + DAY, 12, 4.5)]
    odd = [bought(T0 + DAY, 13, "9"), bought(T0 + DAY, 14, True), bought(T0 + DAY, 15, None)]
    assert reached(came, *events, *odd) == (True, 7.5)


def test_the_predicate_of_the_goal_is_asked() -> None:
    """Only events which fulfil `where` are the goal."""
    goal = Goal(EventMatch(("Bought",), {"revenue": {"gte": 10}}), 14 * DAY)
    came = entry(1, T0, 10, "mail")
    assert reached(came, bought(T0 + 1, 11, 9), goal=goal) == (False, 0)
    assert reached(came, bought(T0 + 1, 11, 10), goal=goal) == (True, 0)


def test_only_the_first_entry_of_this_campaign_and_version_counts() -> None:
    """Later entries, other campaigns and other versions do not move it."""
    others = [entry(1, T0 - 2, 8, "control", campaign="other"), entry(1, T0 - 1, 9, "control", version=2)]
    events = [*others, entry(1, T0, 10, "mail"), entry(1, T0 + DAY, 11, "control")]
    assert first_entry(events, "c", 1) == Entry(1, T0, 10, "mail", run="r10")
    assert first_entry(others, "c", 1) is None


def test_the_global_control_is_in_no_comparison() -> None:
    """An entry there is not looked at: a later one, drawn, is the first."""
    alone = entry(1, T0, 10, "global_control")
    assert first_entry([alone], "c", 1) is None
    assert first_entry([alone, entry(1, T0 + DAY, 11, "mail")], "c", 1) == Entry(
        1, T0 + DAY, 11, "mail", run="r11"
    )


def test_an_entry_counts_once_window_and_grace_are_over() -> None:
    """14 days and one more: at that very instant not yet, a microsecond later yes."""
    assert not over(T0, GOAL, T0 + 15 * DAY)
    assert over(T0, GOAL, T0 + 15 * DAY + 1)


SENDS = ("Message Wanted", "Message Withheld")
moments = st.integers(0, 40).map(lambda half: T0 + half * DAY // 2)
shapes = st.tuples(
    st.integers(1, 5),
    moments,
    st.sampled_from(
        [
            "mail",
            "kept",
            "control",
            "global_control",
            "other",
            "v2",
            "Bought",
            "Bought",
            "Bought",
            "Seen",
            *SENDS,
        ]
    ),
    st.sampled_from([0, 1, 2.5, "x", None, -3]),
)


def made(seq: int, subject: int, at: Instant, what: str, revenue: object) -> Event:
    if what in ("mail", "control", "global_control", "kept"):
        return entry(subject, at, seq, "mail" if what == "kept" else what, carried=what == "kept")
    if what in ("other", "v2"):
        return entry(subject, at, seq, "mail", 2 if what == "v2" else 1, "c" if what == "v2" else "other")
    if what in SENDS:
        return event(subject, at, seq, what, {"run": f"r{seq - 1 - seq % 3}"})
    return event(subject, at, seq, what, {"revenue": revenue})


def test_a_run_reaches_its_send_wanted_or_held_back() -> None:
    """A message wanted or withheld for the run of the first entry counts; another run's does not."""
    came, wanted = entry(1, T0, 10, "mail"), event(1, T0 + 1, 11, "Message Wanted", {"run": "r10"})
    found = first_entry([came], "c", 1)
    assert found is not None
    assert reached_send([came, wanted], found)
    assert reached_send([came, event(1, T0 + 1, 11, "Message Withheld", {"run": "r10"})], found)
    assert not reached_send([came, event(1, T0 + 1, 11, "Message Wanted", {"run": "r11"})], found)
    assert not reached_send([came], found)


@settings(deadline=None)
@given(
    st.lists(shapes, max_size=60),
    moments,
    st.sampled_from([None, {"revenue": {"gte": 1}}]),
    st.sampled_from([None, "revenue"]),
)
def test_columns_agree_with_the_specification(
    drawn: list[tuple[int, Instant, str, object]], now: Instant, where: object, value: str | None
) -> None:
    """Over random histories both give the same arms, counts, goals and values."""
    goal = Goal(EventMatch(("Bought",), where), 7 * DAY // 2, value)
    events = sorted((made(n, *one) for n, one in enumerate(drawn)), key=lambda e: (e.subject, e.at, e.seq))
    expected = sums([end for end in _each(events, goal) if end], goal, now)
    told = Told(events)
    entries = Facts(told).entries("c").get(1)
    came = [one for one in (first_entry(list(who), "c", 1) for _, who in _of_each(events)) if one]
    sizes = Counter(one.arm for one in came if one.drawn)
    assert +Counter(entries.sizes() if entries else {}) == sizes
    if entries is None:
        assert not expected
        return
    outcomes = Outcomes(entries, told.table(goal.event.names, COLUMNS), goal)
    assert _some(outcomes.sums(now)) == expected
    ends = {end.entry.subject: end for end in _each(events, goal) if end}
    since = [None if one == NEVER else one for one in outcomes.since.tolist()]
    assert since == [ends[subject].since for subject in outcomes.entries.subject.tolist()]
    reached = sums([end for end in _each(events, goal, sent=True) if end], goal, now)
    assert _some(outcomes.sums(now, only=Facts(told).came_to_a_send(entries))) == reached


def _some(found: dict[str, Sums]) -> dict[str, Sums]:
    return {arm: one for arm, one in found.items() if one.subjects}


def _of_each(events: list[Event]) -> Iterator[tuple[int, Iterator[Event]]]:
    return groupby(events, key=lambda one: one.subject)


def _each(events: list[Event], goal: Goal, sent: bool = False) -> Iterator[Outcome | None]:
    for _, group in _of_each(events):
        history = list(group)
        came = first_entry(history, "c", 1)
        counted = came is not None and (reached_send(history, came) or not sent)
        yield outcome(history, came, goal) if came and counted else None
