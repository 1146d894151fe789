"""The log: every row is there, and is what collect wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw
from msgspec import Struct

from hark.doctor import sqlite
from hark.doctor.findings import Finding, Looked, damaged, fine
from hark.errors import HarkError
from hark.model import Lane
from hark.store import log_files
from hark.store.contracts import Row

_COLUMNS = f"{log_files.COLUMNS}, crc"
_MOST_NAMED = 5
"""Ranges of rows that are told one by one."""


class Held(Struct, frozen=True):
    """What one file of the log should hold, and what can be read of it."""

    number: int
    after: int
    """The row it starts after."""
    epoch: str
    rows: list[int]
    """Those that can be read and have the right checksum."""
    wrong: list[int]
    """Rows whose checksum is another."""


def look_log(data: Path, cursors: dict[Lane, int], looked: Looked) -> Iterator[Finding]:
    """A finding for each file. `cursors`: how far the engine has read each lane."""
    numbers = sorted(log_files.numbers(data / "log"))
    if not numbers:
        yield damaged("log", "there is no log", "what the engine had not read; everything, for a rebuild")
        return
    before: Held | None = None
    for number in numbers:
        path = data / "log" / f"{number}.db"
        held = read_file(path)
        last = _begins(data / "log", numbers, number)
        if before is not None and before.number + 1 != number:
            yield _gone(f"log/{before.number + 1}.db", _last(before), held, cursors)
        yield _finding(path, held, last, cursors)
        before = held or before
        looked(path.stat().st_size)


def read_file(path: Path) -> Held | None:
    """What can be read of a file; None: nothing, it is no log file any more."""
    try:
        file = sqlite.opened(path)
    except apsw.Error:
        return None
    try:
        epoch, after = log_files.known_meta(file)
        rows: list[int] = []
        wrong: list[int] = []
        for lane in Lane:
            for seq, row in rows_of(file, lane):
                (rows if row else wrong).append(seq)
    except (apsw.Error, HarkError):
        return None
    finally:
        file.close()
    return Held(int(path.stem), after, epoch, sorted(rows), sorted(wrong))


def rows_of(file: apsw.Connection, lane: Lane) -> Iterator[tuple[int, Row | None]]:
    """(seq, row) of a lane as far as it can be read; None: it is not what collect wrote."""
    crc = log_files.has_checksums(file)
    columns = _COLUMNS if crc else log_files.COLUMNS
    for values in sqlite.readable(file, columns, log_files.TABLES[lane], "seq"):
        row = _row(lane, values)
        right = row is not None and (not crc or _is_right(row, values[-1]))
        yield values[0], row if right else None


def _row(lane: Lane, values: sqlite.Values) -> Row | None:
    """None: a value is not of its type."""
    seq, at, source, kind, body, refused = values[:6]
    right = isinstance(at, int) and isinstance(source, str) and isinstance(kind, str)
    if not (right and isinstance(body, bytes) and isinstance(refused, bytes)):
        return None
    return Row(seq, int(lane), at, source, kind, body, refused)


def _is_right(row: Row, crc: object) -> bool:
    return crc == log_files.checksum(row.seq, row.received_at, row.source, row.kind, row.body, row.refused)


def _begins(folder: Path, numbers: Sequence[int], number: int) -> int | None:
    """The last row that this file can hold: the next one, if it can be read, starts after it."""
    following = [one for one in numbers if one == number + 1]
    held = read_meta(folder / f"{following[0]}.db") if following else None
    return held[1] if held else None


def read_meta(path: Path) -> tuple[str, int] | None:
    """(epoch, the row it starts after) of a file of the log; None if it cannot be read."""
    try:
        file = sqlite.opened(path)
    except apsw.Error:
        return None
    try:
        return log_files.meta(file)
    except (apsw.Error, HarkError):
        return None
    finally:
        file.close()


def _last(held: Held) -> int:
    return max([held.after, *held.rows[-1:], *held.wrong[-1:]])


def _gone(path: str, before: int, following: Held | None, cursors: dict[Lane, int]) -> Finding:
    last = following.after if following else before
    return damaged(path, f"it is missing, with rows {before + 1:,} to {last:,}", _costs([last], cursors))


def _finding(path: Path, held: Held | None, last: int | None, cursors: dict[Lane, int]) -> Finding:
    name = f"log/{path.name}"
    structure = sqlite.problem(path)
    if held is None:
        return damaged(name, structure or "it is no log file", _costs([last or 1 << 62], cursors))
    missing = _missing(held, last)
    if structure or missing:
        told = [f"{len(missing):,} rows are lost ({_ranges(missing)})"] if missing else []
        if held.wrong:
            told.append(f"{len(held.wrong):,} of them have a wrong checksum")
        return damaged(name, "; ".join([*told, *filter(None, [structure])]), _costs(missing, cursors))
    span = f"{held.rows[0]:,} to {held.rows[-1]:,}" if held.rows else "none"
    return fine(name, f"{len(held.rows):,} rows ({span}), every checksum right")


def _missing(held: Held, last: int | None) -> list[int]:
    """Rows that should be in the file and cannot be read."""
    have = set(held.rows)
    end = max(last or 0, _last(held))
    return [seq for seq in range(held.after + 1, end + 1) if seq not in have]


def _ranges(rows: Sequence[int]) -> str:
    """1 to 3, 7, ..."""
    lost = set(rows)
    starts = [seq for seq in rows if seq - 1 not in lost]
    ends = [seq for seq in rows if seq + 1 not in lost]
    told = [
        f"{low:,} to {high:,}" if high > low else f"{low:,}" for low, high in zip(starts, ends, strict=True)
    ]
    return ", ".join(told[:_MOST_NAMED]) + (" ..." if len(told) > _MOST_NAMED else "")


def _costs(rows: Sequence[int], cursors: dict[Lane, int]) -> str:
    """What the rows' loss means: were they read before?"""
    if not rows:
        return "no row; copy the directory, then let the log go on: hark serve"
    if max(rows) <= min((at for at in cursors.values() if at), default=0):
        return "nothing yet: the engine had read them. A rebuild of the history would lack them"
    return "what the engine had not read of them; clients that still have it will send it again"
