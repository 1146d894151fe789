"""Kinds of conditions by hand: answers that anybody can count, live and by their pure meaning."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hark.clock import instant
from hark.model import DAY, HOUR, JSON, Event, Instant, Record, Trait
from hark.understand.conditions import (
    Amount,
    Change,
    Condition,
    Did,
    DidNot,
    HasTrait,
    InSequence,
    Returned,
    SinceLast,
    Window,
)
from hark.understand.conditions.latest import TAIL
from hark.understand.conditions.sequence import Match, Never, Step
from tests.understand.histories import event, ordered

NOON = instant("2026-03-10T12:00:00Z")


def days_ago(*days: float, name: str = "Ordered", first: int = 0, **properties: JSON) -> list[Event]:
    """Events so many days before NOON, in order of arrival as given."""
    return [event(first + seq, name, NOON - int(ago * DAY), NOON, properties) for seq, ago in enumerate(days)]


def record(condition: Condition, events: Sequence[Event]) -> Record:
    found = Record(1)
    for one in events:
        for leaf in condition.leaves():
            if leaf.takes(one):
                found.summaries[leaf.key] = leaf.fold(found.summaries.get(leaf.key), one)
    return found


def holds(condition: Condition, events: Sequence[Event], now: Instant = NOON) -> bool:
    """The answer, live and pure, which must be one."""
    live = condition.met(record(condition, events), now)
    assert live is condition.holds(ordered(events), now)
    return live


def priced(*prices: JSON) -> list[Event]:
    """Orders of yesterday with these prices."""
    return [event(seq, "Ordered", NOON - DAY, NOON, {"price": price}) for seq, price in enumerate(prices)]


@pytest.mark.parametrize(("measure", "value"), [("sum", 0.3), ("avg", 0.1), ("max", 0.2), ("min", 0.0)])
def test_amounts_are_exact(measure: str, value: float) -> None:
    """0.1 + 0.2 + 0 is 0.3 in any order; texts, truth values and infinity-like numbers are no prices."""
    amount = Amount(("Ordered",), "price", measure, {"eq": value})  # type: ignore[arg-type]
    assert holds(amount, priced(0.1, 0.2, 0, "9", True, None, 1e300))
    assert holds(amount, priced(0, 0.2, 0.1))


def test_of_nothing_the_sum_is_zero_and_the_rest_is_no_number() -> None:
    """Who bought nothing spent less than 100; their mean is neither under nor over anything."""
    assert holds(Amount(("Ordered",), "price", "sum", {"lt": 100}), [])
    for measure in ("avg", "max", "min"):
        assert not holds(Amount(("Ordered",), "price", measure, {"lt": 100}), [])


def test_a_window_of_an_amount_is_whole_days() -> None:
    """Of three days the first begins at midnight two days ago, and today's leave at the third midnight."""
    spent = Amount(("Ordered",), "price", "sum", {"gte": 5}, days=3)
    early = [event(1, "Ordered", instant("2026-03-08T00:00:00Z"), NOON, {"price": 5})]
    late = [event(1, "Ordered", instant("2026-03-07T23:59:59Z"), NOON, {"price": 5})]
    assert holds(spent, early)
    assert not holds(spent, late)
    assert spent.next_change(record(spent, early), NOON) == instant("2026-03-11T00:00:00Z")


def test_large_sums_are_kept() -> None:
    """A hundred orders of a billion each add up, though the sum in millionths has more than 64 bits."""
    assert holds(Amount(("Ordered",), "price", "sum", {"eq": 1e14}), priced(*[10**12] * 100))


def test_different_weeks_months_and_values() -> None:
    """Sunday and Monday are two weeks; January 31 and February 1 two months; 1 and 1.0 one value."""
    at = [instant(f"{day}T12:00:00Z") for day in ("2026-02-01", "2026-02-02", "2026-01-31")]
    orders = [
        event(seq, "Ordered", one, NOON, {"v": v})
        for seq, (one, v) in enumerate(zip(at, (1, 1.0, "1"), strict=True))
    ]
    for measure, count in (("weeks", 2), ("months", 2), ("days", 3)):
        assert holds(Did(("Ordered",), measure=measure, count={"eq": count}), orders)  # type: ignore[arg-type]
    assert holds(Did(("Ordered",), measure="distinct", of="v", count={"eq": 2}), orders)


