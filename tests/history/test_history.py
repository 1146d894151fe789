"""The history: sealed once, joined with what waits, compacted without a trace, under canonical ids."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from hark.definitions.types import EventMatch
from hark.errors import HarkError
from hark.history import columns, stream
from hark.history.compact import compact
from hark.history.reader import Resident, Snapshot
from hark.history.seal import Sealer
from hark.model import Event, Kind
from hark.store.table import EventTable
from hark.understand import funnel, retention
from tests.history.waiting import EPOCH, Place, by_hand, canonical, event, histories


def everything(snapshot: Snapshot) -> list[tuple[int, int, int]]:
    """(subject, at, seq) of all rows, as a table gives them."""
    rows = snapshot.table(columns=["subject", "at", "seq"])
    return list(
        zip(rows["subject"].to_pylist(), columns.micros(rows["at"]), rows["seq"].to_pylist(), strict=True)
    )


def in_runs(snapshot: Snapshot) -> list[tuple[int, int, int]]:
    """The same from the runs that kernels read, sorted."""
    return sorted(
        row
        for bucket in range(snapshot.buckets)
        for run in snapshot.runs(bucket)
        for low, high in run.kept.tolist()
        for row in zip(*(part[low:high].tolist() for part in (run.subject, run.at, run.seq)), strict=True)
    )


def expected(events: list[Event], place: Place) -> list[tuple[int, int, int]]:
    """The same by hand."""
    into = by_hand(place.waiting.merged)

    def root(subject: int) -> int:
        return root(into[subject]) if subject in into else subject

    return sorted((root(one.subject), one.at, one.seq) for one in events)


def rows(count: int, first: int = 0) -> list[Event]:
    return [
        event(row, row * 7 % 11, row * 13 % 17, "ABC"[row % 3], properties=b'{"n": %d}' % row)
        for row in range(first, first + count)
    ]


def test_a_chunk_gives_its_events_back() -> None:
    """Whatever is encoded is decoded equal, in the same order, small and large."""
    for count in (0, 3, 600):
        events = [*rows(count), event(1, 5, 3, "Å", properties='{"é": "\\u0000"}'.encode(), active=False)]
        assert columns.decode(columns.encode(events)) == events
    assert columns.CHUNK.names == list(Event.__struct_fields__)


def test_the_subjects_of_a_chunk_can_be_asked_for() -> None:
    """The sorted subject ids beside a chunk say who is in it."""
    ids = columns.subjects(rows(5))
    assert [columns.holds(ids, subject) for subject in (0, 6, 7, 5)] == [True, True, True, False]


def test_what_waits_and_what_is_sealed_are_one_history(tmp_path: Path) -> None:
    """Table, runs, count, one subject and replay order are the same before and after sealing."""
    place, events = Place(tmp_path), rows(60)
    place.waiting.add(events[:25])
    place.waiting.add(events[25:40])
    place.seal()
    place.waiting.add(events[40:])
    for _ in range(2):
        snapshot = place.snapshot()
        assert snapshot.count() == 60
        assert everything(snapshot) == in_runs(snapshot) == expected(events, place)
        assert list(snapshot.events()) == events
        assert snapshot.subject_events(3) == canonical(events, [])[3]
        place.seal()


def test_a_timeline_is_newest_first(tmp_path: Path) -> None:
    """The latest events before an instant, the newest first."""
    place = Place(tmp_path)
    place.waiting.add([event(row, 1, row) for row in range(6)])
    place.seal()
    assert [one.at for one in place.snapshot().timeline(1, 3)] == [5, 4, 3]
    assert [one.at for one in place.snapshot().timeline(1, 3, before=(4, 0))] == [3, 2, 1]
    assert place.snapshot().timeline(2, 3) == []


def test_replay_is_in_the_order_of_knowing_without_facts(tmp_path: Path) -> None:
    """Imported events come at their own time, ties by arrival; facts only if asked for."""
    events = [event(0, 1, 5, known_at=50), event(1, 2, 9, known_at=20), event(2, 1, 1, known_at=20),
              event(3, 1, 1, "Goal Reached", known_at=10, kind=Kind.FACT, active=False)]  # fmt: skip
    place = Place(tmp_path)
    place.waiting.add(events[:2])
    place.seal()
    place.waiting.add(events[2:])
    assert list(place.snapshot().events()) == [events[1], events[2], events[0]]
    assert next(iter(place.snapshot().events(facts=True))) == events[3]
    assert list(place.snapshot().events(names={"Goal Reached"}, facts=True)) == [events[3]]


def test_replay_of_more_than_memory_holds_is_in_order(tmp_path: Path) -> None:
    """Rows sorted in several pieces on disk come out as those sorted at once."""
    events = rows(500)
    parts = [columns.table(columns.encode(events[start::7])) for start in range(7)]
    assert list(stream.by_known_at(parts, held=100)) == events


@settings(max_examples=25, deadline=None)
@given(
    histories(subjects=9),
    st.lists(st.sampled_from(["seal", "compact", "merge", "merge", "undo", "wait"]), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_nothing_is_lost_or_doubled(events: list[Event], doings: list[str], random: Any) -> None:
    """Whatever is sealed, compacted, merged and undone in whatever order, each event is there once.

    Tables, runs, resident runs, single subjects and both kernels agree with the events followed by hand.
    """
    with TemporaryDirectory() as folder:
        place, resident, done = Place(Path(folder)), Resident(), 0
        for number, doing in enumerate(doings):
            upto = len(events) * (number + 1) // len(doings)
            place.waiting.add(events[done:upto])
            done = upto
            merged = sorted(by_hand(place.waiting.merged))
            left = [subject for subject in range(1, 10) if subject not in merged]
            if doing == "merge" and len(left) > 1:
                place.waiting.merge(*sorted(random.sample(left, 2), reverse=True))
            if doing == "undo" and merged:
                place.waiting.unmerge(random.choice(merged))
            if doing == "seal":
                place.seal()
            if doing == "compact":
                compact(place.table, place.waiting.merged, files=1, part_rows=5)
            check(events[:done], place, resident)


def check(events: list[Event], place: Place, resident: Resident) -> None:
    snapshot, known = place.snapshot(), expected(events, place)
    assert everything(snapshot) == known
    assert in_runs(snapshot) == known
    assert in_runs(place.snapshot(resident)) == known
    followed = canonical(events, place.waiting.merged)
    for subject in {one.subject for one in events}:
        found = [(one.at, one.seq) for one in snapshot.subject_events(subject)]
        root = snapshot.merged.one(subject)
        assert found == [(at, seq) for owner, at, seq in known if owner == root]
    path = funnel.Funnel((EventMatch(("A",)), EventMatch(("B", "C"), {"x": 1})), 4_000_000)
    for one in (snapshot, place.snapshot(resident)):
        assert funnel.ask_funnel(one, path, 10**9) == funnel.specification(path, followed, 10**9)
    back = retention.Retention(EventMatch(("A",)), None, "day")
    assert retention.ask_retention(snapshot, back, 10**9) == retention.specification(back, followed, 10**9)


class KilledError(Exception):
    """Stands for the process ending at this point."""


@pytest.mark.parametrize("writes", range(4))
@pytest.mark.parametrize("doing", ["seal", "compact"])
def test_a_crash_at_any_point_doubles_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str, writes: int
) -> None:
    """Killed before any file, between two, before the commit or right after it, the next try mends all."""
    place, events = Place(tmp_path), rows(60)
    for start in range(0, 40, 20):
        place.waiting.add(events[start : start + 20])
        place.seal()
    place.waiting.add(events[40:])
    place.waiting.merge(6, 3)

    def work() -> None:
        if doing == "seal":
            place.sealer.seal(place.waiting.chunks, place.waiting.merged)
        else:
            compact(place.table, place.waiting.merged, files=1)

    with monkeypatch.context() as patch:
        kill_after(patch, writes)
        with pytest.raises(KilledError):
            work()
    assert in_runs(place.snapshot()) == everything(place.snapshot()) == expected(events, place)
    place.waiting.add([event(100, 3, 5)])
    work()
    place.waiting.drop(Sealer(place.table, EPOCH).sealed())
    events.append(event(100, 3, 5))
    assert in_runs(place.snapshot()) == everything(place.snapshot()) == expected(events, place)


def kill_after(patch: pytest.MonkeyPatch, writes: int) -> None:
    """End before file number `writes` (of two), before the commit (2), or after it (3)."""
    write, commit = EventTable.write, EventTable.commit
    written: list[Any] = []

    def counted(self: EventTable, *args: Any) -> Any:
        if len(written) == writes:
            raise KilledError
        written.append(args)
        return write(self, *args)

    def killed(self: EventTable, *args: Any) -> None:
        if writes == 3:
            commit(self, *args)
        raise KilledError

    patch.setattr(EventTable, "write", counted)
    patch.setattr(EventTable, "commit", killed)


def test_sealing_again_writes_nothing(tmp_path: Path) -> None:
    """Chunks that the table has are skipped, also when some of them are new."""
    place, events = Place(tmp_path), rows(30)
    place.waiting.add(events[:10])
    chunks = list(place.waiting.chunks)
    assert place.sealer.seal(chunks) == place.sealer.seal(chunks) == 1
    place.waiting.chunks = [*chunks, (2, columns.encode(events[10:]))]
    assert place.sealer.seal(place.waiting.chunks) == 2
    place.waiting.drop(2)
    assert in_runs(place.snapshot()) == expected(events, place)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_seal_between_the_two_looks_of_a_reader_is_noticed(tmp_path: Path, when: str) -> None:
    """A reader for whom chunks are sealed and dropped while it reads `recent` looks again."""
    place, events = Place(tmp_path), rows(40)
    place.waiting.add(events[:20])
    place.waiting.add(events[20:])
    read = place.waiting.recent

    def sealed_meanwhile(after: int) -> Any:
        found = [] if when == "before" else read(after)
        if place.waiting.chunks:
            place.seal()
        return found or read(after)

    place.waiting.recent = sealed_meanwhile  # type: ignore[method-assign]
    assert everything(place.snapshot()) == expected(events, place)


def test_a_reader_keeps_its_version(tmp_path: Path) -> None:
    """A snapshot opened before compaction, which also vacuums, still reads all it had."""
    place, events = Place(tmp_path), rows(60)
    for start in range(0, 60, 10):
        place.waiting.add(events[start : start + 10])
        place.seal()
    before = place.snapshot()
    assert compact(place.table, files=2) == 12
    after = place.snapshot()
    assert len(after.version.files) == 2
    assert everything(before) == everything(after) == expected(events, place)


def test_vacuum_after_the_grace_leaves_only_current_files(tmp_path: Path) -> None:
    """Replaced files and leftovers of crashes are gone; the newest version reads as before."""
    place, events = Place(tmp_path), rows(40)
    for start in range(0, 40, 10):
        place.waiting.add(events[start : start + 10])
        place.seal()
    compact(place.table, files=2)
    (place.table.folder / "bucket=0" / "sealed-leftover.parquet").write_bytes(b"half")
    place.table.vacuum(grace_hours=0)
    on_disk = {str(path.relative_to(place.table.folder)) for path in place.table.folder.rglob("bucket=*/*")}
    assert on_disk == {file.path for file in place.snapshot().version.files}
    assert everything(place.snapshot()) == expected(events, place)


def test_the_sealed_number_survives_a_checkpoint(tmp_path: Path) -> None:
    """After a checkpoint of the Delta log the sealer still knows what it sealed."""
    from deltalake import DeltaTable

    place = Place(tmp_path)
    place.waiting.add(rows(10))
    place.seal()
    DeltaTable(str(place.table.folder)).create_checkpoint()
    for log in sorted((place.table.folder / "_delta_log").glob("*.json"))[:-1]:
        log.unlink()
    assert Sealer(place.table, EPOCH).sealed() == 1
    assert place.snapshot().count() == 10


def test_a_history_of_another_log_is_refused(tmp_path: Path) -> None:
    """A table made for one log epoch is not written for another."""
    table = EventTable(tmp_path / "history")
    Sealer(table, "one")
    with pytest.raises(HarkError, match=r"history\.epoch"):
        Sealer(table, "two")


def test_two_writers_are_refused(tmp_path: Path) -> None:
    """A commit onto a version that is no longer the newest fails, and adds nothing."""
    place = Place(tmp_path)
    stale = place.sealer.version()
    place.waiting.add(rows(5))
    place.seal()
    with pytest.raises(HarkError, match=r"history\.writers"):
        place.table.commit(stale, [], [], 9)
    assert place.sealer.sealed() == 1


def test_a_file_out_of_order_is_refused(tmp_path: Path) -> None:
    """Somebody else's rewriting of a file is noticed when its runs are read."""
    from pyarrow import parquet

    place = Place(tmp_path, buckets=1)
    place.waiting.add(rows(20))
    place.seal()
    path = place.table.folder / place.snapshot().version.files[0].path
    whole = parquet.read_table(path, partitioning=None)
    parquet.write_table(whole.take(list(reversed(range(20)))), path)
    with pytest.raises(HarkError, match=r"history\.order"):
        place.snapshot().runs(0)


def test_other_engines_read_it_as_it_is(tmp_path: Path) -> None:
    """DuckDB counts the same events by name and reads into the properties."""
    place, events = Place(tmp_path), rows(30)
    place.waiting.add(events)
    place.seal()
    sql = f"""SELECT name, count(*), sum((properties->>'n')::int)
              FROM read_parquet('{place.table.folder}/*/*.parquet', hive_partitioning=true)
              GROUP BY 1 ORDER BY 1"""
    by_hand = [(name, 10, sum(range(start, 30, 3))) for start, name in enumerate("ABC")]
    assert duckdb.sql(sql).fetchall() == by_hand
