"""The log's files go when they are old, and never before the history has all that is in them."""

from __future__ import annotations

from pathlib import Path

from hark.history.reader import open_snapshot
from hark.model import DAY, HOUR, Event, Lane
from hark.store.log import LogReader
from hark.store.retention import drop, gone_by
from tests.engine.world import World

KEPT = 28


def events(world: World) -> list[Event]:
    return list(open_snapshot(world.data, world.reader).events())


def files(world: World) -> list[str]:
    return sorted(path.name for path in (world.data / "log").glob("[0-9]*.db"))


def test_old_files_go_once_they_are_sealed(tmp_path: Path) -> None:
    """Unread files stay however old they are, read ones until they are sealed; then the old go, and reading,
    numbering, deduplication and imports go on as if nothing had happened."""
    world = World(tmp_path)
    chunk = {"import": {"file": "f", "chunk": 1}, "batch": []}
    for day in range(3):
        world.track("ada", "App Opened", day=day)
        world.post("import", Lane.BULK, **chunk)
        world.clock.at += DAY
    now = world.clock.at + 365 * DAY
    assert drop(tmp_path, now, KEPT) == []
    engine = world.engine()
    engine.tick()
    assert drop(tmp_path, now, KEPT) == []
    engine.close()
    world.engine(seal_events=1).catch_up()
    world.track("ada", "App Opened", day=3)
    before = events(world)
    assert [path.name for path in drop(tmp_path, now, KEPT)] == ["1.db", "2.db", "3.db"]
    assert files(world) == ["4.db"]
    again = world.raw("track", b'{"userId":"ada","event":"App Opened","messageId":"m3"}')
    assert again == 8 and LogReader(tmp_path / "log").end() == 8
    world.post("import", Lane.BULK, **chunk)
    world.catch_up()
    assert [one.seq for one in events(world)][:3] == [one.seq for one in before]
    assert len(events(world)) == 4
    world.log.close()


def test_nothing_younger_than_asked_goes(tmp_path: Path) -> None:
    """A file stays until its youngest row has the age; by the date that is promised it has gone."""
    world = World(tmp_path)
    began = world.clock.at
    world.track("ada", "App Opened")
    world.clock.at += 23 * HOUR
    world.track("ada", "App Opened")
    world.clock.at += 2 * HOUR
    world.track("ada", "App Opened")
    world.engine(seal_events=1).catch_up()
    assert files(world) == ["1.db", "2.db"]
    assert drop(tmp_path, began + 23 * HOUR + KEPT * DAY, KEPT) == []
    assert len(drop(tmp_path, gone_by(began, KEPT), KEPT)) == 1
    world.log.close()
