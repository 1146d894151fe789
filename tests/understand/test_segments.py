"""Who is in a segment, in columns over a whole history, against the pure meaning for each subject."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.definitions.types import Segment
from hark.history import columns
from hark.history.merged import Merged
from hark.history.reader import NO_TABLE, Snapshot
from hark.history.seal import Sealer
from hark.model import DAY, HOUR, JSON, Event
from hark.store.table import EventTable
from hark.understand.batch import members, summaries
from hark.understand.conditions import AllOf, Condition, Did, DidNot, HasTrait, InSequence, Not
from hark.understand.conditions.sequence import Match, Never, Step
from hark.understand.segments import segment_at
from tests.understand.histories import CONDITIONS, EVENTS, KINDS, SPAN_H, START, arrivals, event, ordered

MANY = settings(max_examples=50, deadline=None)
SOMEWHERE = Path("/nonexistent")


def held(events: Sequence[Event]) -> Snapshot:
    """A history that waits in `recent`, in two chunks."""
    chunks = [columns.encode(part) for part in (events[::2], events[1::2]) if part]
    return Snapshot(EventTable(SOMEWHERE), NO_TABLE, chunks, Merged([]))


@st.composite
def crowds(draw: st.DrawFn) -> list[Event]:
    """The events of a few subjects, in order of arrival."""
    parts = [draw(arrivals(subject=subject, most=8)) for subject in (1, 2, 9, 10)]
    return sorted((one for part in parts for one in part), key=lambda one: one.instant)


def by_subject(events: Sequence[Event]) -> dict[int, list[Event]]:
    whole = sorted(events, key=lambda one: (one.subject, one.at, one.seq))
    return {subject: list(part) for subject, part in groupby(whole, lambda one: one.subject)}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(st.data(), crowds(), st.integers(-24, SPAN_H + 24 * 5))
def test_columns_of_each_kind_answer_as_the_pure_meaning_does(
    kind: str, data: st.DataObject, events: list[Event], hours: int
) -> None:
    """Of each kind by itself, so that none is drawn too seldom."""
    _columns_answer(data.draw(KINDS[kind]), events, hours)


@MANY
@given(CONDITIONS, crowds(), st.integers(-24, SPAN_H + 24 * 5))
def test_columns_answer_as_the_pure_meaning_does(
    condition: Condition, events: list[Event], hours: int
) -> None:
    """At any moment the members are the subjects seen by then for which the condition holds."""
    _columns_answer(condition, events, hours)


def _columns_answer(condition: Condition, events: Sequence[Event], hours: int) -> None:
    at = START + hours * HOUR
    pure = [
        subject
        for subject, whole in by_subject(events).items()
        if whole[0].at <= at and condition.holds([one for one in whole if one.at <= at], at)
    ]
    found = [subject for bucket in members(held(events), condition, at) for subject in bucket.tolist()]
    assert sorted(found) == pure


@MANY
@given(CONDITIONS, crowds())
def test_summaries_from_columns_are_the_folded_ones(condition: Condition, events: list[Event]) -> None:
    """A summary filled in from history is the one that live folding would have made."""
    for leaf in condition.leaves():
        folded: dict[int, JSON] = {}
        for one in events if leaf.keeps_summary else ():
            if leaf.takes(one):
                folded[one.subject] = leaf.fold(folded.get(one.subject), one)
        folded = {subject: summary for subject, summary in folded.items() if summary is not None}
        if not (isinstance(leaf, Did) and leaf.measure != "times" and not leaf.window.moving):
            assert dict(summaries(held(events), leaf)) == folded
        else:
            filled = dict(summaries(held(events), leaf))
            assert {subject: len(days) for subject, days in filled.items()} == {
                subject: len(days) for subject, days in folded.items()
            }


def test_a_segment_over_a_sealed_history(tmp_path: Path) -> None:
    """Count and sample come from table and recent together, without our own people."""
    events = [
        event(seq, "Ordered", START + seq * HOUR, START + seq * HOUR, subject=seq + 1) for seq in range(100)
    ]
    events += [
        event(seq, "Ordered", START + DAY * 9, START + DAY * 9, subject=seq - 99) for seq in range(100, 140)
    ]
    events.append(event(200, "Identify", START, START, {"email": "me@shop.example"}, subject=3))
    table = EventTable(tmp_path)
    sealer = Sealer(table, "epoch")
    sealer.seal([(1, columns.encode(events[:70]))])
    snapshot = Snapshot(table, sealer.version(), [columns.encode(events[70:])], Merged([]))
    repeat = Segment("repeat", Did(("Ordered",), count={"gte": 2}))
    internal = HasTrait({"email": {"ends_with": "@shop.example"}})
    found = segment_at(snapshot, repeat, START + 10 * DAY, internal)
    assert found.count == 39
    assert sorted(found) == [subject for subject in range(1, 41) if subject != 3]
    assert set(found.sample(5)) < set(found)
    assert found.sample(5) == segment_at(snapshot, repeat, START + 10 * DAY, internal).sample(5)
    assert segment_at(snapshot, repeat, START + DAY).count == 0
    quiet = Segment("quiet", AllOf((Did(("Ordered",)), DidNot(("Ordered",), within_us=5 * DAY))))
    assert segment_at(snapshot, quiet, START + 10 * DAY).count == 60


def test_an_absence_is_of_those_seen() -> None:
    """Who had no event by the moment is nobody yet, also where a condition asks for an absence."""
    events = ordered(
        [event(1, "Viewed", START, START, subject=1), event(2, "Viewed", START + DAY, START + DAY, subject=2)]
    )
    never = Segment("never", DidNot(("Ordered",)))
    assert list(segment_at(held(events), never, START)) == [1]
    assert sorted(segment_at(held(events), never, START + DAY)) == [1, 2]
    assert segment_at(held([]), never, START).count == 0
    assert segment_at(held([]), never, START).sample() == []


def test_the_window_of_columns_ends_where_the_live_one_does() -> None:
    """In columns too an event exactly as old as the window is outside."""
    within = Segment("within", Did(("Ordered",), within_us=DAY))
    snapshot = held([event(1, "Ordered", START, START)])
    assert segment_at(snapshot, within, START + DAY - 1).count == 1
    assert segment_at(snapshot, within, START + DAY).count == 0


def test_the_latest_statement_of_a_trait_stands_wherever_it_was_made() -> None:
    """Of an identify call and the context of another event, the later by (at, seq) says what the trait is."""
    earlier = event(2, "Viewed", START, START, context={"traits": {"plan": "free"}})
    later = event(1, "Identify", START + HOUR, START + HOUR, {"plan": "pro"})
    pro = Segment("pro", HasTrait({"plan": "pro"}))
    assert segment_at(held([earlier, later]), pro, START + DAY).count == 1
    assert segment_at(held([earlier, later]), pro, START).count == 0


def test_an_absence_is_asked_of_a_sealed_history(tmp_path: Path) -> None:
    """Who did only other things is read from the table's files where a condition asks for an absence."""
    events = [event(1, "Viewed", START, START, subject=1), event(2, "Ordered", START, START, subject=2)]
    table = EventTable(tmp_path)
    sealer = Sealer(table, "epoch")
    sealer.seal([(1, columns.encode(events))])
    snapshot = Snapshot(table, sealer.version(), [], Merged([]))
    assert list(segment_at(snapshot, Segment("never", DidNot(("Ordered",))), START)) == [1]
    pro = AllOf((Not(HasTrait({"plan": "pro"})), Did(("Ordered",))))
    assert list(segment_at(snapshot, Segment("some", pro), START)) == [2]


SHORT = st.integers(1, 3).map(lambda hours: hours * HOUR)
CLOSE = st.builds(
    InSequence,
    st.lists(
        st.builds(
            Step,
            st.builds(Match, EVENTS),
            st.one_of(st.none(), SHORT),
            st.lists(st.builds(Match, EVENTS), max_size=1).map(tuple),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.builds(Never, st.tuples(st.builds(Match, EVENTS)), st.one_of(st.none(), SHORT)) | st.none(),
    st.one_of(st.none(), SHORT),
)
"""Sequences whose times are as short as those between the events of `dense`."""


@st.composite
def dense(draw: st.DrawFn) -> list[Event]:
    """One subject's events within hours, many at one instant."""
    drawn = draw(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["Ordered", "Viewed"])), max_size=9))
    return [
        event(seq, name, START + hour * HOUR, START + hour * HOUR) for seq, (hour, name) in enumerate(drawn)
    ]


@settings(max_examples=80, deadline=None)
@given(CLOSE, dense(), st.integers(0, 10))
def test_orders_in_columns_hold_at_every_edge(condition: InSequence, events: list[Event], hours: int) -> None:
    """Events exactly a window apart, at one instant, and such as end one attempt and undo another."""
    _columns_answer(condition, events, hours)
