"""A condition with patience, against an hour by hour reading of its rule."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hark.model import HOUR, Event, Instant
from hark.understand.conditions import Condition, Did, DidNot, Held, Not
from tests.understand.histories import START, event

LAST = 120
"""The hours looked at; everything changes at whole hours."""
CONDITIONS = st.builds(
    lambda least, hours: Did(("Ordered",), count={"gte": least}, within_us=hours * HOUR),
    st.integers(1, 2),
    st.integers(1, 30),
) | st.builds(lambda hours: DidNot(("Ordered",), within_us=hours * HOUR), st.integers(1, 30))
HOURS = st.lists(st.integers(0, LAST), max_size=8)


def ordered(hours: Sequence[int]) -> list[Event]:
    return [
        event(seq, "Ordered", START + hour * HOUR, START + hour * HOUR)
        for seq, hour in enumerate(sorted(hours))
    ]


def by_the_hour(condition: Condition, events: Sequence[Event], for_h: int, grace_h: int) -> list[bool]:
    """By hour whether it counts: the runs of hours in which it holds are long enough, or begin before the
    grace of one that counted is over; a run and its grace count from when it is long enough."""
    truth = [
        condition.holds([one for one in events if one.at <= START + hour * HOUR], START + hour * HOUR)
        for hour in range(LAST + 1)
    ]
    counts = [False] * (LAST + 1)
    always = condition.holds([], START - HOUR)
    hour, until = 0, grace_h if always else -1
    while hour <= LAST:
        end = next((at for at in range(hour, LAST + 1) if not truth[at]), LAST + 1)
        if end > hour:
            first = hour if hour < until or (always and hour == 0) else hour + for_h
            counts[first:end] = [True] * max(0, end - first)
            until = end + grace_h if first <= end else until
        elif hour < until:
            counts[hour] = True
        hour = max(end, hour + 1)
    return counts


@given(CONDITIONS, HOURS, st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=200, deadline=None)
def test_it_counts_once_it_has_held_and_until_its_grace_is_over(
    condition: Condition, hours: list[int], for_h: int, grace_h: int
) -> None:
    """At every hour, of the events known by then, as the rule reads word by word."""
    held, events = Held(condition, for_h * HOUR, grace_h * HOUR), ordered(hours)
    expected = by_the_hour(condition, events, for_h, grace_h)
    now: Instant
    for hour in range(LAST + 1):
        now = START + hour * HOUR
        assert held.holds([one for one in events if one.at <= now], now) is expected[hour], hour


def test_what_happens_at_one_instant_counts_together() -> None:
    """Two events of one instant, between which it would not have held: it has held all the time."""
    never_one = Held(Not(Did(("Ordered",), count={"eq": 1})), for_us=10 * HOUR)
    assert never_one.holds(ordered([50, 50]), START + 51 * HOUR)
    assert not never_one.holds(ordered([50, 51]), START + 52 * HOUR)


def test_it_says_what_it_asks() -> None:
    """Its sentence names the time and the grace."""
    week = Did(("Read",), count={"gte": 2}, within_us=24 * HOUR)
    assert Held(week, 48 * HOUR, 24 * HOUR).sentence().endswith("for 2 days (and up to 1 day after it ended)")
