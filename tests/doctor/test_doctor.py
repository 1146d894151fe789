"""`hark doctor`: every kind of file is damaged on purpose, found, and made whole as far as it can be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from hark.app import Workspace
from hark.cli import app
from hark.doctor import look, rebuild
from hark.doctor.findings import Finding
from hark.history.reader import open_snapshot
from hark.model import DAY, GROUP_TRAITS, HOUR, Event, Lane
from hark.store.log import drop_old
from hark.store.state import open_reader
from hark.store.swap import finish
from tests.engine.world import World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days of five customers: three of whom had another id first, groups, imports, repetitions; sealed
    five times, the last day not at all."""
    world = World(tmp_path_factory.mktemp("made"))
    for day in range(6):
        for number in range(5):
            world.post("track", anonymousId=f"device-{number}", event="Seen", properties={"day": day})
            if number < 3 and day == 2:
                world.identify(f"user-{number}", f"device-{number}", plan="pro")
            world.track(f"user-{number}", "Order Completed", order=f"{day}-{number}")
        world.raw("track", b'{"userId":"user-1","event":"Twice","messageId":"same"}')
        call = {"type": "track", "userId": "user-4", "event": "Old", "timestamp": "2025-11-01T00:00:00Z"}
        world.post(
            "import", Lane.BULK, **{"import": {"file": "f", "chunk": 1}}, batch=[call | {"messageId": "i"}]
        )
        world.post("track", userId="user-2", event="In Group", context={"groupId": "acme"})
        world.engine(seal_events=1 if day < 5 else 1_000_000).catch_up()
        world.clock.at += DAY + HOUR
    world.log.close()
    Workspace(world.data).add_source("web")
    return world.data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def everything(data: Path) -> list[Event]:
    """All events but what Hark told the members of a group: that, as its other facts, is in no log."""
    found = open_snapshot(data, open_reader(data))
    runs = [run for bucket in range(2 * found.buckets) for run in found.runs(bucket)]
    subjects = {found.merged.one(one) for run in runs for one in run.subject.tolist()}
    events = [event for subject in sorted(subjects) for event in found.subject_events(subject)]
    return [event for event in events if event.name != GROUP_TRAITS]


def flip(path: Path, share: float = 0.5) -> None:
    """Eight bytes in the middle of the file are others."""
    content = bytearray(path.read_bytes())
    at = int(len(content) * share)
    content[at : at + 8] = bytes(byte ^ 0x5A for byte in content[at : at + 8])
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def problems(data: Path) -> list[Finding]:
    return [one for one in look(data) if not one.ok]


def tables(data: Path) -> list[Path]:
    """The files of the history, largest first."""
    return sorted((data / "history").glob("bucket=*/*.parquet"), key=lambda path: -path.stat().st_size)


def test_a_whole_directory_has_no_finding(data: Path) -> None:
    """Every file is named and right, and a look changes none of them."""
    before = {
        path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.suffix != ".db-shm"
    }
    found = list(look(data))
    assert all(one.ok for one in found), [one for one in found if not one.ok]
    assert {one.path for one in found} >= {"log/1.db", "log/6.db", "state.db", "history", "log/sources.json"}
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("hurt", [flip, truncate, Path.unlink])
@pytest.mark.parametrize("file", ["log/2.db", "state.db", "history", "log/sources.json"])
def test_damage_of_each_kind_of_file_is_found(data: Path, file: str, hurt: Callable[[Path], None]) -> None:
    """Flipped bytes, a file cut in half and a missing file are each named, with what they cost."""
    path = tables(data)[0] if file == "history" else data / file
    if file == "state.db" and hurt is flip:
        flip(path, 5 * 4096 / path.stat().st_size)  # the head of a page: values have no checksum
    elif file == "log/sources.json" and hurt is flip:
        flip(path, 0)
    else:
        hurt(path)
    if file == "log/sources.json" and hurt is Path.unlink:
        return
    found = problems(data)
    assert any(one.path.startswith(file) for one in found), found
    assert all(one.lost for one in found)


def test_every_flipped_byte_of_a_row_is_found(data: Path) -> None:
    """SQLite does not look into values; the checksum of the row does, and the report names the row."""
    with apsw.Connection(str(data / "log" / "3.db")) as file:
        [[seq, body]] = file.execute("SELECT seq, body FROM live WHERE instr(body, 'device') LIMIT 1")
        file.execute("UPDATE live SET body = ? WHERE seq = ?", (body.replace(b"device", b"devixe"), seq))
        assert list(file.execute("PRAGMA integrity_check")) == [("ok",)]
    (found,) = problems(data)
    assert found.path == "log/3.db" and f"({seq})" in found.found and "checksum" in found.found


