"""Segments for which a subject need have done nothing: known at its first event, whatever that is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.decide.plan import Plan
from hark.decide.record import decode, encode, fresh
from hark.decide.step import step
from hark.model import DAY, HOUR, JSON, Command, Event, FactName, Kind, Record, TimerDue
from tests.decide.story import START, Story, campaign, plan_of
from tests.decide.test_laws import happened

NEVER = "segment: never_ordered\nwhere: {did_not: Order}\n---\n"
SEGMENTS = (
    NEVER + "segment: quiet\nwhere: {did_not: {event: Order, within: 3d}}\n---\n"
    "segment: few\nwhere: {did: {event: Order, times: {lt: 2}, within: 5d}}\n---\n"
    "segment: nobody\nwhere: {not: {any: [{did: Visit}, {did: {event: Order, days: {gte: 2}}}]}}\n---\n"
    "segment: free\nwhere: {all: [{trait: {plan: {exists: false}}}, {did_not: Order}]}\n---\n"
    "segment: pros\nwhere: {all: [{trait: {plan: pro}}, {did_not: {event: Visit, within: 2d}}]}\n---\n"
    "segment: mixed\nwhere: {any: [{did: Order}, {did_not: {event: Visit, within: 4d}}]}\n---\n"
    "segment: buyers\nwhere: {did: Order}\n"
)
PLAN = plan_of(SEGMENTS)


def folded(record: Record | None, event: Event, plan: Plan) -> Record | None:
    """The record after the event, where one is kept: what an engine does."""
    new = record is None
    if plan.touches(event) or (new and plan.absences):
        record, _ = step(record or fresh(1, "key-0", START), event, plan)
        return decode(encode(record))
    return record


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Up to 12 events of one customer in order of arrival; some are late, some imported, few watched.

    All at whole milliseconds, as the moments at which time changes something."""
    arrival, events = START, list[Event]()
    for row in range(draw(st.integers(1, 12))):
        arrival += draw(st.sampled_from([0, 1000, HOUR, DAY, 2 * DAY, 5 * DAY]))
        late = draw(st.sampled_from([0, 0, 0, HOUR, 3 * DAY]))
        name = draw(st.sampled_from(["Looked", "Looked", "Scrolled", "Order", "Visit", "Identify"]))
        traits = {"plan": draw(st.sampled_from(["pro", "free"]))} if name == "Identify" else {}
        event = happened(row, name, arrival, arrival - late, traits)
        event = replace(event, kind=int(Kind.IDENTIFY)) if name == "Identify" else event
        events.append(replace(event, known_at=event.at) if draw(st.booleans()) else event)
    return events


@given(stories(), st.integers(0, 10 * 24).map(lambda hours: hours * HOUR))
@settings(max_examples=300, deadline=None)
def test_live_membership_is_what_holds(events: list[Event], later: int) -> None:
    """From a customer's first event on, at any moment, each segment has whom its pure meaning has."""
    record: Record | None = None
    for place, event in enumerate(events):
        record = folded(record, event, PLAN)
        known = sorted(events[: place + 1], key=lambda one: (one.at, one.seq))
        assert inside(record, event.instant) == holding(known, event.instant)
    now = events[-1].instant + later
    assert inside(record, now) == holding(sorted(events, key=lambda one: (one.at, one.seq)), now)


def inside(record: Record | None, now: int) -> set[str]:
    """Where the customer is once the timers due by now have fired."""
    if record is None:
        return set()
    record, _ = step(decode(encode(record)), TimerDue(1, now), PLAN)
    return set(record.members)


def holding(known: list[Event], now: int) -> set[str]:
    return {name for name, segment in PLAN.segments.items() if segment.where.holds(known, now)}


@given(stories(), st.integers(0, 11))
@settings(max_examples=200, deadline=None)
def test_a_backfill_agrees_with_it(events: list[Event], defined: int) -> None:
    """Defined after any of the events, the segments have the same people as if they had always been."""
    record: Record | None = None
    for event in events[:defined]:
        record = folded(record, event, plan_of(""))
    if events[:defined]:
        known = sorted(events[:defined], key=lambda one: (one.at, one.seq))
        record = record or fresh(1, "key-0", START)
        record, _ = step(record, filled(known), PLAN)
    for event in events[defined:]:
        record = folded(record, event, PLAN)
    everything = sorted(events, key=lambda one: (one.at, one.seq))
    assert inside(record, events[-1].instant) == holding(everything, events[-1].instant)


def filled(known: list[Event]) -> Command:
    """The command with which an engine fills in what new conditions ask of the past."""
    summaries: dict[str, JSON] = {}
    for key, leaf in PLAN.leaves.items():
        for event in known:
            if event.name in leaf.watches():
                summaries[key] = leaf.fold(summaries.get(key), event)
    return Command(1, max(event.instant for event in known), "backfill", {"summaries": summaries})


WELCOME = campaign(trigger="{enters: never_ordered}")


def test_a_campaign_starts_at_the_first_event_whatever_it_is() -> None:
    """Who is in a segment for having done nothing enters it, and its campaigns, when first seen."""
    story = Story(plan_of(NEVER + WELCOME), email="")
    event = replace(story.event("Looked"), context=b'{"traits": {"email": "mara@shop.example"}}')
    story.gives(event)
    assert story.names()[:2] == [FactName.SEGMENT_ENTERED, FactName.CAMPAIGN_ENTERED]
    assert story.facts[0].at == event.at
    story.does("Looked")
    assert len(story.found(FactName.SEGMENT_ENTERED)) == 1


def test_an_imported_first_event_starts_nothing() -> None:
    """The segment is entered, as part of the import, and no campaign."""
    story = Story(plan_of(NEVER + WELCOME), email="")
    story.imports("Looked", START - DAY)
    assert story.names() == [FactName.SEGMENT_ENTERED]
    assert story.found(FactName.SEGMENT_ENTERED)[0]["imported"] is True


def test_the_segments_own_event_keeps_out() -> None:
    """Whose first event is the one that must not happen has never been inside."""
    story = Story(plan_of(NEVER), email="")
    assert story.does("Order") == []
    assert story.record.members == {}


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("{did_not: Order}", True),
        ("{did_not: {event: Order, within: 9d}}", True),
        ("{trait: {plan: {exists: false}}}", True),
        ("{any: [{did: Visit}, {not: {did: Order}}]}", True),
        ("{all: [{did: Visit}, {did_not: Order}]}", False),
        ("{trait: {plan: pro}}", False),
        ("{did: Order}", False),
    ],
)
def test_only_segments_that_hold_for_nobody_cost_first_events(where: str, asked: bool) -> None:
    """The plan says for which segments the first event of everybody must be folded."""
    plan = plan_of(f"segment: one\nwhere: {where}\n")
    assert bool(plan.absences) is asked
    looked = happened(1, "Looked", START, START, {})
    assert (plan.watch_of(looked, first=True) is not None) is asked
    assert plan.watch_of(looked, first=False) is None
