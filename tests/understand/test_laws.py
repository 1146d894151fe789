"""Every kind of question: one meaning in plain Python, the same in kernels and columns."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import given, settings
from msgspec.structs import replace

from hark.clock import instant
from hark.definitions.asked import (
    FOREVER,
    By,
    Funnel,
    Lifecycle,
    Paths,
    Period,
    Retention,
    Sessions,
    Trend,
    When,
)
from hark.definitions.types import EventMatch
from hark.history.reader import Resident
from hark.model import DAY, Event
from hark.understand import funnel, lifecycle, paths, periods, retention, sessions, trend
from hark.understand.conditions import AllOf, Did, DidNot, HasTrait, InSequence, Not, SinceLast
from hark.understand.conditions.sequence import Match, Step
from hark.understand.people import everybody
from tests.history.waiting import Place, by_hand, canonical
from tests.understand.rows import SECOND, crowds, nows, snapshot, stating, steps, units

ZONES = st.sampled_from(["UTC", "America/New_York", "Pacific/Apia"])
PERIODS: st.SearchStrategy[Period] = st.sampled_from(["day", "week", "month"])
SPLITS = st.sampled_from([None, By("property", "x"), By("trait", "plan")])
STARTS, ENDS = st.integers(-1, 6), st.integers(4, 13)
ranges = st.one_of(st.just((-1, 13)), st.tuples(STARTS, ENDS))
gaps = st.integers(1, 4)

many = settings(max_examples=120, deadline=None)
asked = given(crowds, ranges, units, nows, st.integers(1, 3), st.data())


@many
@asked
def test_paths(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """Forward, backward and between two events, within sessions or not: kernel = specification."""
    events = stating(drawn, unit)
    origin, target = data.draw(
        st.one_of(st.tuples(steps, st.none()), st.tuples(st.none(), steps), st.tuples(steps, steps))
    )
    gap = data.draw(st.one_of(st.none(), gaps.map(lambda gap: gap * unit)))
    question = Paths(
        origin, target, data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3)),
        data.draw(st.sampled_from([0, 0.3])),
        data.draw(st.booleans()), gap, data.draw(st.booleans()), range_[0] * unit, range_[1] * unit,
    )  # fmt: skip
    expected = paths.specification(question, canonical(events, []), now * unit)
    assert paths.ask_paths(snapshot(events, parts), question, now * unit) == expected


@many
@asked
def test_sessions(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """Sessions with their lengths, by period: columns = specification."""
    events, gap = stating(drawn, unit), data.draw(gaps) * unit
    question = Sessions(gap, data.draw(PERIODS), data.draw(ZONES), range_[0] * unit, range_[1] * unit)
    expected = sessions.specification(question, canonical(events, []), now * unit)
    assert sessions.ask_sessions(snapshot(events, parts), question, now * unit) == expected


@many
@asked
def test_lifecycle(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """New, returning, resurrected and dormant customers: columns = specification."""
    events = stating(drawn, unit)
    question = Lifecycle(data.draw(PERIODS), data.draw(ZONES), range_[0] * unit, range_[1] * unit)
    expected = lifecycle.specification(question, canonical(events, []), now * unit)
    assert lifecycle.ask_lifecycle(snapshot(events, parts), question, now * unit) == expected


@many
@asked
def test_trend(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """Counts, customers and the sizes of a property, split or not: columns = specification."""
    events = stating(drawn, unit)
    event, of, by = (
        data.draw(st.one_of(st.none(), steps)),
        data.draw(st.sampled_from([None, "x"])),
        data.draw(SPLITS),
    )
    ends = range_[0] * unit, range_[1] * unit
    question = Trend(
        event, data.draw(PERIODS), of, by, data.draw(ZONES), *ends, compare=data.draw(st.booleans())
    )
    expected = trend.specification(question, canonical(events, []), now * unit)
    assert trend.ask_trend(snapshot(events, parts), question, now * unit) == expected


@settings(max_examples=60, deadline=None)
@asked
def test_a_trend_beside_the_time_before(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """What stands before each point is what the question about those periods alone would have answered."""
    events, period, zone = stating(drawn, unit), data.draw(PERIODS), data.draw(ZONES)
    question = Trend(None, period, "x", None, zone, range_[0] * unit, range_[1] * unit, compare=True)
    history = snapshot(events, parts)
    found = trend.ask_trend(history, question, now * unit)
    for one in (found.points, found.before):
        plain = replace(question, compare=False, start=-FOREVER, end=question.end)
        alone = {point.period: point for point in trend.ask_trend(history, plain, now * unit).points}
        assert len(one) == len(found.points)
        for point in one:
            same = alone.get(point.period)
            assert (same.customers, same.sum) == (point.customers, point.sum) if same else point.count == 0
    days = [periods.first_day(instant(f"{point.period}-01"[:10] + "T12:00:00Z"), period, "UTC")
            for point in (*found.before, *found.points)]  # fmt: skip
    assert days == [periods.earlier(days[-1], period, back) for back in range(len(days))][::-1]


@settings(max_examples=200, deadline=None)
@asked
def test_retention(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """Every kind of cohort, in a period or on and after it, split, and what they came for: the two agree."""
    events = stating(drawn, unit)
    start, returns = data.draw(steps), data.draw(st.one_of(st.none(), steps))
    question = Retention(
        start, data.draw(st.sampled_from([start, returns])), data.draw(PERIODS), data.draw(ZONES),
        range_[0] * unit, range_[1] * unit, data.draw(st.sampled_from(["first", "first_time", "recurring"])),
        data.draw(st.booleans()), data.draw(SPLITS), data.draw(st.booleans()),
    )  # fmt: skip
    expected = retention.specification(question, canonical(events, []), now * unit)
    assert retention.ask_retention(snapshot(events, parts), question, now * unit) == expected


WHENS = st.sampled_from(
    [
        When(Did(("A",))),
        When(Did(("A", "B"), {"x": 1}, count={"gte": 2})),
        When(Did(("B",), within_us=6 * SECOND)),
        When(DidNot(("A",), within_us=3 * DAY)),
        When(SinceLast(("C",), {"gte": DAY})),
        When(HasTrait({"plan": "pro"})),
        When(AllOf((Not(Did(("B",))), HasTrait({"plan": {"exists": False}})))),
        When(InSequence((Step(Match(("A",))), Step(Match(("B",)), 2 * DAY)))),
    ]
)


@settings(max_examples=100, deadline=None)
@asked
def test_retention_by_conditions(
    drawn: list[Event], range_: tuple[int, int], unit: int, now: int, parts: int, data: st.DataObject
) -> None:
    """Where the start, the return or both are conditions, columns and specification agree as for events."""
    events = stating(drawn, unit)
    when = data.draw(WHENS)
    start, returns = data.draw(
        st.sampled_from([(when, when), (when, None)])
        | st.tuples(st.just(when), st.one_of(steps, WHENS))
        | st.tuples(steps, st.just(when))
    )
    question = Retention(
        start, returns, data.draw(PERIODS), data.draw(ZONES), range_[0] * unit, range_[1] * unit,
        data.draw(st.sampled_from(["first", "first_time", "recurring"])), data.draw(st.booleans()),
        data.draw(st.sampled_from([None, By("trait", "plan")])), data.draw(st.booleans()),
    )  # fmt: skip
    expected = retention.specification(question, canonical(events, []), now * unit)
    assert retention.ask_retention(snapshot(events, parts), question, now * unit) == expected


A, B = EventMatch(("A",)), EventMatch(("B",))
A_MUCH, B_ONE = EventMatch(("A",), {"x": {"gte": 2}}), EventMatch(("B",), {"x": 1})
QUESTIONS = [
    Trend(A, "day", "x"),
    Funnel((A, B), 6 * SECOND, by=By("trait", "plan"), instead=True, trend="day"),
    Funnel((A_MUCH, B_ONE), barred=((EventMatch(("C",), {"x": {"exists": False}}),),)),
    Funnel((B_ONE, A), order="unordered", by=By("property", "x")),
    Retention(A, None, "day", by=By("property", "x"), returned_to=True),
    Paths(A, B_ONE, depth=3, gap_us=None),
    Sessions(3 * SECOND),
    Lifecycle("day"),
    Trend(A, "day", "x", By("segment", "did_b")),
    Trend(None, "day", "x", By("property", "x")),
]
ASK = {Funnel: funnel.ask_funnel, Retention: retention.ask_retention, Paths: paths.ask_paths,
       Sessions: sessions.ask_sessions, Lifecycle: lifecycle.ask_lifecycle,
       Trend: trend.ask_trend}  # fmt: skip
MEAN = {Funnel: funnel.specification, Retention: retention.specification, Paths: paths.specification,
        Sessions: sessions.specification, Lifecycle: lifecycle.specification,
        Trend: trend.specification}  # fmt: skip


B_DONE = Did(("B",))


def one_person(history: list[Event]) -> list[Event]:
    """The events of merged ids under one of them."""
    return [replace(one, subject=min(event.subject for event in history)) for one in history]


def erase(place: Place, subjects: set[int]) -> None:
    """Tombstones for these customers, under whichever ids they came."""
    into = by_hand(place.waiting.merged)
    place.waiting.gone = [subject for subject in range(1, 7) if root(subject, into) in subjects]


def root(subject: int, into: dict[int, int]) -> int:
    while subject in into:
        subject = into[subject]
    return subject


@settings(max_examples=8, deadline=None)
@given(
    crowds,
    st.lists(st.tuples(st.integers(4, 6), st.integers(1, 3)), max_size=2, unique_by=lambda one: one[0]),
    st.sets(st.integers(1, 6), max_size=2),
    st.booleans(),
)
def test_a_real_table_with_merges_recent_rows_tombstones_and_our_own_people(
    drawn: list[Event], merges: list[tuple[int, int]], erased: set[int], keeps: bool
) -> None:
    """From sealed files, late and waiting rows, merges and tombstones, without internal people, with columns
    kept between questions or not, every question means the same."""
    events, internal, resident = stating(drawn), Did(("C",)), Resident() if keeps else None
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for number, part in enumerate((events[0::3], events[1::3], events[2::3])):
            place.waiting.add(part)
            if number < 2:
                place.seal()
            for pair in merges[number : number + 1]:
                place.waiting.merge(*pair)
        erase(place, erased)
        now = 10 * SECOND
        merged = [one for one in canonical(events, place.waiting.merged)
                  if not {event.subject for event in one} & set(place.waiting.gone)]  # fmt: skip
        known = [(history, [one for one in history if one.at <= now]) for history in merged]
        theirs = [one_person(history) for history, so_far in known if not internal.holds(so_far, now)]
        b_done = [one for one in theirs if B_DONE.holds([event for event in one if event.at <= now], now)]
        members = {"did_b": frozenset(one[0].subject for one in b_done)}
        for question in QUESTIONS:
            whom = everybody(place.snapshot(resident), now, lambda _: B_DONE, internal)
            more = (members,) if isinstance(question, Funnel | Retention | Trend) else ()
            ask, mean = ASK[type(question)], MEAN[type(question)]
            assert ask(whom, question, now) == mean(question, theirs, now, *more)  # type: ignore[operator]
