"""The log: a row of SQLite files, one table per lane, one order over all of them.

`LogStore` is the one appender (collect's; `locks.py` keeps a second one out), `LogReader` reads in any other
process while it appends. A file is dropped whole when every lane's cursor is past it.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import apsw
from msgspec import Struct

from hark.errors import HarkError
from hark.model import Instant, Lane
from hark.store.contracts import NewRow, Row

FILE_BYTES = 1 << 30
LANES = tuple(Lane)

_TABLES = {lane: lane.name.lower() for lane in LANES}
_COLUMNS = "seq, received_at, source, kind, body, refused"
_INSERT = {lane: f"INSERT INTO {table} ({_COLUMNS}) VALUES (?,?,?,?,?,?)" for lane, table in _TABLES.items()}
_SELECT = {
    lane: f"SELECT {_COLUMNS} FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?"
    for lane, table in _TABLES.items()
}
_FIRST = {
    lane: f"SELECT received_at FROM {table} WHERE seq > ? ORDER BY seq LIMIT 1"
    for lane, table in _TABLES.items()
}
_LAST = {lane: f"SELECT max(seq) FROM {table}" for lane, table in _TABLES.items()}
_REJECT = 'INSERT INTO rejects (received_at, source, "index", reason, message, excerpt) VALUES (?,?,?,?,?,?)'
_NEWEST_REJECTS = (
    'SELECT received_at, source, "index", reason, message, excerpt FROM rejects ORDER BY id DESC LIMIT ?'
)
_META = "CREATE TABLE IF NOT EXISTS meta (epoch TEXT NOT NULL, after INTEGER NOT NULL)"
_REJECTS = (
    "CREATE TABLE IF NOT EXISTS rejects (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, "
    'source TEXT NOT NULL, "index" INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, '
    "excerpt BLOB NOT NULL)"
)
_LANE_TABLE = (
    "CREATE TABLE IF NOT EXISTS {} (seq INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, "
    "source TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, refused BLOB NOT NULL)"
)


class Reject(Struct, frozen=True):
    """One refused call: where it stood, why it was refused, and how it began."""

    received_at: Instant
    source: str
    index: int
    """Its place in the batch; -1 where the whole request was refused."""
    reason: str
    message: str
    excerpt: bytes
    """The first bytes of the refused call."""


class LogBrokenError(HarkError):
    """A commit failed: what is on disk is unknown, so this process must append no more and end."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"the log can't be written: {cause}", "check the disk, then start again", "log.broken"
        )


class LogFullError(HarkError):
    """There was no room for the rows; nothing was appended, and a later append may succeed."""

    def __init__(self) -> None:
        super().__init__("the disk is full", "free some space", "log.full")


