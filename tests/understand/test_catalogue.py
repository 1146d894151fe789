"""The catalogue against counting by hand, and the tracking plan's rules."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import pyarrow as pa
import pytest

from hark.definitions.event_plan import Event as Plan
from hark.definitions.parse import parse
from hark.history import columns
from hark.model import DAY, GROUPS, JSON, Event, Kind
from hark.understand import catalogue as limits
from hark.understand.catalogue import COLUMNS, Catalogue, fold
from hark.understand.tracking import check_of
from tests.history.waiting import event


def rows(events: Sequence[Event]) -> pa.Table:
    return columns.table(columns.encode(events)).select(COLUMNS)


def drawn(count: int, seed: int = 7) -> list[Event]:
    """Events of a few names on several days, with properties of changing type."""
    chance = random.Random(seed)
    return [
        event(
            row,
            chance.randrange(1, 9),
            chance.randrange(5) * DAY + row,
            chance.choice(["A", "B", "C"]),
            properties=msgspec.json.encode(chance.choice(OBJECTS)),
        )
        for row in range(count)
    ]


OBJECTS: list[JSON] = [
    {"price": 1.5, "where": {"country": "GB"}},
    {"price": "free", "at": "2026-01-01T00:00:00Z"},
    {"tags": [1], "paid": True, "none": None, "empty": {}},
    {},
]


def flat(found: JSON, before: str = "") -> list[tuple[str, JSON]]:
    """Members by dotted path; what `leaves` promises, for two levels."""
    out: list[tuple[str, JSON]] = []
    for key, value in found.items():
        out += (
            flat(value, before + key + ".") if isinstance(value, dict) and value else [(before + key, value)]
        )
    return out


@pytest.mark.parametrize("part", [1, 7, 500])
def test_counts_are_those_of_counting_by_hand(part: int) -> None:
    """Events, days, sources and properties by type are counted exactly, however the rows are cut."""
    events = drawn(400)
    found = Catalogue()
    for start in range(0, len(events), part):
        fold(found, rows(events[start : start + part]), {})
    names = Counter(one.name for one in events)
    assert {name: one.count for name, one in found.events.items()} == names
    for name, seen in found.events.items():
        mine = [one for one in events if one.name == name]
        members = [member for one in mine for member in flat(msgspec.json.decode(one.properties))]
        assert seen.days == Counter(one.at // DAY for one in mine)
        assert seen.sources == {"web": len(mine)}
        assert (seen.first, seen.last) == (min(one.at for one in mine), max(one.at for one in mine))
        assert (seen.looked, seen.arrived) == (len(mine), min(one.received_at for one in mine))
        assert {path: one.count for path, one in seen.properties.items()} == Counter(p for p, _ in members)
        assert seen.properties["price"].types == Counter(
            "string" if isinstance(value, str) else "number" for path, value in members if path == "price"
        )
        assert seen.properties["at"].types == {"time": seen.properties["at"].count}
        assert seen.properties["where.country"].example == '"GB"'
        assert seen.properties["none"].example == ""


def test_facts_and_second_rows_of_groups_are_left_out() -> None:
    """Hark's own facts are no tracking, and an event of a group counts once."""
    events = [
        event(1, 1, 5),
        event(2, 1, 5, "Message Sent", kind=Kind.FACT, active=False),
        event(3, GROUPS + 1, 5),
    ]
    found = Catalogue()
    fold(found, rows(events), {})
    assert {name: one.count for name, one in found.events.items()} == {"A": 1}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most names and properties only the number of what came is kept."""
    monkeypatch.setattr(limits, "MOST_EVENTS", 3)
    monkeypatch.setattr(limits, "MOST_PROPERTIES", 2)
    events = [event(n, 1, n, f"E{n:02}", properties=b'{"a":1,"b":2,"c":3,"d":4}') for n in range(10)]
    found = Catalogue()
    fold(found, rows(events), {})
    assert (len(found.events), found.beyond) == (3, 7)
    assert all((len(one.properties), one.beyond) == (2, 2) for one in found.events.values())


def test_of_many_events_the_properties_of_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts stay exact; the looked at are spread over the rows, so a share is close to the true one."""
    monkeypatch.setattr(limits, "LOOK", 100)
    events = [event(n, 1, n, properties=b'{"new":1}' if n >= 2500 else b"{}") for n in range(5000)]
    found = Catalogue()
    fold(found, rows(events), {})
    seen = found.events["A"]
    assert (seen.count, seen.looked, seen.properties["new"].count) == (5000, 100, 50)


PLAN = """
event: Order Completed
properties:
  revenue: {type: number, required: yes, gte: 0}
  currency: {type: string, in: [EUR, GBP]}
  coupon: {type: string, matches: "^[A-Z]+$"}
  count: integer
  when: time
  shipping: object
other: no
"""


@pytest.mark.parametrize(
    "properties, broken",
    [
        ({"revenue": 1}, []),
        ({"revenue": 0, "currency": "EUR", "coupon": "ABC", "count": 2.0, "when": "2026-01-01"}, []),
        ({"revenue": 1, "shipping": {"country": "GB"}}, []),
        ({}, [("revenue", "missing")]),
        ({"revenue": None}, [("revenue", "missing")]),
        ({"revenue": "1"}, [("revenue", "type")]),
        ({"revenue": True}, [("revenue", "type")]),
        ({"revenue": -1}, [("revenue", "gte")]),
        ({"revenue": 1, "currency": "USD"}, [("currency", "in")]),
        ({"revenue": 1, "coupon": "abc", "count": 1.5}, [("coupon", "matches"), ("count", "type")]),
        ({"revenue": 1, "when": "soon", "shipping": "GB"}, [("when", "type"), ("shipping", "type")]),
        ({"revenue": 1, "extra": {"a": 1}}, [("extra.a", "unplanned")]),
    ],
)
def test_what_breaks_a_plan(properties: JSON, broken: list[tuple[str, str]]) -> None:
    """Each rule of a plan is broken by what the docs say, and by nothing else."""
    plan = parse(PLAN)[0].definition
    assert isinstance(plan, Plan)
    assert [(one.property, one.rule) for one in check_of(plan)(properties)] == broken


def test_violations_are_counted_with_their_last_example() -> None:
    """Every event with a plan is checked, also where only some are looked at."""
    plan = parse(PLAN)[0].definition
    assert isinstance(plan, Plan)
    name = "Order Completed"
    good = [event(n, 1, n, name, properties=b'{"revenue":2}') for n in range(900)]
    bad = [event(n, 1, n, name, properties=b'{"revenue":"%d"}' % n) for n in range(900, 930)]
    found = Catalogue()
    fold(found, rows([*bad, *good]), {name: check_of(plan)})
    seen = found.events[name]
    assert (seen.checked, seen.broken) == (930, 30)
    assert [(one.property, one.rule, one.count, one.example) for one in seen.violations] == [
        ("revenue", "type", 30, '"929"')
    ]