def test_windows_begin_where_they_say() -> None:
    """Today begins at midnight; `between` has its first instant and not its last; `since` not the event."""
    midnight = instant("2026-03-10T00:00:00Z")
    today = Did(("Ordered",), other=Window(today=True))
    assert holds(today, [event(1, "Ordered", midnight, NOON)])
    assert not holds(today, [event(1, "Ordered", midnight - 1, NOON)])
    assert today.next_change(record(today, days_ago(0.1)), NOON) == midnight + DAY
    between = Did(("Ordered",), other=Window(between=(midnight, midnight + HOUR)))
    assert holds(between, [event(1, "Ordered", midnight, NOON)])
    assert not holds(between, [event(1, "Ordered", midnight + HOUR, NOON)])


def test_since_an_event_that_never_happened_nothing_is_true() -> None:
    """Without a sign-up neither "ordered since" nor "did not order since" holds; a late sign-up counts."""
    since = Window(since=("Signed Up",))
    did, did_not = Did(("Ordered",), other=since), DidNot(("Ordered",), other=since)
    orders = days_ago(5)
    assert not holds(did, orders)
    assert not holds(did_not, orders)
    assert holds(did, [*orders, *days_ago(6, name="Signed Up", first=10)])
    assert holds(did_not, [*orders, *days_ago(4, name="Signed Up", first=10)])


def test_since_last_is_false_if_it_never_happened() -> None:
    """14 days ago is "at least 14 days ago" to the microsecond; never is not long ago."""
    quiet = SinceLast(("Ordered",), {"gte": 14 * DAY})
    assert holds(quiet, days_ago(14, 20))
    assert not holds(quiet, days_ago(14, 13.99))
    assert not holds(quiet, [])
    assert quiet.next_change(record(quiet, days_ago(10)), NOON) == NOON + 4 * DAY


def test_a_change_needs_something_to_compare_with() -> None:
    """Two days after four are a half; none before is no change, whatever came after."""
    half = Change(("Ordered",), 7, {"lte": 0.5}, measure="days")
    assert holds(half, days_ago(0, 1, 7, 8, 9, 10))
    assert not holds(half, days_ago(0, 1, 2, 7, 8, 9, 10))
    assert holds(half, days_ago(0, 0, 0, 1, 7, 8, 9, 10))
    assert not holds(Change(("Ordered",), 7, {"gte": 0}), days_ago(0, 1))


def test_a_return_is_undone_by_what_comes_late() -> None:
    """Back after 30 days: true, until an event from in between arrives."""
    back = Returned(30 * DAY, 7 * DAY)
    assert holds(back, days_ago(40, 3))
    assert not holds(back, days_ago(40, 3, 20))
    assert not holds(back, days_ago(3))
    assert back.next_change(record(back, days_ago(40, 3)), NOON) == NOON + 4 * DAY


A, B, X = (Match((name,)) for name in ("A", "B", "X"))


def story(*names: str) -> list[Event]:
    """One event a day, the last of them yesterday."""
    return [event(seq, name, NOON - (len(names) - seq) * DAY, NOON) for seq, name in enumerate(names)]


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        ("AB", True),
        ("BA", False),
        ("AXB", False),
        ("AXAB", True),
        ("AAXB", False),
        ("A..B", False),
        ("A.AB", True),
    ],
)
def test_a_sequence_wants_one_attempt_that_fits(names: str, answer: bool) -> None:
    """B within two days after A, no X between: any A may begin the attempt."""
    assert holds(InSequence((Step(A), Step(B, 2 * DAY, (X,)))), story(*names)) is answer


def test_one_event_serves_one_step() -> None:
    """A, then A again takes two of them."""
    twice = InSequence((Step(A), Step(A)))
    assert not holds(twice, story("A"))
    assert holds(twice, story("A", "A"))


