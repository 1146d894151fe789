"""Random conditions and random histories of one subject, for the laws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.model import DAY, GROUP_TRAITS, HOUR, JSON, ConsentName, Event, Instant, Kind
from hark.understand.conditions import (
    AllOf,
    Amount,
    AnyOf,
    Change,
    Condition,
    Did,
    DidNot,
    HasConsent,
    HasTrait,
    Held,
    InGroup,
    InSegment,
    InSequence,
    Not,
    Pace,
    Reachable,
    Returned,
    SinceLast,
    Window,
)
from hark.understand.conditions.computed import ComputedTrait, HasComputed
from hark.understand.conditions.consent import Rule
from hark.understand.conditions.pace import Passage, Reference
from hark.understand.conditions.sequence import Match, Never, Step

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
    [
        {"plan": "pro"},
        {"plan": {"ne": "pro"}},
        {"plan": {"exists": False}},
        {"seats.paid": {"gte": 2}},
        {"ends": {"in_next": "36h"}},
        {"ends": {"older_than": "2d", "ne": "2023-11-17"}},
        {"ends": {"newer_than": "3d"}, "plan": {"exists": True}},
        {"born": {"anniversary": "today"}},
    ]
)
RULES = {"news": Rule("in", "double"), "tips": Rule("out", "single")}
"""Of the topics that drawn customers speak about."""

ZONES = st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kathmandu"])
SPANS = st.integers(1, 96).map(lambda hours: hours * HOUR)
OTHERS: st.SearchStrategy[Window] = st.one_of(
    st.builds(
        lambda start, more: Window(between=(START + start * HOUR, START + (start + more) * HOUR)),
        st.integers(-48, 200),
        st.integers(1, 100),
    ),
    st.just(Window(today=True)),
    st.sampled_from([("Viewed",), ("Ordered", "Other")]).map(lambda names: Window(since=names)),
    st.just(Window(entry=True)),
    st.integers(0, 250).map(lambda hours: Window(entry=True, after=(START + hours * HOUR, 3))),
)
"""Windows other than `within`."""
QUANTITIES: st.SearchStrategy[JSON] = st.sampled_from(
    [{"gte": 2}, {"lt": 3.5}, {"gt": 0, "lte": 4}, {"eq": 5}, {"between": [1, 4]}, {"ne": 0}]
)
AGES = st.dictionaries(st.sampled_from(["gte", "gt", "lt", "lte"]), SPANS, min_size=1, max_size=2)
MATCHES = st.builds(Match, EVENTS, PREDICATES)
STEPS = st.builds(Step, MATCHES, st.one_of(st.none(), SPANS), st.lists(MATCHES, max_size=1).map(tuple))
NEVERS = st.builds(Never, st.lists(MATCHES, min_size=1, max_size=2).map(tuple), st.one_of(st.none(), SPANS))


def counts(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    """`did` with every measure that is a count."""
    measures = st.sampled_from(["times", "days", "weeks", "months"])
    common = {"names": EVENTS, "where": PREDICATES, "count": COUNTS, "zone": ZONES, **fixed}
    return st.one_of(
        st.builds(Did, measure=measures, **common),
        st.builds(Did, measure=st.just("distinct"), of=st.sampled_from(["v", "x.y"]), **common),
    )


def amounts(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    return st.builds(
        Amount,
        names=EVENTS,
        of=st.just("v"),
        measure=st.sampled_from(["sum", "avg", "max", "min"]),
        compare=QUANTITIES,
        where=PREDICATES,
        zone=ZONES,
        **fixed,
    )


BETWEEN = st.tuples(st.integers(0, 100), st.integers(1, 100)).map(
    lambda ends: (START + ends[0] * HOUR, START + sum(ends) * HOUR)
)
KINDS: dict[str, st.SearchStrategy[Condition]] = {
    "did": counts(within_us=WINDOWS),
    "did in other windows": counts(other=OTHERS),
    "did_not": st.one_of(
        st.builds(DidNot, names=EVENTS, where=PREDICATES, within_us=WINDOWS),
        st.builds(DidNot, names=EVENTS, where=PREDICATES, other=OTHERS, zone=ZONES),
    ),
    "amount": st.one_of(amounts(), amounts(days=st.integers(1, 5)), amounts(between=BETWEEN)),
    "since_last": st.builds(SinceLast, EVENTS, AGES, PREDICATES),
    "change": st.builds(
        Change,
        EVENTS,
        st.integers(1, 5),
        st.sampled_from([{"lte": 0.5}, {"gt": 1}, {"eq": 0}, {"gte": 1, "lt": 2}]),
        PREDICATES,
        st.sampled_from(["times", "days"]),
        ZONES,
    ),
    "returned": st.builds(Returned, SPANS, SPANS),
    "sequence": st.builds(
        InSequence,
        st.lists(STEPS, min_size=1, max_size=3).map(tuple),
        st.one_of(st.none(), NEVERS),
        st.one_of(st.none(), SPANS),
    ),
    "pace": st.builds(
        lambda start, to, hours: Pace(
            Passage(start, to), 50, Reference("2023-11-14", 60, (0,) * 49 + (hours * 3600,))
        ),
        MATCHES,
        MATCHES,
        st.integers(1, 96),
    ),
    "trait": st.builds(HasTrait, where=TRAITS, zone=ZONES),
    "group": st.builds(InGroup, st.sampled_from(["account", "household"]), where=TRAITS, zone=ZONES),
    "consent": st.builds(
        lambda topic, channel, state: HasConsent(topic, channel, state, RULES[topic]),
        st.sampled_from([*RULES]),
        st.sampled_from(["email", "sms"]),
        st.sampled_from(["in", "out", "pending"]),
    ),
    "computed": st.builds(
        lambda where, *traits: HasComputed(where, traits, "UTC"),
        st.sampled_from(
            [
                {"c0": {"gte": 2}},
                {"c0": {"exists": False}},
                {"c0": 1, "c1": {"ne": 2}},
                {"c1": {"contains": 1}},
                {"c1": {"lt": 3}},
            ]
        ),
        st.builds(
            ComputedTrait,
            name=st.just("c0"),
            kind=st.sampled_from(["first", "last", "most_frequent", "top", "sum"]),
            names=EVENTS,
            of=st.just("v"),
            where=PREDICATES,
            window_days=st.one_of(st.none(), st.integers(1, 5)),
            n=st.just(2),
            zone=ZONES,
        ).map(lambda one: replace(one, window_days=None) if one.kind in ("first", "last") else one),
        st.builds(
            ComputedTrait,
            name=st.just("c1"),
            kind=st.sampled_from(["count", "days", "top"]),
            names=EVENTS,
            where=PREDICATES,
            window_days=st.one_of(st.none(), st.integers(1, 5)),
            zone=ZONES,
        ).map(lambda one: replace(one, of="v") if one.kind == "top" else one),
    ),
    "reachable": st.just(Reachable("email")),
    "held": st.builds(
        Held,
        st.one_of(
            counts(within_us=WINDOWS),
            st.builds(DidNot, names=EVENTS, where=PREDICATES, within_us=WINDOWS),
            st.builds(lambda one, other: AllOf((one, Not(other))), counts(within_us=WINDOWS), amounts()),
            st.builds(Returned, SPANS, SPANS),
        ),
        st.just(0) | SPANS,
        st.just(0) | SPANS,
    ),
}
"""By kind, conditions of it; the laws are asked of each."""
LEAVES: st.SearchStrategy[Condition] = st.one_of(*KINDS.values())


def _combined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    within = st.builds(InSegment, st.just("others"), parts)
    return st.one_of(st.builds(AllOf, some), st.builds(AnyOf, some), st.builds(Not, parts), within)


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
    [
        *[{"plan": "pro"}, {"plan": "free"}, {"plan": None}, {"plan": 3}],
        *[{"seats": {"paid": 2}}, {"seats": 2}, {"email": "a@b.example"}, {"email": "?"}],
        *[{"ends": "2023-11-17"}, {"ends": "2023-11-20T09:30"}, {"ends": "2023-11-18T23:00:00Z"}],
        *[{"born": "2001-11-19"}, {"born": "2023-11-19"}, {"timezone": "Pacific/Apia"}, {"timezone": "?"}],
    ]
)
SAID: st.SearchStrategy[JSON] = st.sampled_from(
    [{"topic": "news"}, {"topic": "tips", "channel": "sms"}, {"topic": "tips"}, {}, {"channel": "email"}]
)
CONSENTS = [name.value for name in ConsentName]
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
        name = draw(st.sampled_from([*NAMES * 2, "Identify", "Identify", "Other", GROUP_TRAITS, *CONSENTS]))
        stated = draw(STATED)
        properties = stated if name == "Identify" else draw(SAID if name in CONSENTS else PROPERTIES)
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
