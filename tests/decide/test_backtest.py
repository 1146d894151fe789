"""The back-test: `step` over few of a history's customers and events says what a replay of all of it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hark.decide.backtest.found import Found
from hark.decide.backtest.inputs import known_span
from hark.decide.backtest.run import BEGINNING, Span, as_launched, backtest, plan_of
from hark.decide.backtest.walk import Since
from hark.decide.plan import Plan
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.types import Campaign, Definition
from hark.model import DAY, HOUR, Event, FactName, Instant, Kind, sequence
from hark.replay import Replay, _Memory, _World
from tests.decide.story import documents
from tests.history.waiting import Place

BEGIN: Instant = 1_760_000_000_000_000
MORE = """
---
policy: attention
quiet_hours: {from: "21:00", to: "08:00", zone: customer}
caps: [{messages: 1, per: 5d, on_cap: wait, max_wait: 2d}]
global_control: {share: 10%}
---
policy: internal
where: {trait: {staff: true}}
---
segment: slow
where:
  all:
    - did: {event: Bought, where: {price: {gte: 5}}, times: {gte: 2}}
    - did_not: {event: Bought, within: 20d}
---
segment: idle
where: {did_not: {event: Bought, within: 30d}}
---
segment: not_asked_for
where: {did: Viewed}
---
stage: purchase
stages:
  - nobody
  - {name: looks, when: {did: {event: Viewed, within: 20d}}}
  - {name: customer, when: {did: Bought}}
