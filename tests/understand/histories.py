"""Random conditions and random histories of one subject, for the laws."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from hark.model import DAY, GROUP_TRAITS, HOUR, JSON, Event, Instant, Kind
from hark.understand.conditions import AllOf, AnyOf, Condition, Did, DidNot, HasTrait, InGroup, Not

START = 1_700_000_000_000_000
NAMES = ("Ordered", "Viewed")

COUNTS: st.SearchStrategy[JSON] = st.one_of(
    st.builds(
        lambda name, number: {name: number},
        st.sampled_from(["gte", "gt", "lte", "lt", "eq", "ne"]),
        st.integers(0, 4),
    ),
    st.builds(lambda low, more: {"between": [low, low + more]}, st.integers(0, 3), st.integers(0, 2)),
    st.builds(lambda numbers: {"in": numbers}, st.lists(st.integers(0, 4), min_size=1, max_size=2)),
    st.just({"gte": 1, "ne": 3}),
)
WINDOWS = st.one_of(st.none(), st.integers(1, 96).map(lambda hours: hours * HOUR))
PREDICATES: st.SearchStrategy[JSON] = st.sampled_from(
    [None, {"v": 1}, {"v": {"gte": 2}}, {"x.y": {"exists": True}}]
)
EVENTS = st.sampled_from([("Ordered",), ("Viewed",), NAMES])
TRAITS: st.SearchStrategy[JSON] = st.sampled_from(
    [{"plan": "pro"}, {"plan": {"ne": "pro"}}, {"plan": {"exists": False}}, {"seats.paid": {"gte": 2}}]
)

LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        Did,
        names=EVENTS,
        where=PREDICATES,
        measure=st.sampled_from(["times", "days"]),
        count=COUNTS,
        within_us=WINDOWS,
        zone=st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kathmandu"]),
    ),
    st.builds(DidNot, names=EVENTS, where=PREDICATES, within_us=WINDOWS),
    st.builds(HasTrait, where=TRAITS),
    st.builds(InGroup, st.sampled_from(["account", "household"]), where=TRAITS),
)


def _combined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AllOf, some), st.builds(AnyOf, some), st.builds(Not, parts))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(LEAVES, _combined, max_leaves=4)


def event(
    seq: int,
    name: str,
    at: Instant,
    arrived: Instant,
    properties: JSON = None,
    context: JSON = None,
    subject: int = 1,
) -> Event:
    """An event as the engine would see it: what happened at `at` and came in at `arrived`."""
    return Event(
        subject=subject,
        at=at,
        seq=seq,
        name=name,
        kind=Kind.IDENTIFY if name == "Identify" else Kind.TRACK,
        source="web",
        message_id=f"m{seq}",
        received_at=arrived,
        known_at=arrived,
        instant=arrived,
        properties=msgspec.json.encode(properties or {}),
        context=msgspec.json.encode(context or {}),
    )


PROPERTIES: st.SearchStrategy[JSON] = st.sampled_from(
    [{}, {"v": 1}, {"v": 2.5}, {"v": "1"}, {"x": {"y": 0}}, {"x": 3}]
)
STATED: st.SearchStrategy[JSON] = st.sampled_from(
    [{"plan": "pro"}, {"plan": "free"}, {"plan": None}, {"plan": 3}, {"seats": {"paid": 2}}, {"seats": 2}]
)
GROUPS = st.sampled_from(["account:a", "account:b", "household:a"])
SPAN_H = 12 * 24
"""Hours over which a drawn history is spread."""


@st.composite
def arrivals(draw: st.DrawFn, subject: int = 1, most: int = 12) -> list[Event]:
    """Events in order of arrival; some late, some at one instant, some exactly a whole window apart."""
    gaps = st.one_of(st.integers(0, 4), st.integers(0, SPAN_H // most))
    delays = st.one_of(st.just(0), st.integers(0, 6), st.integers(0, 60))
    steps = draw(st.lists(st.tuples(gaps, delays), max_size=most))
    events: list[Event] = []
    arrived = START
    for seq, (hours, late) in enumerate(steps):
        arrived += hours * HOUR
        at = arrived - late * HOUR
        name = draw(st.sampled_from([*NAMES, "Identify", "Other", GROUP_TRAITS]))
        stated = draw(STATED)
        properties = stated if name == "Identify" else draw(PROPERTIES)
        if name == GROUP_TRAITS:
            properties = told(
                draw(st.sampled_from(["account:a", "account:b", "household:a"])), stated, at, seq
            )
        context = {"traits": stated} if name == "Viewed" and hours % 3 == 0 else {}
        events.append(event(seq, name, at, arrived, properties, context, subject))
    return events


def told(group: str, stated: JSON, at: Instant, seq: int) -> JSON:
    """What a member is told of a group; some traits are older than the telling."""
    kind, _, name = group.partition(":")
    traits = {trait: [value, at - seq % 3 * DAY, seq] for trait, value in stated.items()}
    return {"type": kind, "id": name, "traits": traits}


def ordered(events: Sequence[Event]) -> list[Event]:
    """As a history holds them."""
    return sorted(events, key=lambda one: (one.at, one.seq))


HORIZON = START + (SPAN_H + 24 * 12) * HOUR
assert DAY == 24 * HOUR
