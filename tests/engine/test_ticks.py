"""A tick is only a cut for committing: whatever its size, the same records, facts and messages."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from hark.history import columns
from hark.history.reader import open_snapshot
from hark.model import DAY, HOUR, Event, Lane
from hark.replay import Replay, replay
from hark.store.state import open_reader
from tests.engine.world import RECEIPTS, START, World

CAMPAIGNS = (
    RECEIPTS
    + """
---
topic: news
says: News
default: in
opt_in: single
---
segment: quiet
where: {all: [{did: Order Completed}, {did_not: {event: Order Completed, within: 3d}}]}
---
campaign: come_back
hypothesis: They come back if asked.
trigger: {enters: quiet}
goal: {event: Order Completed, within: 7d}
control: 30%
reenter: {after: 5d}
topic: news
exit: [goal]
variants:
  now: {send: {template: receipt, channel: email}}
  later:
    steps:
      - wait: {until: {event: App Opened}, for: 1d}
      - send: {template: receipt, channel: email}
---
policy: attention
caps: [{messages: 1, per: 2d, on_cap: skip}]
---
content: guide
title: A guide
url: https://shop.example/guide
format: guide
stage: [aware, customer]
topics: [fit]
---
content: film
title: A film
url: https://shop.example/film
format: video
topics: [fit]
---
campaign: to_read
trigger: {event: App Opened}
goal: {event: Order Completed, within: 7d}
control: 30%
reenter: {after: 2d}
topic: news
steps: [{send: {template: receipt, channel: email, content: by_stage}}]
"""
)


def shop(world: World, days: int = 20, customers: int = 25, seed: int = 1) -> None:
    """Customers who come, browse, buy, sign in and sometimes unsubscribe."""
    chance = random.Random(seed)
    for hour in range(0, days * 24, 2):
        world.clock.at = START + hour * HOUR + chance.randrange(HOUR)
        for _ in range(chance.randrange(5)):
            visit(world, chance, chance.randrange(customers))


def visit(world: World, chance: random.Random, number: int) -> None:
    user, device = f"u{number}", f"d{number % 20}"
    match chance.randrange(8):
        case 0 | 1:
            world.post("track", anonymousId=device, event="App Opened")
        case 2 | 3:
            world.identify(user, device, email=f"{user}@x.example")
        case 4 if chance.randrange(3):
            world.track(user, "Viewed", page=number)
        case 4:
            world.track(user, "Content Read", content=chance.choice(["/film", "/guide", "/other"]))
        case _:
            world.track(user, "Order Completed", order=world.count)


def fold(world: World, data: Path, budget: Callable[[], int]) -> tuple[dict[int, bytes], list[Event]]:
    """All of the world's log folded into a state of its own by ticks of these sizes."""
    data.mkdir()
    (data / "log").symlink_to(world.data / "log")
    copy = World.__new__(World)
    copy.data, copy.clock = data, world.clock
    engine = copy.engine()
    while engine.tick(budget()):
        pass
    engine.close()
    reader = open_reader(data)
    assert reader.problems() == []
    records = {one.subject: msgspec.msgpack.encode(one) for one in reader.records()}
    events = [event for chunk in reader.recent(0) for event in columns.decode(chunk)]
    return records, sorted(events, key=lambda event: (event.subject, event.seq))


def test_ticks_of_any_size_give_the_same_records_and_facts(world: World, tmp_path: Path) -> None:
    """Records byte for byte, facts id for id: one event a tick, all at once, or at random."""
    world.define(CAMPAIGNS)
    shop(world)
    world.clock.at = START + 40 * DAY
    chance = random.Random(7)
    sizes = {"one": lambda: 1, "all": lambda: 1 << 20, "random": lambda: chance.randrange(1, 60)}
    found = {name: fold(world, tmp_path / name, size) for name, size in sizes.items()}
    assert found["one"] == found["all"] == found["random"]
    names = {event.name for event in found["one"][1]}
    assert {"Campaign Entered", "Goal Reached", "Message Wanted", "Message Withheld"} <= names


