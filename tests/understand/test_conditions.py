"""Single conditions, by hand: boundaries, late events, days, sentences, names of summaries."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.clock import instant
from hark.model import DAY, HOUR, JSON, WEEK, Event, Instant, Record
from hark.understand.conditions import AllOf, AnyOf, Condition, Did, DidNot, HasTrait, Not
from hark.understand.conditions.calendar import day_of, days_of
from hark.understand.conditions.sequence import InSequence, Match, Never, Step
from tests.understand.histories import START, event


def after(condition: Condition, *events: Event) -> Record:
    """The record of a customer to whom these events came in this order."""
    record = Record(1)
    for one in events:
        for leaf in condition.leaves():
            if one.name in leaf.watches():
                record.summaries[leaf.key] = leaf.fold(record.summaries.get(leaf.key), one)
    return record


def ordered_at(*ats: Instant) -> list[Event]:
    return [event(seq, "Ordered", at, START + 400 * DAY) for seq, at in enumerate(ats)]


def test_an_event_exactly_as_old_as_the_window_is_outside() -> None:
    """A window holds (now - d, now]: its far end is outside, and the change is announced."""
    window = Did(("Ordered",), within_us=DAY)
    record = after(window, *ordered_at(START))
    assert window.met(record, START)
    assert window.met(record, START + DAY - 1)
    assert not window.met(record, START + DAY)
    assert window.next_change(record, START) == START + DAY
    assert window.next_change(record, START + DAY) is None


def test_a_late_event_counts_at_its_own_time() -> None:
    """Two orders in a window are found whichever of them comes in first."""
    twice = Did(("Ordered",), count={"gte": 2}, within_us=DAY)
    for ats in ((START, START + HOUR), (START + HOUR, START)):
        record = after(twice, *ordered_at(*ats))
        assert twice.met(record, START + 2 * HOUR)
        assert twice.next_change(record, START + 2 * HOUR) == START + DAY


def test_of_events_at_one_instant_the_last_may_end_a_sequence() -> None:
    """Of two at one instant the second undoes the first attempt and ends one of its own."""
    match = Match(("Ordered",))
    alone = InSequence((Step(match),), Never((match,)))
    assert alone.met(after(alone, *ordered_at(START, START)), START)


def test_at_most_turns_true_as_events_leave_the_window() -> None:
    """ "At most 1" is false with three orders and turns true when the second of them leaves."""
    few = Did(("Ordered",), count={"lte": 1}, within_us=DAY)
    record = after(few, *ordered_at(START, START + HOUR, START + 2 * HOUR))
    now = START + 3 * HOUR
    assert not few.met(record, now)
    assert few.next_change(record, now) == START + HOUR + DAY
    assert few.met(record, START + HOUR + DAY)


def test_days_are_cut_in_the_zone() -> None:
    """Two orders an hour around midnight in London are two days there and one in New York."""
    late, early = instant("2026-07-01T22:30:00Z"), instant("2026-07-01T23:30:00Z")
    for zone, answer in (("Europe/London", True), ("America/New_York", False)):
        days = Did(("Ordered",), measure="days", count={"gte": 2}, zone=zone)
        assert days.met(after(days, *ordered_at(late, early)), early) is answer
        assert days.holds(ordered_at(late, early), early) is answer


def test_of_a_day_its_latest_event_counts() -> None:
    """A day stays in the window as long as its latest event, even if an earlier one of it comes in last."""
    days = Did(("Ordered",), measure="days", within_us=DAY)
    midnight = START // DAY * DAY
    record = after(days, *ordered_at(midnight + 5 * HOUR, midnight + HOUR))
    assert days.next_change(record, midnight + 6 * HOUR) == midnight + 5 * HOUR + DAY
    merged = days.merge(record.summaries[days.key], [[midnight + 2 * HOUR], [midnight // DAY]])
    assert merged == [[midnight + 5 * HOUR], [midnight // DAY]]


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Europe/Dublin"]),
)
def test_a_day_is_the_local_date(seconds: int, zone: str) -> None:
    """The number of a day is the local date's, by Python's own calendar."""
    at = seconds * 1_000_000
    local = datetime.fromtimestamp(seconds, ZoneInfo(zone)).toordinal() - datetime(1970, 1, 1).toordinal()
    assert day_of(at, zone) == local
    assert days_of(np.array([at, at]), zone).tolist() == [local, local]


def test_a_false_all_waits_for_its_last_part() -> None:
    """An `all` is looked at again only when all its false parts may have changed; an `any` likewise."""
    quiet = DidNot(("Ordered",), within_us=30 * DAY)
    never = AllOf((quiet, Did(("Ordered",), count={"gte": 2})))
    record = after(never, *ordered_at(START))
    assert never.next_change(record, START) is None
    either = AnyOf((DidNot(("Ordered",), within_us=DAY), DidNot(("Ordered",), within_us=DAY * 2)))
    record = after(either, *ordered_at(START))
    assert either.next_change(record, START) == START + DAY
    assert either.next_change(record, START + DAY) is None


def test_did_and_did_not_of_one_event_share_a_summary() -> None:
    """What is kept is named by what it depends on: windows of different length share, predicates do not."""
    keys = [
        next(iter(condition.leaves())).key
        for condition in (
            Did(("A", "B"), within_us=DAY),
            DidNot(("B", "A"), within_us=2 * DAY),
            Did(("A", "B"), within_us=DAY, where={"v": 1}),
            Did(("A", "B")),
            Did(("A", "B"), count={"gte": 2}, within_us=DAY),
        )
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


SENTENCES: list[tuple[Condition, str]] = [
    (
        AllOf(
            (Did(("Order Completed",), count={"gte": 2}), DidNot(("Order Completed",), within_us=45 * DAY))
        ),
        "did Order Completed at least 2 times and did not do Order Completed in the last 45 days",
    ),
    (Did(("A", "B", "C"), within_us=8 * WEEK), "did A, B or C in the last 8 weeks"),
    (
        Did(("A",), where={"revenue": {"gte": 50}}, measure="days", count={"gte": 3}, within_us=30 * DAY),
        "did A (revenue of at least 50) on at least 3 days in the last 30 days",
    ),
    (Did(("A",), count={"eq": 1}, within_us=90 * 60_000_000), "did A exactly 1 time in the last 90 minutes"),
    (
        AllOf((HasTrait({"plan": "pro"}), AnyOf((Did(("A",)), Not(Did(("B",))))))),
        "have plan pro and (did A or not (did B))",
    ),
    (
        HasTrait({"country": {"in": ["GB", "IE"]}, "email": {"exists": True}}),
        "have country any of GB or IE and email known",
    ),
]


@pytest.mark.parametrize(("condition", "sentence"), SENTENCES)
def test_a_condition_reads_as_english(condition: Condition, sentence: str) -> None:
    """Each condition says what it means in plain English."""
    assert condition.sentence() == sentence


@pytest.mark.parametrize(
    ("raw", "context", "plan"),
    [
        (b'{"plan":"pro"}', b"{}", "pro"),
        (b"{}", b'{"traits":{"plan":"free"}}', "free"),
        (b'{"plan":"pro"}', b'{"traits":{"plan":"free"}}', "pro"),
        (b"[]", b'{"traits":7}', None),
    ],
)
def test_traits_come_from_identify_and_from_the_context(raw: bytes, context: bytes, plan: JSON) -> None:
    """An identify call's own traits stand over those of its context; what is no object states nothing."""
    identify = event(1, "Identify", START, START)
    known = Event(
        **{name: getattr(identify, name) for name in Event.__struct_fields__}
        | {"properties": raw, "context": context}
    )
    assert HasTrait({"plan": plan or "?"}).holds([known], START) is (plan is not None)
