"""DIR/log/counts.db: how many calls each source had accepted and refused, by the hour. Collect writes it.

What is added stands in one transaction with the place in the log up to which it counts, so that after a crash
the rest is counted from the log. A disk that fails here fails nothing else.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
from msgspec import Struct

from hark.errors import HarkError
from hark.model import DAY, HOUR, Instant
from hark.store.contracts import Counted, CountKey, Place

KEPT_US = 28 * DAY
"""Hours older than this go; the totals stay."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS place (seq INTEGER NOT NULL, reject INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS totals (source TEXT, reason TEXT, calls INTEGER NOT NULL,
  PRIMARY KEY (source, reason)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hours (source TEXT, hour INTEGER, reason TEXT, calls INTEGER NOT NULL,
  PRIMARY KEY (source, hour, reason)) STRICT, WITHOUT ROWID;
"""
_TOTAL = """INSERT INTO totals VALUES (?,?,?)
    ON CONFLICT DO UPDATE SET calls = calls + excluded.calls"""
_HOUR = """INSERT INTO hours VALUES (?,?,?,?)
    ON CONFLICT DO UPDATE SET calls = calls + excluded.calls"""


class Hour(Struct, frozen=True):
    """What came from one source in one hour, for one reason ("": accepted)."""

    source: str
    at: Instant
    reason: str
    calls: int


class CountStore:
    """The one writer."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(5_000)
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "normal")
        self._db.execute(_SCHEMA)

    def place(self) -> Place | None:
        """Up to where the log is counted; None: nothing was counted yet."""
        found = self._db.execute("SELECT seq, reject FROM place").fetchone()
        return Place(*found) if found else None

    def totals(self) -> dict[CountKey, int]:
        """All that was ever counted."""
        rows = self._db.execute("SELECT source, reason, calls FROM totals")
        return {(source, reason): calls for source, reason, calls in rows}

    def add(self, counted: Counted, place: Place) -> None:
        """Add what was counted up to a place of the log. Raises HarkError `counts.kept`: nothing was."""
        try:
            self._add(counted, place)
        except apsw.Error as error:
            hint = "they stay in memory and are tried again; see the disk"
            raise HarkError(f"the counts can't be written: {error}", hint, "counts.kept") from None

    def _add(self, counted: Counted, place: Place) -> None:
        with self._db:
            self._db.executemany(_TOTAL, ((source, reason, n) for (source, _, reason), n in counted.items()))
            self._db.executemany(_HOUR, ((*key, calls) for key, calls in counted.items()))
            self._db.execute("DELETE FROM place")
            self._db.execute("INSERT INTO place VALUES (?,?)", (place.seq, place.reject))

    def forget(self, now: Instant) -> None:
        """Let the old hours go."""
        self._db.execute("DELETE FROM hours WHERE hour < ?", ((now - KEPT_US) // HOUR,))

    def close(self) -> None:
        self._db.close()


def read_hours(path: Path, since: Instant) -> list[Hour]:
    """The hours from `since` on, oldest first; none where nothing was counted yet."""
    with closing(_reader(path)) as db:
        find = "SELECT source, hour, reason, calls FROM hours WHERE hour >= ? ORDER BY hour, source, reason"
        rows = db.execute(find, (since // HOUR,)) if _is_made(db) else ()
        return [Hour(source, hour * HOUR, reason, calls) for source, hour, reason, calls in rows]


def read_totals(path: Path) -> dict[CountKey, int]:
    """All that was ever counted; nothing where no counts are yet."""
    with closing(_reader(path)) as db:
        rows = db.execute("SELECT source, reason, calls FROM totals") if _is_made(db) else ()
        return {(source, reason): calls for source, reason, calls in rows}


def _reader(path: Path) -> apsw.Connection:
    if not path.exists():
        return apsw.Connection(":memory:")
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    db.set_busy_timeout(5_000)
    return db


def _is_made(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'hours'").fetchone() is not None
