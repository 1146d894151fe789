"""Lanes and the engine's time: what is urgent goes first, and no timer overtakes an unread row."""

from pathlib import Path

import pytest

from hark.clock import SetClock
from hark.engine import Engine
from hark.errors import HarkError
from hark.model import DAY, HOUR, SECOND, Lane
from hark.store.log import LogStore
from tests.engine.world import START, World

RECENT = "segment: recent\nwhere: {did: {event: Order Completed, within: 2h}}"


def test_timers_fire_at_their_own_moment(world: World) -> None:
    """Who is inside by a window leaves when it ends, at that moment and not when the engine looks."""
    world.define(RECENT)
    world.track("ada", "Order Completed")
    world.catch_up()
    world.clock.at = START + 5 * HOUR
    world.catch_up()
    left = world.events()[-1]
    assert (left.name, left.at) == ("Segment Left", START + 2 * HOUR)
    assert world.reader.engine_time() == START + 5 * HOUR


def test_no_timer_fires_against_an_unread_purchase(world: World) -> None:
    """The engine stood for hours with a purchase in the log: it is read before time passes it."""
    world.define(RECENT)
    world.track("ada", "Order Completed")
    world.catch_up()
    world.clock.at = START + HOUR
    for other in range(300):
        world.track(f"other{other}", "A")
    world.track("ada", "Order Completed")
    world.clock.at = START + 2 * HOUR + HOUR // 2
    engine = world.engine()
    while engine.tick(budget=7):
        assert "Segment Left" not in world.names()
    engine.close()
    assert world.reader.engine_time() == world.clock.at
    world.clock.at = START + 4 * HOUR
    world.catch_up()
    assert world.events()[-1].at == START + 3 * HOUR


def test_the_engines_time_stands_at_the_first_unread_live_row(world: World) -> None:
    """It is the wall clock, but before the arrival of what is unread, and never goes back."""
    for hour in range(4):
        world.clock.at = START + hour * HOUR
        world.track("ada", "A")
    world.clock.at = START + DAY
    engine, seen = world.engine(), []
    while engine.tick(budget=1):
        seen.append(world.reader.engine_time())
    arrivals = [START + hour * HOUR for hour in (1, 2, 3)]
    assert seen == [*(arrival - 1 for arrival in arrivals), START + DAY]
    world.clock.at = START
    world.track("ada", "A")
    engine.tick()
    engine.close()
    assert world.reader.engine_time() == START + DAY


def test_bulk_rows_hold_no_time_back(world: World) -> None:
    """An import may take its time; timers go on meanwhile."""
    member = {"type": "track", "userId": "ada", "event": "A"}
    for _ in range(3):
        world.post("import", Lane.BULK, batch=[member])
    world.clock.at = START + DAY
    engine = world.engine()
    engine.tick(budget=1)
    assert world.reader.engine_time() == START + DAY
    engine.close()


def test_urgent_goes_first_and_bulk_last(world: World) -> None:
    """In one tick: consent, then live, then bulk, whatever the order of arrival."""
    world.track("ada", "A")
    world.catch_up()
    world.post("import", Lane.BULK, batch=[{"type": "track", "userId": "ada", "event": "Bulk"}])
    world.track("ada", "Live")
    world.unsubscribe("ada")
    world.catch_up()
    assert world.names() == ["A", "Unsubscribed", "Live", "Bulk"]


def test_an_unsubscribe_overtakes_a_backlog(world: World) -> None:
    """With thousands of live events unread the next tick already knows of the unsubscribe."""
    world.track("ada", "A")
    world.catch_up()
    for _ in range(40):
        world.post("batch", batch=[{"type": "track", "userId": "bob", "event": "A"}] * 100)
    engine = world.engine()
    engine.tick(budget=500)
    world.unsubscribe("ada")
    engine.tick(budget=500)
    record = world.reader.record(1)
    engine.close()
    assert record is not None and record.consents["news/email"].state == "out"
    assert world.reader.cursors()[Lane.LIVE] < 30


def test_a_timer_that_moved_later_is_armed_anew(world: World) -> None:
    """The stored moment stays when the real one moves later; it fires, finds nothing, and comes again."""
    world.define(RECENT)
    world.track("ada", "Order Completed")
    world.clock.at = START + HOUR
    world.track("ada", "Order Completed")
    world.catch_up()
    world.clock.at = START + 2 * HOUR + SECOND
    world.catch_up()
    assert "Segment Left" not in world.names()
    world.clock.at = START + 3 * HOUR
    world.catch_up()
    assert world.names()[-1] == "Segment Left"


def test_a_log_of_another_epoch_is_refused(world: World) -> None:
    """State and log must be of one directory; the error says what to do."""
    world.track("ada", "A")
    world.catch_up()
    for file in (world.data / "log").iterdir():
        file.unlink()
    LogStore(world.data / "log").close()
    with pytest.raises(HarkError) as error:
        world.engine()
    assert error.value.id == "epoch.differs" and error.value.hint


def test_a_cursor_past_the_logs_end_is_refused(world: World) -> None:
    """A log restored from an older backup has lost rows that the state knows."""
    world.track("ada", "A")
    world.log.close()
    files = {file: file.read_bytes() for file in (world.data / "log").iterdir()}
    world.log = LogStore(world.data / "log")
    world.track("ada", "B")
    world.catch_up()
    world.log.close()
    for file in (world.data / "log").iterdir():
        file.unlink()
    for file, content in files.items():
        file.write_bytes(content)
    with pytest.raises(HarkError) as error:
        world.engine()
    assert error.value.id == "cursor.past-end" and error.value.hint
    world.log = LogStore(world.data / "log")


def test_without_a_log_there_is_no_engine(tmp_path: Path) -> None:
    """A directory in which nothing was ever collected is a clear error."""
    with pytest.raises(HarkError) as error:
        Engine(tmp_path, SetClock())
    assert error.value.id == "log.missing" and error.value.hint
