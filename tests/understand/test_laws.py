"""Every kind of question: one meaning in plain Python, the same in kernels and columns."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import given, settings
from msgspec.structs import replace

from hark.definitions.asked import By, Funnel, Lifecycle, Paths, Period, Retention, Sessions, Trend
from hark.definitions.types import EventMatch
from hark.model import Event
from hark.understand import funnel, lifecycle, paths, retention, sessions, trend
from hark.understand.conditions import Did
from hark.understand.people import everybody
from tests.history.waiting import Place, canonical
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
    question = Trend(event, data.draw(PERIODS), of, by, data.draw(ZONES), range_[0] * unit, range_[1] * unit)
    expected = trend.specification(question, canonical(events, []), now * unit)
    assert trend.ask_trend(snapshot(events, parts), question, now * unit) == expected


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


A, B = EventMatch(("A",)), EventMatch(("B",))
QUESTIONS = [
    Funnel((A, B), 6 * SECOND, by=By("trait", "plan"), instead=True, trend="day"),
    Retention(A, None, "day", by=By("property", "x"), returned_to=True),
    Paths(A, depth=3, gap_us=None),
    Sessions(3 * SECOND),
    Lifecycle("day"),
    Trend(A, "day", "x", By("segment", "did_b")),
]
ASK = [funnel.ask_funnel, retention.ask_retention, paths.ask_paths, sessions.ask_sessions,
       lifecycle.ask_lifecycle, trend.ask_trend]  # fmt: skip
MEAN = [funnel.specification, retention.specification, paths.specification, sessions.specification,
        lifecycle.specification, trend.specification]  # fmt: skip


B_DONE = Did(("B",))


def one_person(history: list[Event]) -> list[Event]:
    """The events of merged ids under one of them."""
    return [replace(one, subject=min(event.subject for event in history)) for one in history]


@settings(max_examples=12, deadline=None)
@given(
    crowds,
    st.lists(st.tuples(st.integers(4, 6), st.integers(1, 3)), max_size=2, unique_by=lambda one: one[0]),
)
def test_a_real_table_with_merges_recent_rows_and_our_own_people(
    drawn: list[Event], merges: list[tuple[int, int]]
) -> None:
    """From sealed files, waiting rows and merges, without internal people, every question means the same."""
    events, internal = stating(drawn), Did(("C",))
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for number, part in enumerate((events[0::3], events[1::3], events[2::3])):
            place.waiting.add(part)
            if number < 2:
                place.seal()
            for pair in merges[number : number + 1]:
                place.waiting.merge(*pair)
        now = 10 * SECOND
        merged = canonical(events, place.waiting.merged)
        known = [(history, [one for one in history if one.at <= now]) for history in merged]
        theirs = [one_person(history) for history, so_far in known if not internal.holds(so_far, now)]
        whom = everybody(place.snapshot(), now, lambda _: B_DONE, internal)
        b_done = [one for one in theirs if B_DONE.holds([event for event in one if event.at <= now], now)]
        members = {"did_b": frozenset(one[0].subject for one in b_done)}
        for question, ask, mean in zip(QUESTIONS, ASK, MEAN, strict=True):
            more = (members,) if isinstance(question, Funnel | Retention | Trend) else ()
            assert ask(whom, question, now) == mean(question, theirs, now, *more)  # type: ignore[operator]