"""
ITEMS = "".join(
    f"---\ncontent: i{n}\ntitle: Item {n}\nurl: https://shop.example/i{n}\nformat: guide\n"
    f"topics: [{topics}]\n{stage}"
    for n, (topics, stage) in enumerate(
        [
            ("a", "stage: looks\n"),
            ("a, b", ""),
            ("b", "stage: [looks, customer]\n"),
            ("b", "stage: customer\n"),
        ]
    )
)
REST = "goal: {event: Bought, within: 7d}\ntopic: news\nexit: [goal]\n"
SEND = "{send: {channel: email, template: hello, expires: 1d}}"
READ = "{send: {channel: email, template: hello, content: by_stage}}"
CAMPAIGNS = {
    "event": "trigger: {event: Viewed, where: {page: {lt: 3}}}\nkey: event.page\nreenter: {after: 10d}\n"
    "audience: {trait: {plan: pro}}\n"
    f"variants:\n  one: {SEND}\n"
    f"  two: {{steps: [{{wait: {{until: {{event: Bought}}, for: 2d}}}}, {SEND}]}}\n",
    "segment": "trigger: {enters: slow}\nreenter: always\n"
    f"steps: [{SEND}, {{wait: {{for: 3d}}}}, {SEND}]\n",
    "content": "trigger: {event: Viewed}\nreenter: always\n"
    f"steps: [{READ}, {READ}, {{wait: {{for: 2d}}}}, {READ}, {{wait: {{for: 2d}}}}, {READ}]\n",
    "absence": f"trigger: {{enters: idle}}\nsteps: [{SEND}]\n",
}
"""An event with properties, keys and an audience; a segment again and again; content by stage and by what was
read; a segment of who did nothing."""


def typed(name: str, body: str) -> list[tuple[Document, Definition]]:
    text = f"campaign: {name}\n{body}{REST}{MORE}{ITEMS}"
    return [(one, definition(one)) for one in documents(text)]


def shop(customers: int, seed: int) -> list[Event]:
    """Customers who view, buy and tell who they are, in order of arrival; some events are late, some
    customers are ours, unreachable, or away in another zone; half of them only do what nobody asks for."""
    chance = Random(seed)
    made = [event for subject in range(1, customers + 1) for event in life(subject, chance)]
    made.sort(key=lambda one: one[3])
    return [
        Event(
            subject, at, sequence(row, 0), name, int(kind), "shop", f"m{row}", known, known, known,
            properties=json.dumps(properties).encode(), context=context,
        )
        for row, (subject, name, at, known, properties, context, kind) in enumerate(made)
    ]  # fmt: skip


def life(subject: int, chance: Random) -> list[tuple[int, str, Instant, Instant, Any, bytes, Kind]]:
    at = BEGIN + chance.randrange(30 * DAY)
    plan, zone = chance.choice(["pro", "free"]), chance.choice(["Asia/Tokyo", "Europe/Paris"])
    about: dict[str, Any] = {"plan": plan, "timezone": zone, "staff": chance.random() < 0.05}
    if chance.random() < 0.9:
        about["email"] = f"c{subject}@x.example"
    events = [(subject, "Identify", at, at, about, b"{}", Kind.IDENTIFY)]
    names = (
        ["Viewed", "Bought", "Content Read", "Unsubscribed", "Bought"]
        if chance.random() < 0.5
        else ["Scrolled"]
    )
    for _ in range(chance.randrange(7)):
        at += chance.randrange(15 * DAY)
        name = chance.choices(names, [10, 6, 4, 1, 6][: len(names)])[0]
        known = at + (chance.randrange(3 * DAY) if chance.random() < 0.1 else 0)
        context = b'{"traits":{"plan":"pro"}}' if chance.random() < 0.1 else b"{}"
        told: dict[str, Any] = {"page": chance.randrange(6), "price": chance.randrange(10)}
        told["content"] = f"/i{told['page']}"
        events.append((subject, name, at, known, told, context, Kind.TRACK))
    return events


def placed(folder: Path, events: list[Event]) -> Place:
    """A table in which most is sealed and some waits; a few customers turned out to be others."""
    place = Place(folder)
    cut = len(events) * 3 // 4
    place.waiting.add(events[:cut])
    place.waiting.merge(4, 3)
    place.waiting.merge(9, 12)
    place.seal()
    place.waiting.add(events[cut:])
    place.waiting.merge(17, 5)
    place.waiting.merge(6, 20)
    place.waiting.unmerge(9)
    return place


def replayed(place: Place, things: list[tuple[Document, Definition]], name: str, span: Span) -> Replay:
    """The full replay, of every customer and every definition, with the campaign as launched."""
    as_is = [
        (one, as_launched(thing, span) if isinstance(thing, Campaign) and thing.name == name else thing)
        for one, thing in things
    ]
    world = _World(Plan(as_is), _Memory(lambda subject: (str(subject), 0)))
    world.fold(event for event in place.snapshot().events() if event.known_at <= span.until)
    world.advance_all(span.until + 1)
    return world.replay()


def told(facts: list[Event]) -> dict[str, Any]:
    """What the facts say, counted by hand."""
    entered: dict[str, list[Any]] = {}
    withheld: Counter[str] = Counter()
    deferred: Counter[str] = Counter()
    messages = []
    for fact in facts:
        said = json.loads(fact.properties)
        match fact.name:
            case FactName.CAMPAIGN_ENTERED:
                compared = said["arm"] != "global_control"
                first = compared and said["first"]
                entered[said["run"]] = [fact.subject, fact.at, compared, first, False]
            case FactName.GOAL_REACHED:
                entered[said["run"]][4] = True
            case FactName.NOT_ELIGIBLE | FactName.MESSAGE_WITHHELD if said["reason"] != "out_of_dates":
                withheld[said["reason"]] += 1
            case FactName.MESSAGE_WANTED | FactName.MESSAGE_DEFERRED if said.get("reason"):
                deferred[said["reason"]] += 1
            case FactName.MESSAGE_SENDING:
                messages.append((fact.subject, fact.at))
    return {
        "entries": sorted(tuple(one) for one in entered.values()),
        "withheld": dict(withheld),
        "deferred": dict(deferred),
        "messages": sorted(messages),
    }


def as_told(found: Found) -> dict[str, Any]:
    return {
        "entries": sorted((one.subject, one.at, one.compared, one.first, one.goal) for one in found.entries),
        "withheld": found.withheld,
        "deferred": found.deferred,
        "messages": sorted((one.subject, one.at) for one in found.messages),
    }


def both(place: Place, name: str, span: Span) -> tuple[Found, dict[str, Any]]:
    things = typed(name, CAMPAIGNS[name])
    snapshot = place.snapshot()
    plan = plan_of(things, name, span)
    found = backtest(snapshot, range(snapshot.buckets), [Since(BEGINNING, plan)], name, span, str)
    return found, told(replayed(place, things, name, span).facts)


def test_a_back_test_is_a_replay_of_ten_thousand(tmp_path: Path) -> None:
    """Entries, goals, messages and reasons are those of a full replay, of far fewer customers and events."""
    place = placed(tmp_path, shop(10_000, 1))
    found, expected = both(place, "segment", Span(None, None, known_span(place.snapshot())[1]))
    assert as_told(found) == expected
    assert len(found.entries) > 500
    assert {"internal", "not_reachable", "global_control"} <= found.withheld.keys()
    assert found.deferred["quiet_hours"] > 100
    assert found.customers < 4_000
    assert sum(one.goal for one in found.entries) > 10


@pytest.mark.parametrize("name", CAMPAIGNS)
@pytest.mark.parametrize("seed", range(3))
def test_a_back_test_is_a_replay(tmp_path: Path, name: str, seed: int) -> None:
    """The same for small histories, also where a segment holds for who did nothing, between two dates."""
    place = placed(tmp_path, shop(120, 100 + seed))
    last = known_span(place.snapshot())[1]
    for span in (
        Span(None, None, last),
        Span(BEGIN + 20 * DAY, BEGIN + 60 * DAY, last),
        Span(None, None, last - 9 * DAY - 5 * HOUR),
    ):
        found, expected = both(place, name, span)
        assert as_told(found) == expected