def test_what_must_not_follow_is_waited_for() -> None:
    """A without X within three days: true a microsecond after the third day, for good."""
    alone = InSequence((Step(A),), Never((X,), 3 * DAY))
    one = [event(1, "A", NOON, NOON)]
    assert not holds(alone, one, NOON + 3 * DAY)
    assert holds(alone, one, NOON + 3 * DAY + 1)
    assert alone.next_change(record(alone, one), NOON) == NOON + 3 * DAY + 1
    came = [*one, event(2, "X", NOON + 3 * DAY, NOON + 3 * DAY)]
    assert not holds(alone, came, NOON + 4 * DAY)


def test_a_very_late_event_makes_a_sequence_stale() -> None:
    """Beyond the latest events kept, the summary says that it must be folded anew; so after some merges."""
    leaf = InSequence((Step(A), Step(B)))
    many = [event(seq, "B", NOON + seq * HOUR, NOON + seq * HOUR) for seq in range(TAIL + 5)]
    summary: JSON = None
    for one in many:
        summary = leaf.fold(summary, one)
    assert not leaf.stale(summary)
    assert leaf.stale(leaf.fold(summary, event(99, "A", NOON - DAY, NOON + DAY)))
    early = leaf.fold(None, event(99, "A", NOON - DAY, NOON - DAY))
    assert leaf.stale(leaf.merge(early, summary))
    late = leaf.fold(None, event(99, "A", NOON + 36 * HOUR, NOON + 36 * HOUR))
    assert not leaf.stale(leaf.merge(late, summary))


@pytest.mark.parametrize(
    ("operators", "value", "answer"),
    [
        ({"in_next": "12h"}, "2026-03-11", True),
        ({"in_next": "11h"}, "2026-03-11", False),
        ({"in_next": "30d"}, "2026-03-10", False),
        ({"older_than": "12h"}, "2026-03-10", True),
        ({"older_than": "13h"}, "2026-03-10", False),
        ({"newer_than": "12h"}, "2026-03-10", False),
        ({"newer_than": "13h"}, "2026-03-10", True),
        ({"newer_than": "1d"}, "2026-03-11", False),
        ({"newer_than": "1h"}, "2026-03-10T11:30", True),
        ({"in_next": "1h"}, "2026-03-10T13:30:00+01:00", True),
        ({"anniversary": "today"}, "2001-03-10", True),
        ({"anniversary": "today"}, "2026-03-10", False),
        ({"anniversary": "today"}, "2001-03-11", False),
        ({"older_than": "1d"}, "yesterday", False),
        ({"older_than": "1d"}, 5, False),
    ],
)
def test_moments_are_far_or_near(operators: JSON, value: JSON, answer: bool) -> None:
    """At noon a date is twelve hours old, or as far away; its own day is no anniversary of it."""
    assert HasTrait({"day": operators}).fits({"day": Trait(value, 0, 0)}, NOON) is answer


def test_a_date_begins_where_the_customer_is() -> None:
    """March 11 begins at 15:00 UTC of the 10th in Tokyo, and at 05:00 UTC of the 11th in New York."""
    soon = HasTrait({"day": {"in_next": "12h"}}, "America/New_York")
    at_home = {"day": Trait("2026-03-11", 0, 0)}
    assert not soon.fits(at_home, NOON)
    away = at_home | {"timezone": Trait("Asia/Tokyo", 0, 0)}
    assert soon.fits(away, NOON)
    assert soon.changes(away, NOON) == instant("2026-03-10T15:00:00Z")
    nowhere = at_home | {"timezone": Trait("Atlantis", 0, 0)}
    assert soon.changes(nowhere, NOON) == instant("2026-03-10T16:00:00Z")


@pytest.mark.parametrize(("year", "day"), [("2027", "2027-02-28"), ("2028", "2028-02-29")])
def test_february_29_has_an_anniversary_every_year(year: str, day: str) -> None:
    """Who was born on a leap day is congratulated on the 28th in other years, for one day."""
    born = HasTrait({"born": {"anniversary": "today"}})
    traits = {"born": Trait("2024-02-29", 0, 0)}
    morning = instant(f"{day}T00:00:00Z")
    assert born.changes(traits, instant(f"{year}-01-15T12:00:00Z")) == morning
    assert born.fits(traits, morning)
    assert not born.fits(traits, morning - 1)
    assert born.changes(traits, morning) == morning + DAY
    assert not born.fits(traits, morning + DAY)
