"""`state.db`: all the engine knows, in one SQLite file that only the engine writes.

`StateStore` is the engine's: one `commit(Changes)` a tick, in one transaction with synchronous=FULL.
`StateReader` is everybody else's: read-only, short reads, no checkpoint on close.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from hark.errors import HarkError
from hark.model import Ended, Instant, Lane
from hark.store.backfills import BackfillsOf
from hark.store.changes import Changes, Id, Kept, Owner
from hark.store.checkpoint import Checkpoints
from hark.store.contracts import OutboxRow
from hark.store.deliveries import DeliveriesOf
from hark.store.endings import endings
from hark.store.erasures import ErasuresOf
from hark.store.identities import Identities
from hark.store.state_reader import StateReader, open_reader
from hark.store.state_rows import OUTBOX, SQLRow, outbox_row
from hark.store.state_write import write
from hark.store.suppressions import SuppressionsOf

__all__ = ["StateReader", "StateStore", "StorageError", "open_reader"]

StorageError = apsw.Error
"""Whatever SQLite could not do: full disk, broken file ... Nothing of the transaction was kept."""

SQL = ("state.sql", "erasures.sql", "suppressions.sql", "deliveries.sql", "backfills.sql")
SCHEMA = "".join((Path(__file__).parent / "sql" / name).read_text() for name in SQL)
PAGES_TO_CHECKPOINT = 16_384
"""64 MB of WAL: a page changed many times between two checkpoints goes to the file once."""
CACHE_KB = 131_072
BUSY_MS = 10_000
MAPPED_BYTES = 1 << 33
"""Reads go through the page cache of the operating system, without a copy of ours."""


class StateStore(Identities, ErasuresOf, SuppressionsOf, DeliveriesOf, BackfillsOf):
    """The engine's own connection. `path` may be ":memory:" (replay). Not for use by two threads at once."""

    def __init__(self, path: Path | str, epoch: str = "") -> None:
        """Opens or makes the file. Raises HarkError (`epoch.differs`) if it belongs to another log."""
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(BUSY_MS)
        for name, value in _PRAGMAS.items():
            self._db.pragma(name, value)
        with self._db:
            self._db.execute(SCHEMA)
        self._wal_holds_deleted = False
        self._checkpoints = Checkpoints(self._db, Path(path), PAGES_TO_CHECKPOINT)
        self._check(epoch)

    def _check(self, epoch: str) -> None:
        known = self.meta("epoch")
        if known is None:
            self._db.execute("INSERT INTO meta VALUES ('epoch', ?)", (epoch,))
        elif known != epoch:
            self.close()
            message = f"the state belongs to log {known}, but the log here is {epoch}"
            raise HarkError(message, hint="restore log/ and state.db from one backup", id="epoch.differs")

    def close(self) -> None:
        self._checkpoints.close()
        self._db.close()

    def begin(self) -> None:
        """What is asked from here on is answered as of one moment, until `commit` or `rest`: a tick's many
        small questions share one lock of the file, which costs more than most of them."""
        if self._db.get_autocommit():
            self._db.execute("BEGIN")

    def rest(self) -> None:
        """Lets go of the file where there is nothing to commit."""
        if not self._db.get_autocommit():
            self._db.execute("ROLLBACK")

    def commit(self, changes: Changes) -> None:
        """Writes everything in one transaction; when it returns it is on disk. Raises StorageError, and
        then nothing of it was kept."""
        self.begin()
        try:
            write(self._db, changes)
            self._db.execute("COMMIT")
        except apsw.Error:
            self.rest()
            raise
        self._checkpoints.poll()
        if self._wal_holds_deleted:
            self._clear_wal()

    def _query(self, find: str, *given: object) -> list[SQLRow]:
        return list(self._db.execute(find, given))

    def endings(self) -> list[Ended]:
        """What is kept of endpoints that are over."""
        return endings(self._db)

    def meta(self, name: str) -> str | int | None:
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def number(self, name: str) -> int:
        """A whole number of `meta`; 0 if it was never written."""
        found = self.meta(name)
        return found if isinstance(found, int) else 0

    def cursors(self) -> dict[Lane, int]:
        return {lane: self.number(f"cursor/{lane.name.lower()}") for lane in Lane}

    def engine_time(self) -> Instant:
        return self.number("engine_time")

    def subjects(self, ids: Sequence[Id]) -> dict[Id, int]:
        """The subjects of those ids that are known."""
        return {one: own if isinstance(own, int) else own[0] for one, own in self.owners(ids).items()}

    def owners(self, ids: Sequence[Id]) -> dict[Id, Owner]:
        """Whose those ids are that are known; one indexed look-up each."""
        find = "SELECT kind, value, subject, home FROM ids WHERE kind = ? AND value = ?"
        return {
            (kind, value): subject if home is None else (subject, home)
            for kind, value, subject, home in self._db.executemany(find, ids)
        }

    def ids(self, subject: int) -> list[Id]:
        return list(self._db.execute("SELECT kind, value FROM ids WHERE subject = ?", (subject,)))

    def undone(self) -> list[tuple[int, int]]:
        """(younger, older) of the merges that were undone."""
        return list(self._db.execute("SELECT younger, older FROM merges WHERE undoes > 0"))

    def kept(self, subject: int) -> Kept | None:
        """The record of a subject as stored, with its armed moment."""
        row = self._db.execute("SELECT record, due FROM records WHERE subject = ?", (subject,)).fetchone()
        return Kept(row[0], row[1]) if row else None

    def kept_of(self, subjects: Sequence[int]) -> dict[int, Kept]:
        """The records of those subjects that have one. Ascending numbers are found fastest."""
        find = "SELECT subject, record, due FROM records WHERE subject = ?"
        rows = self._db.executemany(find, [(subject,) for subject in subjects])
        return {subject: Kept(record, due) for subject, record, due in rows}

    def armed(self, until: Instant, limit: int) -> list[int]:
        """Subjects whose timer is armed at or before `until`, earliest first."""
        find = "SELECT subject FROM records WHERE due <= ? ORDER BY due, subject LIMIT ?"
        return [row[0] for row in self._db.execute(find, (until, limit))]

    def due(self, until: Instant, limit: int) -> list[OutboxRow]:
        """Wanted messages due at or before `until`, earliest first."""
        find = f"{OUTBOX} WHERE state = 'wanted' AND due_at <= ? ORDER BY due_at, number LIMIT ?"
        return [outbox_row(row) for row in self._db.execute(find, (until, limit))]

    def next_due(self) -> Instant | None:
        """The earliest moment at which a message or a timer comes due."""
        find = """SELECT min(at) FROM (SELECT min(due_at) AS at FROM outbox WHERE state = 'wanted'
                  UNION ALL SELECT min(due) FROM records WHERE due IS NOT NULL)"""
        found: Instant | None = next(iter(self._db.execute(find)))[0]
        return found

    def sending(self) -> list[OutboxRow]:
        """Messages handed to a provider whose outcome never came."""
        return [
            outbox_row(row) for row in self._db.execute(f"{OUTBOX} WHERE state = 'sending' ORDER BY number")
        ]

    def message(self, message: str) -> OutboxRow | None:
        row = self._db.execute(f"{OUTBOX} WHERE message = ?", (message,)).fetchone()
        return outbox_row(row) if row else None

    def waiting(self) -> tuple[int, Instant]:
        """(events, when the oldest was folded) of what is not sealed yet."""
        find = "SELECT ifnull(sum(events), 0), ifnull(min(folded_at), 0) FROM recent"
        events, oldest = next(iter(self._db.execute(find)))
        return events, oldest

    def scrub(self) -> None:
        """Writes the file anew, with nothing in it of what was deleted: about 100 MB a second, in which no
        tick can be.

        SQLite's own secure_delete leaves traces in the gaps of pages that were balanced (measured: one or two
        of 430 deleted customers), and in the write-ahead log.
        """
        self._db.pragma("temp_store", "file")
        self._db.execute("VACUUM")
        self._db.pragma("temp_store", _PRAGMAS["temp_store"])
        self._wal_holds_deleted = True
        self._clear_wal()

    def _clear_wal(self) -> None:
        """Cuts the write-ahead log to nothing, unless somebody reads: then after a later commit."""
        self._db.set_busy_timeout(0)
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._wal_holds_deleted = False
        except apsw.BusyError:
            pass
        finally:
            self._db.set_busy_timeout(BUSY_MS)

    def seen(self) -> Iterable[tuple[int, bytes]]:
        """(bucket, fingerprints) of what must still be remembered, oldest first."""
        return self._db.execute("SELECT bucket, fingerprints FROM seen ORDER BY number")


_PRAGMAS: dict[str, str | int] = {
    "page_size": 4096,
    "journal_mode": "wal",
    "synchronous": "full",
    "cache_size": -CACHE_KB,
    "mmap_size": MAPPED_BYTES,
    "temp_store": "memory",
}
