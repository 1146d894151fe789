"""The catalogue that is kept: folded once, whatever was sealed, restarted or deleted in between."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hark.clock import SetClock
from hark.collect.sources import add_source
from hark.definitions.parse import parse
from hark.engine.loop import Engine
from hark.model import DAY, JSON, SECOND, Lane
from hark.questions import ask
from hark.questions.catalogue import NAME, Keeper
from hark.settings import Settings
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.store.state import open_reader
from hark.store.table import EventTable
from hark.understand.catalogue import Catalogue

START = 1_772_323_200 * SECOND


class World:
    """A data directory to which calls come; the engine runs when told to."""

    def __init__(self, data: Path) -> None:
        self.data, self.clock, self.sent = data, SetClock(START), 0
        add_source(data, "web")
        (data / "run").mkdir(parents=True)

    def send(self, calls: int, name: str = "Opened", **properties: JSON) -> None:
        self.clock.at += SECOND
        batch = [
            {"type": "track", "userId": f"u{n}", "event": name, "properties": properties}
            for n in range(calls)
        ]
        with LogStore(self.data / "log") as log:
            body = msgspec.json.encode({"batch": batch})
            log.append([NewRow(Lane.LIVE, self.clock.now(), "web", "batch", body)])
        self.sent += calls

    def define(self, text: str) -> None:
        documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(text)]
        body = msgspec.json.encode({"name": "define", "documents": documents, "author": "a", "note": "n"})
        with LogStore(self.data / "log") as log:
            log.append([NewRow(Lane.URGENT, self.clock.now(), "hark", "command", body)])

    def engine(self, seal: bool) -> None:
        settings = Settings(seal_events=1 if seal else 10**9, compact_files=2)
        Engine(self.data, self.clock, None, settings).catch_up()

    def keeper(self, writes: bool = True) -> Keeper:
        return Keeper(self.data, open_reader(self.data), writes)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def counts(catalogue: Catalogue) -> dict[str, int]:
    return {name: event.count for name, event in catalogue.events.items()}


def test_each_event_is_counted_once_over_seals_and_restarts(world: World) -> None:
    """One keeper that lives on, one that restarts each time and one without the file agree with what came."""
    world.send(3)
    world.engine(seal=False)
    living = world.keeper()
    for round_ in range(8):
        world.send(5, "Opened" if round_ % 2 else "Bought", price=round_)
        world.engine(seal=round_ in (1, 2, 4, 6))
        expected = counts(living.catalogue()[0])
        assert sum(expected.values()) == world.sent
        assert counts(world.keeper().catalogue()[0]) == expected
        assert counts(Keeper(world.data, open_reader(world.data)).catalogue()[0]) == expected
    (world.data / "run" / NAME).unlink()
    assert counts(world.keeper().catalogue()[0]) == expected == {"Opened": 23, "Bought": 20}


def test_what_was_sealed_is_read_from_its_own_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first time only new files are read: a fold of all of the history happens once."""
    world.send(4)
    world.engine(seal=True)
    keeper = world.keeper()
    keeper.catalogue()
    assert EventTable(world.data / "history").version()
    monkeypatch.setattr(Keeper, "_restart", lambda *_: pytest.fail("all was folded anew"))
    for _ in range(4):
        world.send(4)
        world.engine(seal=True)
        assert counts(keeper.catalogue()[0]) == {"Opened": world.sent}
    assert not open_reader(world.data).numbered(0)


def test_a_broken_file_is_no_harm(world: World) -> None:
    """A file that cannot be read is as good as none."""
    world.send(4)
    world.engine(seal=True)
    (world.data / "run" / NAME).write_bytes(b"\x00nonsense")
    assert counts(world.keeper().catalogue()[0]) == {"Opened": 4}


def test_a_plan_checks_the_whole_history(world: World) -> None:
    """Whoever writes a plan sees at once how many events of the past break it; an edit counts anew."""
    world.send(4, price=2)
    world.send(3, price="2")
    world.engine(seal=True)
    keeper = world.keeper()
    keeper.catalogue()
    found = []
    for rule in ("number", "string", "array"):
        world.define(f"event: Opened\nproperties: {{price: {rule}}}")
        world.engine(seal=False)
        seen = keeper.catalogue()[0].events["Opened"]
        found.append((seen.checked, seen.broken))
    assert found == [(7, 3), (7, 4), (7, 7)]


def test_an_event_is_new_for_a_week_but_not_on_the_first_day(world: World) -> None:
    """The flag is for what comes up later; on the catalogue's first day everything would be new."""
    world.send(1, "Old")
    world.engine(seal=False)
    assert [one["new"] for one in ask(world.data, {"events": {}}, world.clock)["events"]] == [False]
    world.clock.at += 3 * DAY
    world.send(1, "Late")
    world.engine(seal=False)
    found = ask(world.data, {"events": {}}, world.clock)["events"]
    assert {one["name"]: one["new"] for one in found} == {"Old": False, "Late": True}
    world.clock.at += 8 * DAY
    found = ask(world.data, {"events": {}}, world.clock)["events"]
    assert {one["name"]: one["new"] for one in found} == {"Old": False, "Late": False}