def replayed(world: World, tick: int) -> Replay:
    reader = open_reader(world.data)
    snapshot = open_snapshot(world.data, reader)
    return replay(snapshot, reader.documents(), tick=tick, key=reader.key)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("lived"))
    world.define(CAMPAIGNS)
    shop(world, days=30)
    world.catch_up()
    return world


@pytest.mark.parametrize("tick", [1, 7, 100, 1 << 20])
def test_replay_is_the_same_for_any_tick(lived: World, tick: int) -> None:
    """Decisions, messages and fact ids are equal for any size of tick, and for a second run."""
    assert replayed(lived, tick).digest == replayed(lived, 4_096).digest


def test_replay_decides_what_the_engine_decided(lived: World, tmp_path: Path) -> None:
    """Where the definitions stood from the start, the entries and arms of a replay are the live ones."""
    _, live = fold(lived, tmp_path / "again", lambda: 50)
    entered = {event.properties for event in live if event.name == "Campaign Entered"}
    assert entered
    again = {fact.properties for fact in replayed(lived, 64).facts if fact.name == "Campaign Entered"}
    assert entered <= again


def test_replay_chooses_the_content_that_the_engine_chose(lived: World, tmp_path: Path) -> None:
    """The first item of each customer, of those left alone, too: by the same stage, and by what was read."""
    _, live = fold(lived, tmp_path / "again", lambda: 50)
    chosen = first_items(live)
    assert set(chosen.values()) == {"guide", "film"}
    assert chosen == first_items(replayed(lived, 64).facts)


def first_items(facts: Sequence[Event]) -> dict[int, str]:
    found: dict[int, str] = {}
    for fact in sorted(facts, key=lambda one: one.seq):
        said = json.loads(fact.properties)
        if said.get("campaign") == "to_read" and fact.name in ("Message Wanted", "Message Withheld"):
            found.setdefault(fact.subject, said.get("content") or said["reason"])
    return found


def test_replay_asks_who_did_nothing_as_the_engine_does(world: World) -> None:
    """A segment for having done nothing is entered at the first event, in replay as live."""
    world.define("segment: idle\nwhere: {did_not: {event: Order Completed}}")
    for user, event in (("ada", "Viewed"), ("bob", "Order Completed"), ("ada", "Viewed")):
        world.track(user, event)
    world.catch_up()
    live = [fact for fact in world.events() if fact.name == "Segment Entered"]
    again = replayed(world, 64).facts
    assert [(one.subject, one.at, one.message_id) for one in again] == [
        (one.subject, one.at, one.message_id) for one in live
    ]
    assert len(live) == 1


def test_replay_of_imported_events_starts_runs(world: World) -> None:
    """Live, imported events start nothing; in replay they arrive at their own time and do."""
    world.define(RECEIPTS)
    calls: list[dict[str, object]] = [
        {"type": "identify", "userId": "ada", "traits": {"email": "a@x.example"}, "messageId": "i"},
        {"type": "track", "userId": "ada", "event": "Order Completed", "messageId": "t"},
    ]
    world.post("import", Lane.BULK, batch=[call | {"timestamp": "2025-06-01T00:00:00Z"} for call in calls])
    world.catch_up()
    assert world.reader.outbox() == []
    found = replayed(world, 10)
    (message,) = found.messages
    assert message.content["to"] == "a@x.example"
    assert message.updated_at == START - 214 * DAY
    assert found.summary()["facts"]["Campaign Entered"] == 1
    assert found.summary()["messages"] == 1
    assert b'"Message Sending"' in found.jsonl()
    assert world.reader.outbox() == []


def test_replay_runs_to_a_moment_if_asked(lived: World) -> None:
    """`until` ends the history and the timers there."""
    reader = open_reader(lived.data)
    snapshot = open_snapshot(lived.data, reader)
    found = replay(snapshot, reader.documents(), until=START + 10 * DAY, key=reader.key)
    assert max(fact.instant for fact in found.facts) <= START + 10 * DAY
    assert 0 < found.events < replayed(lived, 64).events
