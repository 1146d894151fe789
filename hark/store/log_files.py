"""The files of the log: their names, tables and how they are opened. For `log.py` alone."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import apsw

from hark.errors import HarkError
from hark.model import Lane

LANES = tuple(Lane)
GROUP = 64
"""Rows that one statement inserts at most."""

TABLES = {lane: lane.name.lower() for lane in LANES}
COLUMNS = "seq, received_at, source, kind, body, refused"
SELECT = {
    lane: f"SELECT {COLUMNS} FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?"
    for lane, table in TABLES.items()
}
FIRST = {
    lane: f"SELECT received_at FROM {table} WHERE seq > ? ORDER BY seq LIMIT 1"
    for lane, table in TABLES.items()
}
NEWEST = {
    lane: f"SELECT received_at FROM {table} ORDER BY seq DESC LIMIT 1" for lane, table in TABLES.items()
}
LAST = {lane: f"SELECT max(seq) FROM {table}" for lane, table in TABLES.items()}
META = "CREATE TABLE IF NOT EXISTS meta (epoch TEXT NOT NULL, after INTEGER NOT NULL)"
REJECTS = (
    "CREATE TABLE IF NOT EXISTS rejects (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, "
    'source TEXT NOT NULL, "index" INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, '
    "excerpt BLOB NOT NULL)"
)
LANE_TABLE = (
    "CREATE TABLE IF NOT EXISTS {} (seq INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, "
    "source TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, refused BLOB NOT NULL, "
    "crc INTEGER NOT NULL)"
)


@cache
def insert(lane: Lane, rows: int) -> str:
    """The statement that inserts so many rows into a lane."""
    values = ", ".join(["(?,?,?,?,?,?,?)"] * rows)
    return f"INSERT INTO {TABLES[lane]} ({COLUMNS}, crc) VALUES {values}"


def checksum(seq: int, received_at: int, source: str, kind: str, body: bytes, refused: bytes) -> int:
    """CRC-32 of a row: SQLite's own checks don't look into values."""
    head = f"{seq}\x1f{received_at}\x1f{source}\x1f{kind}\x1f{len(refused)}".encode()
    return zlib.crc32(body, zlib.crc32(refused, zlib.crc32(head)))


def numbers(directory: Path) -> set[int]:
    """The numbers of the files there are; also of one that is just being made."""
    try:
        names = [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return set()
    return {int(name[:-3]) for name in names if name.endswith(".db") and name[:-3].isdigit()}


def open_writer(path: Path) -> apsw.Connection:
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


def open_reader(path: Path) -> tuple[int, apsw.Connection] | None:
    """The sequence number the file starts after, and the file; None while it is being made."""
    try:
        file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.CantOpenError:
        return None
    file.set_busy_timeout(10_000)
    file.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    found = meta(file)
    if found is None:
        file.close()
        return None
    return found[1], file


def meta(file: apsw.Connection) -> tuple[str, int] | None:
    """(epoch, the sequence number the file starts after); None while the file is being made."""
    try:
        for epoch, after in file.execute("SELECT epoch, after FROM meta"):
            return str(epoch), int(after)
    except apsw.SQLError:
        return None
    except apsw.NotADBError:
        raise _foreign(file.filename) from None
    return None


def known_meta(file: apsw.Connection) -> tuple[str, int]:
    found = meta(file)
    if found is None:
        raise _foreign(file.filename)
    return found


def _foreign(path: str) -> HarkError:
    return HarkError(f"{path} is no log file", "restore it from a copy, or take it away", "log.foreign")


def ends(file: apsw.Connection) -> dict[Lane, int]:
    return {lane: int(next(iter(file.execute(LAST[lane])))[0] or 0) for lane in LANES}


def began(file: apsw.Connection) -> int | None:
    """When the first row arrived that the file holds; None: it holds none."""
    found = [at for lane in LANES for (at,) in file.execute(FIRST[lane], (0,))]
    return min(found, default=None)


def newest(file: apsw.Connection) -> int:
    """When the last row arrived that the file holds (0: it holds none)."""
    return max((at for lane in LANES for (at,) in file.execute(NEWEST[lane])), default=0)


def has_checksums(file: apsw.Connection) -> bool:
    """Whether its rows carry them: files of the first release don't."""
    return "crc" in [name for _, name, *_ in file.pragma("table_info", TABLES[LANES[0]]) or ()]


def doubt(directory: Path, number: int) -> None:
    """Remember that a commit to this file failed. Where not even that can be written, nothing can be."""
    with suppress(OSError):
        (directory / f"{number}.doubtful").touch()


def is_doubtful(directory: Path, number: int) -> bool:
    """Whether a commit to this file has ever failed: then it gets no more rows."""
    return (directory / f"{number}.doubtful").exists()


def free_bytes(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
