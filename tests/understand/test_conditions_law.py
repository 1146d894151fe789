"""The law of the conditions: what is folded live answers as the pure meaning does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.model import JSON, Event, Instant, Record, Trait
from hark.understand.conditions import Condition, Did, Leaf, stated
from hark.understand.conditions.answers import change_by
from tests.understand.histories import (
    CONDITIONS,
    HORIZON,
    KINDS,
    RULES,
    START,
    arrivals,
    event,
    ordered,
)

MANY = settings(max_examples=250, deadline=None)


def fold(record: Record, condition: Condition, event: Event) -> None:
    """What the engine does with an event: summaries by name, traits by their latest (at, seq)."""
    leaves = {leaf.key: leaf for leaf in condition.leaves() if leaf.keeps_summary}
    for key, leaf in leaves.items():
        if leaf.takes(event):
            record.summaries[key] = leaf.fold(record.summaries.get(key), event)
    if change := change_by(event, record.consents, RULES):
        change.apply(record.consents)
    for name, value in stated(event).items():
        old = record.traits.get(name)
        if old is None or (event.at, event.seq) >= (old.at, old.seq):
            record.traits[name] = Trait(value, event.at, event.seq)


def walk(
    condition: Condition,
    record: Record,
    known: Sequence[Event],
    now: Instant,
    until: Instant,
    probes: Sequence[float],
) -> None:
    """From `now` on, moment by moment as `next_change` names them: live = pure, and no change in between."""
    while True:
        answer = condition.met(record, now)
        assert answer == condition.holds(known, now)
        change = condition.next_change(record, now)
        assert change is None or change > now
        assert condition.answer(record, now) == (answer, change)
        end = until if change is None else min(change, until)
        for moment in [now + int((end - now) * share) for share in probes] + [end - 1]:
            if now <= moment < end:
                assert condition.met(record, moment) is answer
                assert condition.holds(known, moment) is answer
        if end >= until:
            return
        now = end


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(st.data(), arrivals(), st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_each_kind_answers_live_as_the_pure_meaning_does(
    kind: str, data: st.DataObject, events: list[Event], probes: list[float]
) -> None:
    """Of each kind by itself, so that none is drawn too seldom."""
    holds_live(data.draw(KINDS[kind]), events, probes)


@MANY
@given(CONDITIONS, arrivals(), st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_live_answers_as_the_pure_meaning_does(
    condition: Condition, events: list[Event], probes: list[float]
) -> None:
    """At arrivals, when `next_change` says and at other moments live = pure; in between nothing changes."""
    holds_live(condition, events, probes)


def holds_live(condition: Condition, events: Sequence[Event], probes: Sequence[float]) -> None:
    record = Record(1)
    walk(condition, record, [], START - 1, events[0].instant if events else HORIZON, probes)
    for place, one in enumerate(events):
        fold(record, condition, one)
        until = events[place + 1].instant if place + 1 < len(events) else HORIZON
        walk(
            condition, record, ordered(events[: place + 1]), one.instant, max(until, one.instant + 1), probes
        )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("trait", "consent", "reachable")])
@settings(max_examples=30, deadline=None)
@given(st.data(), arrivals(), arrivals())
def test_two_summaries_together_are_the_summary_of_all(
    kind: str, data: st.DataObject, events: list[Event], others: list[Event]
) -> None:
    """Merging what two subjects' events were folded to gives the answers of one subject with all of them."""
    condition = data.draw(KINDS[kind])
    others = [replace(one, seq=one.seq + 100) for one in others]
    record, whole = Record(1), ordered([*events, *others])
    for leaf in condition.leaves():
        record.summaries[leaf.key] = leaf.merge(*(_folded(leaf, part) for part in (events, others)))
    now = max([START, *(event.instant for event in whole)])
    assert condition.met(record, now) == condition.holds(whole, now)
    change = condition.next_change(record, now)
    assert change is None or condition.met(record, change) == condition.holds(whole, change)


@pytest.mark.parametrize("kind", ["sequence", "held"])
@settings(max_examples=60, deadline=None)
@given(st.data(), arrivals())
def test_where_order_counts_it_is_that_of_what_happened(
    kind: str, data: st.DataObject, events: list[Event]
) -> None:
    """However the events arrive, each counts at its own time: the answers are those of their true order."""
    condition, whole = data.draw(KINDS[kind]), ordered(events)
    record = Record(1)
    for leaf in condition.leaves():
        record.summaries[leaf.key] = _folded(leaf, data.draw(st.permutations(events)))
    now = max([START, *(one.at for one in whole)])
    assert condition.met(record, now) == condition.holds(whole, now)


def _folded(leaf: Leaf, events: Sequence[Event]) -> JSON:
    summary: JSON = None
    for one in events:
        if leaf.takes(one):
            summary = leaf.fold(summary, one)
    return summary


@given(st.lists(st.integers(0, 10_000), max_size=400), st.integers(1, 5))
def test_summaries_stay_bounded(hours: list[int], least: int) -> None:
    """However many events come, "at least k" keeps k instants in a window and one number without."""
    events = [event(seq, "Ordered", START + hour, START + 20_000) for seq, hour in enumerate(hours)]
    window = Did(("Ordered",), count={"gte": least}, within_us=5_000)
    days = Did(("Ordered",), count={"gte": least}, within_us=5_000, measure="days")
    ever = Did(("Ordered",), count={"gte": least})
    assert len(_folded(window, events) or []) <= least
    assert len((_folded(days, events) or [[]])[0]) <= least
    assert (_folded(ever, events) or 0) <= least
