"""The log: one order over lanes and files, nothing skipped, nothing acknowledged that is not on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.errors import HarkError
from hark.model import Lane
from hark.store.contracts import LogBrokenError, LogFullError, NewRow, Reject, Row
from hark.store.log import FILE_US, LogReader, LogStore, drop_old
from hark.store.rejects import RejectSearch, find_rejects

lanes = st.sampled_from(list(Lane))


def new(lane: Lane = Lane.LIVE, body: bytes = b"{}", received_at: int = 5) -> NewRow:
    return NewRow(lane, received_at, "web", "track", body)


def read_all(reader: LogReader, limit: int = 3) -> list[Row]:
    found = []
    for lane in Lane:
        after = 0
        while rows := reader.read(lane, after, limit):
            found += rows
            after = rows[-1].seq
    return sorted(found, key=lambda row: row.seq)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(lanes, min_size=1, max_size=4), max_size=12), st.integers(1, 5), st.booleans())
def test_what_is_appended_is_read_in_order(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[Lane]], limit: int, reopen: bool
) -> None:
    """Over any groups, lanes, files and restarts, each lane reads back its rows in order."""
    folder = tmp_path_factory.mktemp("log")
    store = LogStore(folder, file_bytes=60_000)
    reader = LogReader(folder)
    expected = []
    for number, group in enumerate(groups):
        rows = [new(lane, b"%d" % number + b" " * 9_000, number) for lane in group]
        expected += [(row.lane, row.body) for row in rows]
        assert store.append(rows) == list(range(len(expected) - len(rows) + 1, len(expected) + 1))
        if reopen:
            store.close()
            store = LogStore(folder, file_bytes=60_000)
    found = read_all(reader, limit)
    assert [(row.lane, row.body) for row in found] == expected
    assert [row.seq for row in found] == list(range(1, len(expected) + 1))
    assert store.end() == reader.end() == len(expected)
    last = {lane: max((row.seq for row in found if row.lane == lane), default=0) for lane in Lane}
    assert store.ends == reader.ends() == last
    store.close()
    reader.close()


def test_a_reader_never_skips_over_a_change_of_file(tmp_path: Path) -> None:
    """A reader that polls while the writer goes on in new files sees every row once, in order."""
    store = LogStore(tmp_path, file_bytes=60_000)
    reader = LogReader(tmp_path)
    seen: list[int] = []
    for number in range(80):
        store.append([new(body=b"x" * 3_000)])
        if number % 7 == 0:
            seen += [row.seq for row in reader.read(Lane.LIVE, seen[-1] if seen else 0, 5)]
    while rows := reader.read(Lane.LIVE, seen[-1], 50):
        seen += [row.seq for row in rows]
    assert seen == list(range(1, 81))
    assert len(list(tmp_path.glob("*.db"))) > 3


def test_the_first_unread_row_says_when_it_arrived(tmp_path: Path) -> None:
    """`first_unread` is the arrival of the lane's next row, in whatever file it is, or None."""
    store = LogStore(tmp_path, file_bytes=1)
    seqs = [store.append([new(Lane.LIVE, received_at=10 * number)])[0] for number in range(4)]
    store.append([new(Lane.BULK)])
    reader = LogReader(tmp_path)
    assert [reader.first_unread(Lane.LIVE, seq) for seq in (0, *seqs)] == [0, 10, 20, 30, None]
    assert reader.first_unread(Lane.URGENT, 0) is None


def test_the_epoch_belongs_to_the_log(tmp_path: Path) -> None:
    """Two logs have different epochs; one log keeps its own over files and restarts."""
    one, other = LogStore(tmp_path / "one", file_bytes=1), LogStore(tmp_path / "other")
    one.append([new()])
    one.close()
    assert LogStore(tmp_path / "one").epoch == one.epoch == LogReader(tmp_path / "one").epoch != other.epoch


def test_old_files_go_only_when_every_lane_is_read(tmp_path: Path) -> None:
    """A file is dropped when all its rows of all lanes are settled; numbers go on, the newest stays."""
    store = LogStore(tmp_path, file_bytes=90_000)
    for lane in (Lane.LIVE, Lane.BULK, Lane.LIVE):
        store.append([new(lane, b" " * 90_000)])
    assert drop_old(tmp_path, {Lane.LIVE: 3, Lane.BULK: 0, Lane.URGENT: 0}, 6) == [tmp_path / "1.db"]
    reader = LogReader(tmp_path)
    assert [row.seq for row in read_all(reader)] == [2, 3]
    assert not drop_old(tmp_path, {Lane.LIVE: 3, Lane.BULK: 2, Lane.URGENT: 0}, 5)
    assert len(drop_old(tmp_path, {Lane.LIVE: 3, Lane.BULK: 2, Lane.URGENT: 0}, 6)) == 1
    store.close()
    assert ([row.seq for row in read_all(reader)], reader.end()) == ([3], 3)
    assert LogStore(tmp_path).append([new()]) == [4]


