"""Retention: one meaning, in plain Python and in a kernel."""

from __future__ import annotations

from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from hark.clock import instant
from hark.definitions.asked import When
from hark.definitions.questions import read_question
from hark.definitions.types import EventMatch
from hark.errors import HarkError
from hark.model import DAY, Event, Kind
from hark.understand import periods
from hark.understand.conditions import Did, DidNot
from hark.understand.retention import FOREVER, Retention, ask_retention, specification
from tests.history.waiting import canonical, event, histories
from tests.retail import DECEMBER_2010, orders
from tests.understand.rows import SECOND, snapshot, steps

questions = st.builds(
    Retention,
    steps,
    st.one_of(st.none(), steps),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    st.integers(-1, 40).map(lambda days: days * DAY),
    st.integers(20, 400).map(lambda days: days * DAY),
)
A, B = EventMatch(("A",)), EventMatch(("B",))


def spread(events: list[Event], spacing: int) -> list[Event]:
    """The same events so far apart that they fall into different periods."""
    return [replace(one, at=one.at // SECOND * spacing) for one in events]


spacings = st.sampled_from([DAY // 3, 4 * DAY, 17 * DAY])


@settings(max_examples=200, deadline=None)
@given(histories(), questions, spacings, st.integers(0, 250), st.integers(1, 3), st.booleans())
def test_the_kernel_equals_the_specification(
    drawn: list[Event], question: Retention, spacing: int, now: int, parts: int, same: bool
) -> None:
    """Over random histories, zones and periods, with late events and several runs, the two agree."""
    question = replace(question, returns=question.start) if same else question
    events = spread(drawn, spacing)
    expected = specification(question, canonical(events, []), now * DAY)
    assert ask_retention(snapshot(events, parts), question, now * DAY) == expected


def days(*at_and_name: tuple[float, str], subject: int = 1, **more: object) -> list[Event]:
    return [
        event(row, subject, round(at * DAY), name, **more)  # type: ignore[arg-type]
        for row, (at, name) in enumerate(at_and_name)
    ]


def active(
    events: list[Event], question: Retention, now: float = 1000
) -> list[tuple[str, int, tuple[int, ...]]]:
    found = ask_retention(snapshot(events, 1), question, round(now * DAY))
    return [(one.cohort, one.size, one.active) for one in found.cohorts]


def test_the_cohort_is_the_period_of_the_first_start_in_the_range() -> None:
    """A start before the range does not count, and a second one moves nobody."""
    events = days((0, "A"), (2, "A"), (3, "A"))
    assert active(events, Retention(A, A, "day")) == [("1970-01-01", 1, (1, 0, 1, 1))]
    assert active(events, Retention(A, A, "day", begin=DAY)) == [("1970-01-03", 1, (1, 1))]


def test_a_return_comes_after_the_start() -> None:
    """Period 0 counts returns in the same period strictly after the start; with one event for both, all."""
    assert active(days((0.1, "B"), (0.2, "A")), Retention(A, B, "day")) == [("1970-01-01", 1, (0,))]
    assert active(days((0.2, "A"), (0.3, "B")), Retention(A, B, "day")) == [("1970-01-01", 1, (1,))]
    assert active(days((0.2, "A")), Retention(A, A, "day")) == [("1970-01-01", 1, (1,))]


def test_a_condition_starts_with_the_period_at_whose_end_it_first_holds() -> None:
    """Who orders twice on days 1 and 3 belongs to day 3, with its returns; who did before, to no day."""
    twice = When(Did(("A",), count={"gte": 2}))
    events = days((1, "A"), (3, "A"), (3.5, "B"), (5, "B"))
    assert active(events, Retention(twice, B, "day"), now=5.5) == [("1970-01-04", 1, (1, 0, 1))]
    assert active(events, Retention(twice, B, "day", begin=4 * DAY), now=5.5) == []


def test_a_condition_returns_in_the_periods_at_whose_end_it_holds() -> None:
    """B within two days holds at the ends of the day of B and the next; of the present day what holds now."""
    lately = When(Did(("B",), within_us=2 * DAY))
    events = days((0, "A"), (1.5, "B"), (5.1, "B"))
    assert active(events, Retention(A, lately, "day"), now=5.2) == [("1970-01-01", 1, (0, 1, 1, 0, 0, 1))]
    assert active(events, Retention(A, lately, "day"), now=5.05) == [("1970-01-01", 1, (0, 1, 1))]


def test_a_condition_that_comes_and_goes_starts_each_time() -> None:
    """Recurring cohorts of a condition are the periods in which it turned true again."""
    quiet = When(DidNot(("A",), within_us=2 * DAY))
    events = days((0, "A"), (4.5, "A"))
    found = active(events, Retention(quiet, None, "day", cohorts="recurring"), now=7.5)
    assert [cohort for cohort, *_ in found] == ["1970-01-03", "1970-01-07"]


def test_too_many_periods_are_refused_with_what_to_ask_instead() -> None:
    """Two years of days are more ends than a condition is asked at."""
    with pytest.raises(HarkError, match="days") as refused:
        ask_retention(
            snapshot(days((0, "A"), (700, "A")), 1), Retention(When(Did(("A",))), None, "day"), 701 * DAY
        )
    assert refused.value.id == "question.periods"


def test_a_property_splits_no_start_by_a_condition() -> None:
    """It is no event, so it has none; the language refuses it with a hint."""
    body = {"start": {"when": {"did": "A"}}, "by": "plan"}
    with pytest.raises(HarkError, match="no event with properties"):
        read_question("retention", body, "UTC")
    assert isinstance(read_question("retention", {**body, "by": "trait:plan"}, "UTC"), Retention)


def test_facts_and_inactive_events_are_no_return() -> None:
    """Neither what Hark wrote nor what was sent as inactive makes anybody active, named or not."""
    for inert in (days((1, "B"), active=False), days((1, "B"), kind=Kind.FACT)):
        events = [*days((0, "A")), replace(inert[0], seq=10**9)]
        for returns in (None, B):
            assert active(events, Retention(A, returns, "day"))[0][2][1:] in ((), (0,))


def test_periods_not_over_are_marked() -> None:
    """A period is complete from its last instant on."""
    events = days((0, "A"), (1.5, "A"))
    for now, complete in [(1.9, 1), (2.0, 2)]:
        found = ask_retention(snapshot(events, 1), Retention(A, A, "day"), round(now * DAY))
        assert [(one.active, one.complete) for one in found.cohorts] == [((1, 1), complete)]


def test_events_after_the_moment_of_asking_are_not_known() -> None:
    """As of a moment, what happened later is neither a return nor a period."""
    assert active(days((0, "A"), (1, "A")), Retention(A, A, "day"), now=0.5) == [("1970-01-01", 1, (1,))]


def test_periods_are_cut_in_the_zone() -> None:
    """23:30 UTC is the next day, and the next month, in Berlin; weeks begin on Monday."""
    at = instant(datetime(2024, 3, 31, 23, 30, tzinfo=UTC))
    assert str(periods.first_day(at, "month", "UTC")) == "2024-03-01"
    assert str(periods.first_day(at, "month", "Europe/Berlin")) == "2024-04-01"
    assert str(periods.first_day(at, "week", "UTC")) == "2024-03-25"
    assert str(periods.first_day(at, "week", "Europe/Berlin")) == "2024-04-01"


def test_a_day_of_23_hours_is_a_day() -> None:
    """Over a change to summer time, the day after begins 23 hours later."""
    day = periods.first_day(instant("2024-03-31T12:00:00+02:00"), "day", "Europe/Berlin")
    hours = periods.begins(periods.following(day, "day"), "Europe/Berlin") - periods.begins(
        day, "Europe/Berlin"
    )
    assert hours == 23 * 3600 * SECOND


def test_a_real_shop() -> None:
    """Customers of Online Retail who first ordered in December 2010 return as published."""
    rows = orders()
    events = [
        event(row, int(customer), instant(at.replace(tzinfo=UTC)), "Order Completed")
        for row, (customer, at) in enumerate(
            zip(rows["customer"].to_pylist(), rows["at"].to_pylist(), strict=True)
        )
    ]
    order = EventMatch(("Order Completed",))
    question = Retention(order, order, "month")
    found = ask_retention(snapshot(events, 3), question, FOREVER).to_json()["cohorts"]
    assert found[0] == {"cohort": "2010-12", "size": 885, "active": DECEMBER_2010, "complete": 13}
    assert sum(one["size"] for one in found) == 4339
    assert [one.active for one in specification(question, canonical(events, []), FOREVER).cohorts] == [
        tuple(one["active"]) for one in found
    ]
