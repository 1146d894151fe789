"""A copy of a data directory, and one that woke late, send nothing until somebody says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hark.engine.fence import SILENCE_US, Kept, Marks
from hark.model import MINUTE, SECOND, Lane, Outcome
from hark.store.contracts import OutboxRow
from hark.store.state import StateStore
from hark.store.vitals import read_vitals
from tests.engine.world import RECEIPTS, World, sent


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A message waits; nobody has been there to send it."""
    made = World(tmp_path / "data")
    made.define(RECEIPTS)
    made.identify("ada", email="ada@shop.example")
    made.track("ada", "Order Completed", order="o1")
    made.catch_up()
    yield made
    made.log.close()


def handed(world: World, ticks: int = 8) -> list[OutboxRow]:
    """What an engine that is started now hands over."""
    found: list[OutboxRow] = []

    def take(row: OutboxRow) -> Outcome:
        found.append(row)
        return sent(row)

    engine = world.engine(take)
    for _ in range(ticks):
        engine.tick()
    engine.close()
    return found


def why(world: World) -> str:
    """Why the directory is closed, as its state has it."""
    with closing(StateStore(world.data / "state.db", world.log.epoch)) as state:
        return msgspec.json.decode(str(state.meta("fence")), type=Kept).closed


def copied(world: World, to: Path) -> World:
    """Its backup, restored elsewhere."""
    world.log.close()
    shutil.copytree(world.data, to)
    other = World(to)
    other.clock.at, other.count = world.clock.at, world.count
    return other


def test_the_same_directory_sends_after_a_restart(world: World) -> None:
    """A fence is for copies: here nothing is closed, an hour of silence included to the second."""
    world.clock.at += SILENCE_US
    assert len(handed(world)) == 1


def test_a_restored_copy_collects_and_sends_nothing_until_told(world: World, tmp_path: Path) -> None:
    """It goes on folding; what is due waits, over restarts too; `unfence` lets it go, for good."""
    other = copied(world, tmp_path / "restored")
    assert handed(other) == []
    assert handed(other) == []
    assert "copied or restored" in why(other)
    other.track("bo", "Order Completed", order="o2")
    assert handed(other) == []
    assert other.reader.find("bo")
    other.post("command", Lane.URGENT, name="unfence", author="ada")
    assert [row.content["to"] for row in handed(other)] == ["ada@shop.example"]
    other.identify("cy", email="cy@shop.example")
    other.track("cy", "Order Completed", order="o3")
    assert len(handed(other)) == 1
    other.log.close()


def test_silence_with_messages_due_closes_it(world: World) -> None:
    """Over an hour: nobody knows who sent meanwhile. It stays closed at the next start."""
    world.clock.at += SILENCE_US + SECOND
    assert handed(world) == []
    assert "1.0 hours" in why(world)
    assert handed(world) == []
    world.post("command", Lane.URGENT, name="unfence", author="ada")
    assert len(handed(world)) == 1


def test_silence_without_messages_due_closes_nothing(world: World) -> None:
    """A week off is no reason, if nothing waited for it."""
    assert len(handed(world)) == 1
    world.clock.at += 7 * 24 * 60 * MINUTE
    world.track("ada", "Order Completed", order="o2")
    assert len(handed(world)) == 1


def test_another_machine_is_another_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is attached to another machine has its inodes, but not the machine's id."""
    real = Marks.of
    monkeypatch.setattr(Marks, "of", lambda data: msgspec.structs.replace(real(data), host="one"))
    world.catch_up()
    monkeypatch.setattr(Marks, "of", lambda data: msgspec.structs.replace(real(data), host="two"))
    assert handed(world) == []
    assert "another machine" in why(world)


def test_whoever_watches_is_told(world: World, tmp_path: Path) -> None:
    """The engine says why in its vitals, where health and the console read it."""
    other = copied(world, tmp_path / "restored")
    engine = other.engine(sent)
    engine.tick()
    engine._pulse.ticked(0.1, 1, "", engine._parts.fence.closed)
    engine.close()
    vitals = read_vitals(other.data)
    assert vitals is not None
    assert "copied or restored" in vitals.fenced
    other.log.close()