def test_a_file_takes_the_rows_of_a_day(tmp_path: Path) -> None:
    """A row that arrives a day after the first of its file begins a new one, also after a restart; so does a
    look without rows."""
    store = LogStore(tmp_path)
    for at in (5, 4 + FILE_US):
        store.append([new(received_at=at)])
    store.close()
    store = LogStore(tmp_path)
    store.append([new(received_at=5 + FILE_US)])
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["1.db", "2.db"]
    store.append([])
    store.append([])
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["1.db", "2.db", "3.db"]
    assert [row.seq for row in read_all(LogReader(tmp_path))] == [1, 2, 3] and store.append([new()]) == [4]


def test_rejects_are_kept_and_read_newest_first(tmp_path: Path) -> None:
    """What was refused stands in the log too, over files."""
    store = LogStore(tmp_path, file_bytes=1)
    rejects = [Reject(number, "web", number, "no_id", "why", b"{") for number in range(5)]
    for reject in rejects:
        store.append([new()], [reject])
    assert find_rejects(tmp_path, RejectSearch(), 3) == rejects[:1:-1]


def test_a_missing_or_foreign_log_is_a_clear_error(tmp_path: Path) -> None:
    """No log, and a file that is none, are errors with a hint and an id."""
    with pytest.raises(HarkError) as missing:
        LogReader(tmp_path)
    assert (missing.value.id, bool(missing.value.hint)) == ("log.missing", True)
    (tmp_path / "1.db").write_bytes(b"This is no database. " * 100)
    for opens in (LogReader, LogStore):
        with pytest.raises(HarkError) as foreign:
            opens(tmp_path)
        assert foreign.value.id == "log.foreign"


def test_a_file_begun_by_a_killed_writer_is_finished(tmp_path: Path) -> None:
    """A file left empty by a kill while it was made: readers pass over it, the next writer fills it."""
    store = LogStore(tmp_path, file_bytes=1 << 30)
    store.append([new(), new()])
    store.close()
    apsw.Connection(str(tmp_path / "2.db")).pragma("journal_mode", "wal")
    reader = LogReader(tmp_path)
    assert reader.end() == 2
    again = LogStore(tmp_path)
    assert (again.epoch, again.append([new()])) == (store.epoch, [3])
    assert [row.seq for row in read_all(reader)] == [1, 2, 3]


def test_no_room_is_temporary(tmp_path: Path) -> None:
    """Below the free space asked for nothing is appended; with room again it goes on."""
    store = LogStore(tmp_path, min_free_bytes=1 << 60)
    with pytest.raises(LogFullError):
        store.append([new()])
    store.min_free_bytes = 0
    assert store.append([new()]) == [1]


def test_a_failed_commit_is_final(tmp_path: Path) -> None:
    """After a commit that failed nothing more is appended, whatever the disk says then."""
    failing = FailingCommit()
    store = LogStore(tmp_path)
    store.append([new(body=b"before")])
    store.file.set_commit_hook(failing)
    for _ in range(2):
        with pytest.raises(LogBrokenError):
            store.append([new(body=b"never")])
        failing.fails = False
    assert [row.body for row in LogReader(tmp_path).read(Lane.LIVE, 0, 9)] == [b"before"]


class FailingCommit:
    fails = True

    def __call__(self) -> bool:
        return self.fails


WRITER = """
import sys
from pathlib import Path
from hark.model import Lane
from hark.store.contracts import NewRow
from hark.store.log import LogStore
store = LogStore(Path(sys.argv[1]), file_bytes=150_000)
number = 0
while True:
    rows = [NewRow(Lane(n % 3), number, "web", "track", b"%d" % n * 200) for n in range(number % 9 + 1)]
    print(*store.append(rows), flush=True)
    number += 1
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Over eight kills of a busy writer every acknowledged number is there once, and none comes twice."""
    acknowledged: set[int] = set()
    for _ in range(8):
        fresh = write_until_killed(tmp_path)
        assert not acknowledged & set(fresh)
        acknowledged |= set(fresh)
        stored = [row.seq for row in read_all(LogReader(tmp_path), 1000)]
        assert stored == list(range(1, len(stored) + 1))
        assert acknowledged <= set(stored)
    assert len(list(tmp_path.glob("*.db"))) > 1


def write_until_killed(folder: Path) -> Sequence[int]:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    lines = [writer.stdout.readline() for _ in range(25)]
    os.kill(writer.pid, signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.wait()
    whole = [line for line in lines if line.endswith("\n")]
    return [int(number) for line in whole for number in line.split()]
