"""kill -9 anywhere: a tick happened or it did not, and nothing is lost or folded twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hark.clock import WallClock
from hark.history.reader import open_snapshot
from hark.model import Event, Kind, Lane
from hark.store.log import LogReader
from hark.store.state import open_reader
from hark.store.state_reader import READ_AT_MOST
from tests.engine.world import RECEIPTS, World

CHILD = """
import sys, threading
from pathlib import Path
from hark.clock import WallClock
from hark.engine import Engine
from hark.model import Outcome
from hark.settings import Settings

data = Path(sys.argv[1])
book = open(data / "provider.txt", "a", buffering=1)

def deliver(row):
    book.write(row.message + "\\n")
    return Outcome(row.subject, 0, row.message, "sent")

engine = Engine(data, WallClock(), deliver, Settings(seal_events=200, compact_files=2))
print("up", flush=True)
engine.run(threading.Event())
"""
CYCLES = 8


def child(data: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(data)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def everything(data: Path) -> list[Event]:
    """All events of history and `recent` together, facts included."""
    return list(open_snapshot(data, open_reader(data)).events(facts=True))


def append_while(world: World, seconds: float, chance: random.Random) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.001)  # about as fast as a disk; in memory there would be ten times as many to check
        user = f"u{chance.randrange(30)}"
        if chance.random() < 0.3:
            world.identify(user, f"d{chance.randrange(30)}", email=f"{user}@x.example")
        else:
            world.track(user, "Order Completed", order=world.count)


def cycle(world: World, cycles: int, seed: int) -> None:
    """Appends without pause while the engine is killed after a random time, again and again."""
    chance = random.Random(seed)
    for _ in range(cycles):
        process = child(world.data)
        append_while(world, chance.uniform(0.05, 0.6), chance)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    finish(world)


def finish(world: World) -> None:
    """One last engine reads what is left and ends in order."""
    engine = world.engine()
    while engine.tick():
        pass
    engine.close()


def check(world: World) -> None:
    reader, log = open_reader(world.data), LogReader(world.data / "log")
    assert reader.problems() == []
    assert reader.cursors()[Lane.LIVE] == log.ends()[Lane.LIVE]
    events = everything(world.data)
    given = Counter(event.message_id for event in events if event.kind != Kind.FACT)
    assert given == Counter(f"m{number}" for number in range(1, world.count + 1))
    facts = Counter(event.message_id for event in events if event.kind == Kind.FACT)
    assert set(facts.values()) == {1}
    wanted = sum(event.name == "Message Wanted" for event in events)
    states = reader.outbox_counts()
    assert wanted == sum(states.values())
    assert "sending" not in states
    messages = reader.outbox(limit=READ_AT_MOST)
    handed = Counter((world.data / "provider.txt").read_text().split())
    assert set(handed.values()) <= {1}
    assert {row.message for row in messages if row.state == "sent"} <= handed.keys()


def test_kill_9_while_events_arrive(world: World) -> None:
    """Cursors and records are exact after each kill: no event lost or doubled in recent and history, no
    fact twice, no message handed to the provider twice."""
    world.clock = WallClock()  # type: ignore[assignment]
    world.define(RECEIPTS)
    cycle(world, CYCLES, seed=3)
    check(world)
    again, _ = refolded(world)
    assert again == {one.subject: one.traits for one in open_reader(world.data).records()}


def refolded(world: World) -> tuple[dict[int, object], int]:
    """The traits of every record, had the same log been folded without a crash."""
    fresh = world.data / "fresh"
    fresh.mkdir()
    (fresh / "log").symlink_to(world.data / "log")
    copy = World.__new__(World)
    copy.data, copy.clock = fresh, world.clock
    copy.catch_up()
    found = open_reader(fresh).records()
    return {one.subject: one.traits for one in found}, len(found)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(25))
def test_kill_9_many_times(world: World, seed: int) -> None:
    """The same, hundreds of times."""
    world.clock = WallClock()  # type: ignore[assignment]
    world.define(RECEIPTS)
    cycle(world, 20, seed)
    check(world)
