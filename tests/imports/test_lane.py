"""An import goes on where it was killed, lets live events pass, and comes back from an export the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hark.app import Workspace
from hark.clock import SetClock, instant
from hark.engine.intake import Intake
from hark.errors import HarkError
from hark.imports.chunks import CHUNK
from hark.model import Kind, Lane
from hark.store.contracts import NewRow
from hark.store.log import LogReader, LogStore
from hark.store.rejects import RejectSearch, find_rejects
from tests.cast import hark

COLUMNS = ("--customer", "who", "--at", "when", "--event", "what")


def lines(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for number in range(count):
            row = {"who": f"c{number % 97}", "what": "Seen", "when": 1_767_254_400 + number, "n": number}
            file.write(json.dumps(row) + "\n")
    return path


def history(data: Path) -> dict[tuple[tuple[str, str], ...], list[Any]]:
    """By a customer's ids, their events as (at, kind, name, message id, properties, active), in order."""
    workspace = Workspace(data)
    workspace.settle()
    state, found = workspace.state(), {}
    snapshot = workspace.snapshot()
    for subject in {event.subject for event in snapshot.events()}:
        ids = tuple(sorted(one for one in state.ids(subject) if one[0] in ("user", "anonymous")))
        found[ids] = [
            (one.at, one.kind, one.name, one.message_id, msgspec.json.decode(one.properties), one.active)
            for one in snapshot.subject_events(subject)
            if one.kind != Kind.FACT
        ]
    return found


def test_an_import_killed_anywhere_goes_on_and_counts_once(tmp_path: Path) -> None:
    """kill -9 in the middle of an import, then the same command: every line once."""
    file, data = lines(tmp_path / "events.jsonl", 40 * CHUNK), tmp_path / "data"
    words = [sys.executable, "-m", "hark", "import", str(file), *COLUMNS, "--data", str(data)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and rows(data) < 5:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert rows(data) >= 5, "it was killed before it had begun"
    again = hark(data, "import", str(file), *COLUMNS)
    assert again["imported"] + again["before"] == 40 * CHUNK
    assert again["before"] >= 5 * CHUNK
    third = hark(data, "import", str(file), *COLUMNS)
    assert (third["imported"], third["before"]) == (0, 40 * CHUNK)
    numbers = sorted(one[4]["n"] for events in history(data).values() for one in events)
    assert numbers == list(range(40 * CHUNK))


def rows(data: Path) -> int:
    """Rows of the bulk lane on disk by now."""
    try:
        reader = LogReader(data / "log")
    except HarkError:
        return 0
    try:
        return len(reader.read(Lane.BULK, 0, 100))
    finally:
        reader.close()


def test_live_events_are_taken_before_bulk_ones_that_waited_longer(tmp_path: Path) -> None:
    """With many chunks of an import waiting, a live event that comes in is in the very next tick, and no tick
    takes more than its budget and one chunk."""
    clock = SetClock(instant("2026-03-01T00:00:00Z"))
    calls = [{"type": "track", "userId": "a", "event": "Old"}] * CHUNK
    body = msgspec.json.encode({"batch": calls})
    with LogStore(tmp_path / "log") as store:
        store.append([NewRow(Lane.BULK, 1, "import", "import", body) for _ in range(40)])
        reader = LogReader(tmp_path / "log")
        intake = Intake(reader, {}, clock)
        intake.take(2_000)
        (live,) = store.append([NewRow(Lane.LIVE, 2, "web", "track", b'{"userId":"a","event":"New"}')])
        taken = intake.take(2_000)
        reader.close()
    assert taken.rows[0].seq == live
    assert sum(row.kind == "import" for row in taken.rows) * CHUNK <= 2_000 + CHUNK
    assert any(row.kind == "import" for row in taken.rows)


def test_a_dry_run_tells_and_brings_nothing(tmp_path: Path) -> None:
    """The first events as they would be, problems counted by what is wrong, an empty workspace."""
    file = lines(tmp_path / "events.jsonl", 5)
    with file.open("a") as more:
        more.write(
            '{"who": "a", "what": "A", "when": "soon"}\n{"who": "a", "what": "A", "when": "later"}\n{\n'
        )
    data = tmp_path / "data"
    data.mkdir()
    found = hark(data, "import", str(file), *COLUMNS, "--dry-run")
    assert (found["rows"], found["imported"], found["problems"]) == (8, 5, 3)
    assert found["by_reason"] == {"no time in when": 2, "no JSON object": 1}
    assert [one["line"] for one in found["first_problems"]] == [6, 7, 8]
    assert found["first_events"][0]["timestamp"] == "2026-01-01T08:00:00Z"
    assert list(data.iterdir()) == []


def test_lines_that_are_left_out_stand_in_the_reject_log(tmp_path: Path) -> None:
    """With the file's name, the line and the reason; importing again notes nothing twice."""
    file = lines(tmp_path / "events.jsonl", 3)
    with file.open("a") as more:
        more.write('{"who": "a", "what": "A", "when": "soon"}\n')
    data = tmp_path / "data"
    for _ in range(2):
        assert hark(data, "import", str(file), *COLUMNS)["problems"] == 1
    (found,) = find_rejects(data / "log", RejectSearch(source="import"))
    assert (found.index, found.message) == (4, "events.jsonl, line 4: no time in when: 'soon'")
    assert b'"soon"' in found.excerpt


@pytest.mark.parametrize("name", ["out.jsonl.zst", "out.parquet"])
def test_what_is_exported_comes_back_the_same(tmp_path: Path, name: str) -> None:
    """Export and import into an empty workspace: the same customers by all their ids, the same events."""
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / name
    Workspace(first, make=True)
    sent: list[dict[str, Any]] = [
        {
            "type": "track",
            "anonymousId": "a1",
            "event": "Seen",
            "properties": {"n": 1, "ü": [1, {"x": None}]},
        },
        {"type": "identify", "userId": "ada", "anonymousId": "a1", "traits": {"plan": "pro"}},
        {"type": "identify", "userId": "ada", "anonymousId": "a2"},
        {"type": "page", "userId": "ada", "name": "Home", "context": {"active": False}},
        {"type": "track", "anonymousId": "a2", "event": "Paid", "properties": {"revenue": 20.5}},
        {"type": "track", "userId": "bob", "event": "Seen"},
        {"type": "screen", "anonymousId": "b1", "name": "Start"},
    ]
    sent = [{"messageId": f"m{place}", **call} for place, call in enumerate(sent)]
    with Workspace(first).appending() as log:
        log.append(Lane.LIVE, "batch", "web", msgspec.json.encode({"batch": sent}))
    before = history(first)
    assert hark(first, "export", "--events", str(file))["events"] == len(sent)
    assert hark(second, "import", str(file), "--format", "segment")["imported"] == len(sent)
    assert history(second) == before
    assert {len(ids) for ids in before} == {1, 3}


def test_an_export_can_be_of_some_events(tmp_path: Path) -> None:
    """By name and by time; the end of the time is not included."""
    data, file = tmp_path / "data", tmp_path / "out.jsonl"
    hark(data, "import", str(lines(tmp_path / "events.jsonl", 10)), *COLUMNS)
    since, until = "2026-01-01T08:00:02Z", "2026-01-01T08:00:05Z"
    hark(data, "export", "--events", str(file), "--since", since, "--until", until, "--event", "Seen")
    found = [json.loads(line)["properties"]["n"] for line in file.read_text().splitlines()]
    assert sorted(found) == [2, 3, 4]
    assert hark(data, "export", "--events", str(file), "--event", "Never")["events"] == 0