class LogStore:
    """The one appender of the log in `directory` (`DIR/log`); makes it on first use.

    `epoch` names the log; `ends` has the last sequence number of each lane (0: none).

    `file_bytes` is the size after which it goes on in a new file; with less free space than
    `min_free_bytes` it takes nothing. Not for two threads at once.
    """

    def __init__(self, directory: Path, file_bytes: int = FILE_BYTES, min_free_bytes: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.file_bytes = file_bytes
        self.min_free_bytes = min_free_bytes
        self._broken: LogBrokenError | None = None
        self._number = max(_numbers(directory), default=0)
        self.file = self._resume() if self._number else self._first_file()
        with closing(LogReader(directory)) as reader:
            self.ends = reader.ends()

    def append(self, rows: Sequence[NewRow], rejects: Sequence[Reject] = ()) -> list[int]:
        """Put the rows on disk, all or none, and give their sequence numbers.

        Raises LogFullError (nothing appended; may be tried again) or LogBrokenError (final, also for
        every later append).
        """
        if self._broken:
            raise self._broken
        if self.min_free_bytes and _free_bytes(self.directory) < self.min_free_bytes:
            raise LogFullError
        first = self._end + 1
        try:
            with self.file:
                self._insert(rows, first)
                self.file.executemany(_REJECT, map(_reject_values, rejects))
        except apsw.FullError:
            raise LogFullError from None
        except apsw.Error as error:
            self._broken = LogBrokenError(str(error))
            raise self._broken from error
        self._end += len(rows)
        self.ends.update((row.lane, seq) for seq, row in enumerate(rows, first))
        self._roll_over()
        return list(range(first, self._end + 1))

    def end(self) -> int:
        """The last sequence number appended (0: none)."""
        return self._end

    def close(self) -> None:
        """Fold the write-ahead log into the file and let it go."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _insert(self, rows: Sequence[NewRow], first: int) -> None:
        execute = self.file.execute
        for seq, row in enumerate(rows, first):
            values = (seq, row.received_at, row.source, row.kind, row.body, row.refused)
            execute(_INSERT[row.lane], values)

    def _resume(self) -> apsw.Connection:
        """Go on in the newest file.

        A killed process can leave rows which were written but not synced; the checkpoint syncs them before
        anybody builds on them.
        """
        file = _open_writer(self._path(self._number))
        found = _meta(file)
        if found is None:
            file.close()
            return self._unfinished_file()
        file.wal_checkpoint()
        self.epoch, after = found
        self._end = max(after, *_ends(file).values())
        return file

    def _unfinished_file(self) -> apsw.Connection:
        if self._number == 1:
            return self._first_file()
        before = _open_writer(self._path(self._number - 1))
        self.epoch, after = _known_meta(before)
        self._end = max(after, *_ends(before).values())
        before.close()
        return self._make_file()

    def _first_file(self) -> apsw.Connection:
        self._number = 1
        self._end = 0
        self.epoch = secrets.token_hex(16)
        return self._make_file()

    def _make_file(self) -> apsw.Connection:
        file = _open_writer(self._path(self._number))
        with file:
            for table in _TABLES.values():
                file.execute(_LANE_TABLE.format(table))
            file.execute(_REJECTS)
            file.execute(_META)
            file.execute("INSERT INTO meta (epoch, after) VALUES (?,?)", (self.epoch, self._end))
        _sync_directory(self.directory)
        return file

    def _roll_over(self) -> None:
        if _size(self.file) < self.file_bytes:
            return
        self._number += 1
        full, self.file = self.file, self._make_file()
        full.close()

    def _path(self, number: int) -> Path:
        return self.directory / f"{number}.db"


class LogReader:
    """Reads the log in `directory` while its writer appends. Raises HarkError if there is none.

    Each call sees a consistent end; nothing is ever skipped, also not over a change of file.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._files: dict[int, tuple[int, apsw.Connection]] = {}
        self._refresh()
        if not self._files:
            raise HarkError(f"no log in {directory}", "start the server once: hark serve", "log.missing")
        self.epoch = _known_meta(next(iter(self._files.values()))[1])[0]

    def read(self, lane: Lane, after: int, limit: int) -> list[Row]:
        """The next rows of a lane with seq > `after`, in order, at most `limit`."""
        rows: list[Row] = []
        for file in self._from(after):
            found = file.execute(_SELECT[lane], (after, limit - len(rows)))
            rows.extend(_row(lane, values) for values in found)
            if len(rows) >= limit:
                break
        return rows

    def first_unread(self, lane: Lane, after: int) -> Instant | None:
        """When the first row after the cursor arrived; None: all of the lane is read."""
        for file in self._from(after):
            for (received_at,) in file.execute(_FIRST[lane], (after,)):
                return int(received_at)
        return None

    def end(self) -> int:
        """The last sequence number appended (0: none)."""
        self._refresh()
        after, file = self._files[max(self._files)]
        return max(after, *_ends(file).values())

    def ends(self) -> dict[Lane, int]:
        """The last sequence number of each lane (0: none)."""
        self._refresh()
        found = dict.fromkeys(LANES, 0)
        for number in sorted(self._files):
            found.update((lane, last) for lane, last in _ends(self._files[number][1]).items() if last)
        return found

    def rejects(self, limit: int = 100) -> list[Reject]:
        """The newest refused calls, newest first."""
        self._refresh()
        found: list[Reject] = []
        for number in sorted(self._files, reverse=True):
            rows = self._files[number][1].execute(_NEWEST_REJECTS, (limit - len(found),))
            found.extend(map(_reject, rows))
        return found

    def close(self) -> None:
        for _, file in self._files.values():
            file.close()
        self._files.clear()

    def _from(self, after: int) -> Iterator[apsw.Connection]:
        """The files which may hold rows after the cursor, oldest first.

        The files are listed before the first is read: a file followed by another gets no more rows, so
        what is read of it is all there is.
        """
        self._refresh()
        numbers = sorted(self._files)
        for number, following in zip(numbers, [*numbers[1:], None], strict=True):
            if following is None or self._files[following][0] > after:
                yield self._files[number][1]

    def _refresh(self) -> None:
        numbers = _numbers(self.directory)
        for number in sorted(numbers - self._files.keys()):
            opened = _open_reader(self.directory / f"{number}.db")
            if opened:
                self._files[number] = opened
        for number in self._files.keys() - numbers:
            self._files.pop(number)[1].close()


def drop_read(directory: Path, cursors: Mapping[Lane, int]) -> list[Path]:
    """Remove the oldest files of which every lane is read up to its cursor; the newest always stays."""
    numbers = sorted(_numbers(directory))
    dropped = list(itertools.takewhile(lambda path: _is_read(path, cursors), _paths(directory, numbers[:-1])))
    for path in dropped:
        for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            name.unlink(missing_ok=True)
    _sync_directory(directory)
    return dropped


def _is_read(path: Path, cursors: Mapping[Lane, int]) -> bool:
    opened = _open_reader(path)
    if opened is None:
        return False
    with closing(opened[1]) as file:
        return all(last <= cursors.get(lane, 0) for lane, last in _ends(file).items())


def _paths(directory: Path, numbers: Sequence[int]) -> list[Path]:
    return [directory / f"{number}.db" for number in numbers]


def _numbers(directory: Path) -> set[int]:
    """The numbers of the files there are; also of one that is just being made."""
    try:
        names = [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return set()
    return {int(name[:-3]) for name in names if name.endswith(".db") and name[:-3].isdigit()}


def _open_writer(path: Path) -> apsw.Connection:
    file = apsw.Connection(str(path))
    file.set_busy_timeout(10_000)
    try:
        _prepare(file)
    except apsw.NotADBError:
        raise _foreign(str(path)) from None
    return file


def _prepare(file: apsw.Connection) -> None:
    file.pragma("page_size", 8192)
    file.pragma("journal_mode", "wal")
    file.pragma("synchronous", "full")
    file.pragma("wal_autocheckpoint", 4000)


def _open_reader(path: Path) -> tuple[int, apsw.Connection] | None:
    """The sequence number the file starts after, and the file; None while it is being made."""
    try:
        file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.CantOpenError:
        return None
    file.set_busy_timeout(10_000)
    file.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    found = _meta(file)
    if found is None:
        file.close()
        return None
    return found[1], file


def _meta(file: apsw.Connection) -> tuple[str, int] | None:
    """(epoch, the sequence number the file starts after); None while the file is being made."""
    try:
        for epoch, after in file.execute("SELECT epoch, after FROM meta"):
            return str(epoch), int(after)
    except apsw.SQLError:
        return None
    except apsw.NotADBError:
        raise _foreign(file.filename) from None
    return None


def _known_meta(file: apsw.Connection) -> tuple[str, int]:
    found = _meta(file)
    if found is None:
        raise _foreign(file.filename)
    return found


def _foreign(path: str) -> HarkError:
    return HarkError(f"{path} is no log file", "restore it from a copy, or take it away", "log.foreign")


def _ends(file: apsw.Connection) -> dict[Lane, int]:
    return {lane: int(next(iter(file.execute(_LAST[lane])))[0] or 0) for lane in LANES}


def _size(file: apsw.Connection) -> int:
    pages = file.pragma("page_count")
    return int(pages) * int(file.pragma("page_size"))


def _row(lane: Lane, values: tuple[object, ...]) -> Row:
    seq, received_at, source, kind, body, refused = values
    return Row(seq, int(lane), received_at, source, kind, body, refused)  # type: ignore[arg-type]


def _reject(values: tuple[object, ...]) -> Reject:
    return Reject(*values)  # type: ignore[arg-type]


def _reject_values(reject: Reject) -> tuple[object, ...]:
    return (reject.received_at, reject.source, reject.index, reject.reason, reject.message, reject.excerpt)


def _free_bytes(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
