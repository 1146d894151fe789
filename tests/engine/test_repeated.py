"""Repetitions are known by source, over ticks and restarts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hark.clock import SetClock
from hark.collect.sources import add_source
from hark.connected import source_view
from hark.engine.loop import Engine
from hark.model import SECOND, Lane
from hark.settings import Settings
from hark.store.contracts import NewRow
from hark.store.log import LogStore

START = 1_772_323_200 * SECOND


def test_repeated_calls_are_counted_by_source(tmp_path: Path) -> None:
    """Each messageId beyond the first counts for its source; calls without one, and the first, never do."""
    clock = SetClock(START)
    for name in ("web", "app"):
        add_source(tmp_path, name)
    for start in range(3):
        for source, ids in (("web", ["a", "b", f"c{start}", None, None]), ("app", ["a", f"b{start}"])):
            call = {"type": "track", "userId": "ada", "event": "Opened"}
            body = msgspec.json.encode({"batch": [{**call, "messageId": one} for one in ids]})
            with LogStore(tmp_path / "log") as log:
                log.append([NewRow(Lane.LIVE, START, source, "batch", body)])
        Engine(tmp_path, clock, None, Settings()).catch_up()
    found = {name: source_view(tmp_path, name, START).duplicate for name in ("web", "app")}
    assert found == {"web": 4, "app": 2}
