"""What ends the engine is said to whoever asks whether the server is ready."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from hark.app import live_engine
from hark.clock import SetClock
from hark.engine.loop import EX_TEMPFAIL
from hark.errors import HarkError
from hark.store.vitals import read_vitals
from tests.engine.world import START, World


def start(data: Path) -> None:
    live_engine(data, SetClock(START), "http://hark.example")


def test_an_engine_that_cannot_write_at_its_start_says_so_and_tries_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full already when it starts: the reason stands where readiness reads it."""
    world.catch_up()

    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr("hark.engine.parts.StateStore", full)
    with pytest.raises(SystemExit) as ended:
        start(world.data)
    assert ended.value.code == EX_TEMPFAIL
    vitals = read_vitals(world.data)
    assert vitals is not None and "disk is full" in vitals.failure


def test_a_state_of_another_log_is_said(world: World, tmp_path: Path) -> None:
    """What no later start can mend is said as well, and goes on to whoever started it."""
    world.catch_up()
    World(tmp_path / "other").catch_up()
    (world.data / "state.db").write_bytes((tmp_path / "other" / "state.db").read_bytes())
    with pytest.raises(HarkError) as ended:
        start(world.data)
    assert ended.value.id == "epoch.differs"
    vitals = read_vitals(world.data)
    assert vitals is not None and str(ended.value).split(" [")[0] in vitals.failure
