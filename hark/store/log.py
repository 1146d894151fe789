"""The log: a row of SQLite files, one table per lane, one order over all of them.

`LogStore` is the one appender (collect's; `locks.py` keeps a second one out), `LogReader` reads in any other
process while it appends. A file is dropped whole when it is old and the history has all of it.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import apsw

from hark.errors import HarkError
from hark.model import DAY, Instant, Lane
from hark.store import log_files, rejects
from hark.store.contracts import LogBrokenError, LogFullError, NewRow, Reject, Row

FILE_BYTES = 1 << 30
CHECK_BYTES = 4 << 20
ROW_BYTES = 64
"""What a row takes besides its body, about."""
FILE_US = DAY
"""A file holds no more than the rows of a day, so that what is old can go."""


class LogStore:
    """The one appender of the log in `directory` (`DIR/log`); makes it on first use.

    `epoch` names the log; `ends` has the last sequence number of each lane (0: none), `rejected` that of the
    reject log.

    `file_bytes` is the size after which it goes on in a new file; with less free space than
    `min_free_bytes` it takes nothing. Not for two threads at once.
    """

    def __init__(self, directory: Path, file_bytes: int = FILE_BYTES, min_free_bytes: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.file_bytes = file_bytes
        self.min_free_bytes = min_free_bytes
        self._broken: LogBrokenError | None = None
        self._number = max(log_files.numbers(directory), default=0)
        self.file = self._resume() if self._number else self._first_file()
        self._file_bytes = self._path(self._number).stat().st_size
        self._unchecked_bytes = 0
        self._began = log_files.began(self.file)
        if log_files.is_doubtful(directory, self._number):
            self._leave_file()
        elif not log_files.has_checksums(self.file):
            self._roll_over()
        with closing(LogReader(directory)) as reader:
            self.ends = reader.ends()
            self.rejected = reader.rejected()

    def append(self, rows: Sequence[NewRow], refused: Sequence[Reject] = ()) -> list[int]:
        """Put the rows on disk, all or none, and give their sequence numbers. Without rows it only looks
        whether it is time for a new file.

        Raises LogFullError (nothing appended; may be tried again) or LogBrokenError (final, also for
        every later append).
        """
        if self._broken:
            raise self._broken
        first = self._end + 1
        try:
            self._make_room(rows, refused)
            self._write(rows, refused, first)
        except apsw.FullError:
            raise LogFullError from None
        except apsw.Error as error:
            self._broken = LogBrokenError(str(error))
            log_files.doubt(self.directory, self._number)
            raise self._broken from error
        self._end += len(rows)
        self.ends.update((row.lane, seq) for seq, row in enumerate(rows, first))
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

    def _write(self, rows: Sequence[NewRow], refused: Sequence[Reject], first: int) -> None:
        """All or nothing. One lane's rows are one statement, which commits by itself: each call of SQLite
        lets other threads run and may wait long to go on, so it matters that there is one and not ten."""
        if not refused and len(rows) <= log_files.GROUP and len({row.lane for row in rows}) == 1:
            self._insert(rows, first)
            return
        with self.file:
            for start, row in enumerate(rows):
                self._insert([row], first + start)
            self._reject(refused)
        self.rejected += len(refused)

    def _insert(self, rows: Sequence[NewRow], first: int) -> None:
        values: list[int | str | bytes] = []
        for seq, row in enumerate(rows, first):
            kept = (seq, row.received_at, row.source, row.kind, row.body, row.refused)
            values += (*kept, log_files.checksum(*kept))
        self.file.execute(log_files.insert(rows[0].lane, len(rows)), values)

    def _reject(self, refused: Sequence[Reject]) -> None:
        """Keep the refused, and let go of the oldest now and then."""
        last = self.rejected + len(refused)
        numbers = range(self.rejected + 1, last + 1)
        self.file.executemany(rejects.INSERT, map(rejects.values, numbers, refused))
        if self.rejected // rejects.TRIMMED_EVERY != last // rejects.TRIMMED_EVERY:
            oldest = refused[-1].received_at - rejects.KEPT_US
            self.file.execute(rejects.TRIM, (last - rejects.KEPT, oldest))

    def _make_room(self, rows: Sequence[NewRow], refused: Sequence[Reject]) -> None:
        """Go on in a new file if this one is full, and see that the disk is not.

        Asking for the free space is a call of the system, so it is asked once for every 4 MB appended.
        """
        now = rows[0].received_at if rows else time.time_ns() // 1000
        if self._file_bytes >= self.file_bytes or (self._began is not None and now - self._began >= FILE_US):
            self._roll_over()
        if self._began is None and rows:
            self._began = now
        size = sum(len(row.body) for row in rows) + ROW_BYTES * len(rows)
        size += sum(len(one.excerpt) + len(one.message) + ROW_BYTES for one in refused)
        self._unchecked_bytes -= size
        if self.min_free_bytes and self._unchecked_bytes <= 0:
            if log_files.free_bytes(self.directory) < self.min_free_bytes:
                raise LogFullError
            self._unchecked_bytes = CHECK_BYTES
        self._file_bytes += size

    def _resume(self) -> apsw.Connection:
        """Go on in the newest file.

        A killed process can leave rows which were written but not synced; the checkpoint syncs them before
        anybody builds on them.
        """
        file = log_files.open_writer(self._path(self._number))
        found = log_files.meta(file)
        if found is None:
            file.close()
            return self._unfinished_file()
        file.wal_checkpoint()
        self.epoch, after = found
        self._end = max(after, *log_files.ends(file).values())
        return file

    def _unfinished_file(self) -> apsw.Connection:
        if self._number == 1:
            return self._first_file()
        before = log_files.open_writer(self._path(self._number - 1))
        self.epoch, after = log_files.known_meta(before)
        self._end = max(after, *log_files.ends(before).values())
        before.close()
        return self._make_file(self._number)

    def _first_file(self) -> apsw.Connection:
        self._number = 1
        self._end = 0
        self.epoch = secrets.token_hex(16)
        return self._make_file(self._number)

    def _make_file(self, number: int) -> apsw.Connection:
        file = log_files.open_writer(self._path(number))
        with file:
            for table in log_files.TABLES.values():
                file.execute(log_files.LANE_TABLE.format(table))
            file.execute(log_files.REJECTS)
            file.execute(log_files.META)
            file.execute("INSERT INTO meta (epoch, after) VALUES (?,?)", (self.epoch, self._end))
        log_files.sync_directory(self.directory)
        return file

    def _roll_over(self) -> None:
        full, self.file = self.file, self._make_file(self._number + 1)
        self._number += 1
        self._file_bytes = 0
        self._began = None
        full.close()

    def _leave_file(self) -> None:
        """A commit to this file failed, so nothing is ever built on what the system still holds of it in
        memory: what was acknowledged goes from the write-ahead log into the file, the rest is forgotten."""
        self.file.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._roll_over()

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
        self.epoch = log_files.known_meta(next(iter(self._files.values()))[1])[0]

    def read(self, lane: Lane, after: int, limit: int) -> list[Row]:
        """The next rows of a lane with seq > `after`, in order, at most `limit`."""
        rows: list[Row] = []
        for file in self._from(after):
            found = file.execute(log_files.SELECT[lane], (after, limit - len(rows)))
            rows.extend(_row(lane, values) for values in found)
            if len(rows) >= limit:
                break
        return rows

    def first_unread(self, lane: Lane, after: int) -> Instant | None:
        """When the first row after the cursor arrived; None: all of the lane is read."""
        for file in self._from(after):
            for (received_at,) in file.execute(log_files.FIRST[lane], (after,)):
                return int(received_at)
        return None

    def end(self) -> int:
        """The last sequence number appended (0: none)."""
        self._refresh()
        after, file = self._files[max(self._files)]
        return max(after, *log_files.ends(file).values())

    def ends(self) -> dict[Lane, int]:
        """The last sequence number of each lane (0: none)."""
        self._refresh()
        found = dict.fromkeys(Lane, 0)
        for number in sorted(self._files):
            found.update(
                (lane, last) for lane, last in log_files.ends(self._files[number][1]).items() if last
            )
        return found

    def rejected(self) -> int:
        """The number of the last entry of the reject log (0: none)."""
        self._refresh()
        for number in sorted(self._files, reverse=True):
            last = next(iter(self._files[number][1].execute(rejects.LAST)))[0]
            if last:
                return int(last)
        return 0

    def sizes(self) -> list[tuple[int, int]]:
        """(the sequence number after which it goes on, bytes) of each file, oldest first; the bytes with what
        stands in its write-ahead log only."""
        self._refresh()
        files = [self._files[number] for number in sorted(self._files)]
        return [(after, file.pragma("page_count") * file.pragma("page_size")) for after, file in files]

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
        numbers = log_files.numbers(self.directory)
        for number in sorted(numbers - self._files.keys()):
            opened = log_files.open_reader(self.directory / f"{number}.db")
            if opened:
                self._files[number] = opened
        for number in self._files.keys() - numbers:
            self._files.pop(number)[1].close()


def drop_old(directory: Path, settled: Mapping[Lane, int], before: Instant) -> list[Path]:
    """Remove the oldest files whose rows all arrived before an instant and are settled: folded, and in the
    history's files. Oldest first, so that nothing is missing in between; the newest always stays."""
    numbers = sorted(log_files.numbers(directory))
    old = itertools.takewhile(lambda path: _is_old(path, settled, before), _paths(directory, numbers[:-1]))
    dropped = list(old)
    for path in dropped:
        for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            name.unlink(missing_ok=True)
    log_files.sync_directory(directory)
    return dropped


def _is_old(path: Path, settled: Mapping[Lane, int], before: Instant) -> bool:
    opened = log_files.open_reader(path)
    if opened is None:
        return False
    with closing(opened[1]) as file:
        ends = log_files.ends(file)
        return log_files.newest(file) < before and all(ends[lane] <= settled.get(lane, 0) for lane in ends)


def _paths(directory: Path, numbers: Sequence[int]) -> list[Path]:
    return [directory / f"{number}.db" for number in numbers]


def _row(lane: Lane, values: tuple[object, ...]) -> Row:
    seq, received_at, source, kind, body, refused = values
    return Row(seq, int(lane), received_at, source, kind, body, refused)  # type: ignore[arg-type]