def test_no_flipped_byte_of_the_history_goes_unseen(data: Path) -> None:
    """Wherever bytes of a Parquet file flip, a page's checksum or the file's form tells; where nothing does
    (a spare word of the footer), every row is still read as it was."""
    before, path = everything(data), tables(data)[0]
    whole, found = path.read_bytes(), 0
    for share in (0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95):
        flip(path, share)
        found += bool(problems(data)) or everything(data) != before
        assert problems(data) or everything(data) == before
        path.write_bytes(whole)
    assert found >= 4


@pytest.mark.parametrize("files", [1, 3, 100])
@pytest.mark.parametrize("hurt", [flip, truncate, Path.unlink])
def test_a_rebuilt_history_equals_the_one_before(
    data: Path, files: int, hurt: Callable[[Path], None]
) -> None:
    """With one file, some or all of them damaged, the log brings back every event, under the same numbers
    and seqs; nothing is doubled, and what waits in `recent` stays where it is."""
    before = everything(data)
    for path in tables(data)[:files]:
        hurt(path)
    assert problems(data)
    found = rebuild(data)
    assert found.lost in (0, 1) and found.recovered > 0 and found.log_from
    assert everything(data) == before
    assert problems(data) == []
    assert not list(data.glob("history.*"))


def test_a_table_whose_own_log_is_lost_is_made_anew(data: Path) -> None:
    """Without its Delta log the table is made of its files and the log."""
    before = everything(data)
    shutil.rmtree(data / "history" / "_delta_log")
    assert any(one.path == "history" for one in problems(data))
    assert rebuild(data).lost is None
    assert everything(data) == before


def test_a_lost_commit_is_found_and_mended(data: Path) -> None:
    """If the newest commit of the table is gone the state knows, and the log brings its events back."""
    before = everything(data)
    max((data / "history" / "_delta_log").glob("*.json")).unlink()
    assert any(one.path == "history" for one in problems(data))
    rebuild(data)
    assert everything(data) == before


def test_it_says_how_far_the_log_goes(data: Path) -> None:
    """What was in damaged files from before the log's first row is lost and counted; all after it is back,
    and what was sent again since (an import's part) too."""
    before = everything(data)
    settled = open_reader(data).settled()
    kept_from = 3
    drop_old(data / "log", settled, before[0].received_at + (kept_from - 1) * (DAY + HOUR) + HOUR)
    first = min(int(path.stem) for path in (data / "log").glob("[0-9].db"))
    assert first > 1
    for path in tables(data):
        path.unlink()
    found = rebuild(data)
    left = everything(data)
    assert found.lost in (len(before) - len(left), len(before) - len(left) + 1)
    assert found.log_from and {one.message_id for one in left} == {"i"} | {
        one.message_id for one in before if one.received_at >= found.log_from
    }


def test_the_erased_stay_erased(data: Path) -> None:
    """A rebuild from the log, which still has their requests, brings nobody back."""
    world = World(data)
    world.clock.at = open_reader(data).engine_time() + HOUR
    world.post("command", Lane.URGENT, name="erase", customer="user-1")
    world.catch_up()
    world.log.close()
    before = everything(data)
    for path in tables(data):
        flip(path)
    rebuild(data)
    assert everything(data) == before
    assert open_reader(data).find("user-1") is None


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_crash_in_the_swap_leaves_one_whole_history(data: Path, moment: str) -> None:
    """Killed before, between or after the two renames, the next start has either the old or the new table."""
    before = everything(data)
    new = shutil.copytree(data / "history", data / "history.ready")
    if moment == "between":
        (data / "history").rename(data / "history.before")
    if moment == "after":
        new.rename(data / "history.after")
        (data / "history").rename(data / "history.before")
        (data / "history.after").rename(data / "history")
    finish(data / "history")
    assert everything(data) == before
    assert not list(data.glob("history.*"))


def test_the_command_tells_people_and_programs(data: Path) -> None:
    """It answers with JSON or a table, and its exit code says whether all is well."""
    run = CliRunner().invoke
    whole = run(app, ["doctor", "--data", str(data), "--json"])
    assert (whole.exit_code, json.loads(whole.stdout)["ok"]) == (0, True)
    flip(tables(data)[0])
    hurt = run(app, ["doctor", "--data", str(data)])
    assert hurt.exit_code == 1
    mended = run(app, ["doctor", "--rebuild", "--data", str(data), "--json"])
    assert (mended.exit_code, json.loads(mended.stdout)["log_from"] > 0) == (0, True)
