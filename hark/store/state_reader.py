"""`state.db` as other processes read it: never in the engine's way."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import apsw

from hark.definitions.document import Document
from hark.errors import HarkError
from hark.model import GROUPS, Ended, Instant, Lane, Record
from hark.store.backfills import BackfillsRead
from hark.store.changes import GROUP, KINDS, Problem
from hark.store.contracts import OutboxRow
from hark.store.endings import endings
from hark.store.erasures import ErasuresRead, holds
from hark.store.identities import Identities
from hark.store.outbox_read import OutboxRead
from hark.store.state_rows import DOCUMENTS, OUTBOX, SQLRow, document, outbox_row
from hark.store.suppressions import SuppressionsRead

READ_AT_MOST = 100_000
"""Rows of any list. A read is one short transaction, so that it never keeps the WAL from starting anew."""


class StateReader(Identities, ErasuresRead, SuppressionsRead, OutboxRead, BackfillsRead):
    """Implements `contracts.StateReader`: read-only, opened at the first question of each thread.

    Every question raises HarkError (`state.missing`) as long as no engine has run in the directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()

    @property
    def _db(self) -> apsw.Connection:
        found: apsw.Connection | None = getattr(self._mine, "db", None)
        if found is None:
            found = self._mine.db = _connect(self._path)
        return found

    def close(self) -> None:
        """Closes the calling thread's connection; others go with their threads."""
        if hasattr(self._mine, "db"):
            self._mine.db.close()
            del self._mine.db

    def ids(self, subject: int) -> list[tuple[str, str]]:
        find = "SELECT kind, value FROM ids WHERE subject = ? ORDER BY kind, value"
        return [(KINDS[kind], value) for kind, value in self._all(find, subject)] + self.addresses(subject)

    def record(self, subject: int) -> Record | None:
        row = self._one("SELECT record FROM records WHERE subject = ?", subject)
        return _decode(row[0]) if row else None

    def records(self, after: int = 0, limit: int = 1_000) -> list[Record]:
        """Records of customers by subject number, a page at a time."""
        find = "SELECT record FROM records WHERE subject > ? AND subject < ? ORDER BY subject LIMIT ?"
        return [_decode(row[0]) for row in self._all(find, after, GROUPS, limit)]

    def records_naming(self, text: str, after: int = 0, limit: int = 1_000) -> list[Record]:
        """As `records`, also of groups, of those alone whose bytes have this text somewhere, such as a
        campaign's name."""
        find = "SELECT record FROM records WHERE subject > ? AND instr(record, ?) ORDER BY subject LIMIT ?"
        return [_decode(row[0]) for row in self._all(find, after, text.encode(), limit)]

    def due_before(self, until: Instant, every: int = 1) -> list[int]:
        """Customers with a timer or a waiting message due before a moment; of many every `every`-th one."""
        find = """SELECT subject FROM (SELECT subject FROM records WHERE due < ? UNION
            SELECT subject FROM outbox WHERE state = 'wanted' AND due_at < ?)
            WHERE subject < ? AND subject % ? = 0 ORDER BY subject"""
        return [subject for (subject,) in self._all(find, until, until, GROUPS, every)]

    def customers(self) -> int:
        """Customers ever seen, less those merged into another."""
        row = self._one(
            """SELECT (SELECT count(*) FROM subjects WHERE subject < ?) - (SELECT count(*) FROM merges
               WHERE in_force = 1 AND younger NOT IN (SELECT subject FROM erased))""",
            GROUPS,
        )
        return int(row[0]) if row else 0

    def documents(self) -> list[Document]:
        find = f"""{DOCUMENTS} WHERE version = (SELECT max(version) FROM documents
            WHERE kind = d.kind AND name = d.name) ORDER BY kind, name"""
        return [document(row) for row in self._all(find)]

    def all_documents(self) -> list[Document]:
        """Every version of every definition: runs keep the version they started with."""
        return [document(row) for row in self._all(f"{DOCUMENTS} ORDER BY kind, name, version")]

    def versions(self, kind: str, name: str) -> list[Document]:
        find = f"{DOCUMENTS} WHERE kind = ? AND name = ? ORDER BY version"
        return [document(row) for row in self._all(find, kind, name)]

    def groups(self, kind: str = "", with_record: bool = False) -> list[int]:
        """All groups (of a type), ascending; only those with a record, if asked."""
        table = "records" if with_record else "subjects"
        find = f"""SELECT subject FROM ids JOIN {table} USING (subject)
            WHERE kind = ? AND value >= ? AND value < ? ORDER BY subject"""
        first, last = (f"{kind}:", f"{kind};") if kind else ("", "\U0010ffff")
        return [subject for (subject,) in self._all(find, GROUP, first, last)]

    def group_types(self) -> list[str]:
        """The types of the groups that were ever seen."""
        find = "SELECT DISTINCT substr(value, 1, instr(value, ':') - 1) FROM ids WHERE kind = ? ORDER BY 1"
        return [kind for (kind,) in self._all(find, GROUP)]

    def subjects(self, with_record: bool = False) -> list[int]:
        """All customers that were not merged into another; only those with a record, if asked."""
        table = "records" if with_record else "subjects"
        find = f"""SELECT subject FROM {table} WHERE subject < ? AND subject NOT IN
            (SELECT younger FROM merges WHERE in_force = 1) ORDER BY subject"""
        return [subject for (subject,) in self._all(find, GROUPS)]

    def naming(self, word: str) -> list[int]:
        """Subjects in whose records this word stands, such as a campaign's name: all whom it may concern."""
        find = "SELECT subject FROM records WHERE instr(record, ?) > 0 ORDER BY subject"
        return [subject for (subject,) in self._all(find, word.encode())]

    def outbox(self, subject: int | None = None, limit: int = 200) -> list[OutboxRow]:
        """Newest first; all subjects', or one's."""
        limit = min(limit, READ_AT_MOST)
        if subject is None:
            return [outbox_row(row) for row in self._all(f"{OUTBOX} ORDER BY number DESC LIMIT ?", limit)]
        find = f"{OUTBOX} WHERE subject = ? ORDER BY number DESC LIMIT ?"
        return [outbox_row(row) for row in self._all(find, subject, limit)]

    def message(self, message: str) -> OutboxRow | None:
        row = self._one(f"{OUTBOX} WHERE message = ?", message)
        return outbox_row(row) if row else None

    def outbox_counts(self) -> dict[str, int]:
        """Messages by state."""
        return dict(self._all("SELECT state, count(*) FROM outbox GROUP BY state"))

    def recent(self, after: int) -> Iterable[bytes]:
        """All at one moment. A reader that joins them with a table version then looks whether a newer
        version was sealed meanwhile: its chunks may be gone from here."""
        return [chunk for _, chunk in self.numbered(after)]

    def numbered(self, after: int) -> list[tuple[int, bytes]]:
        """(number, chunk) of what waits to be sealed."""
        rows = self._all("SELECT number, chunk FROM recent WHERE number > ? ORDER BY number", after)
        return [(number, chunk) for number, chunk in rows]

    def recent_of(self, subjects: Collection[int], after: int) -> Iterator[bytes]:
        """Of `recent`, the chunks in which these subjects occur (by their numbers as written at the time)."""
        rows = self._all("SELECT number, subjects FROM recent WHERE number > ? ORDER BY number", after)
        for number, held in rows:
            if any(holds(held, subject) for subject in subjects):
                for (chunk,) in self._all("SELECT chunk FROM recent WHERE number = ?", number):
                    yield chunk

    def newest(self, chunks: int) -> Iterator[bytes]:
        """The last few chunks, newest first."""
        for row in self._all("SELECT chunk FROM recent ORDER BY number DESC LIMIT ?", chunks):
            yield row[0]

    def problems(self, limit: int = 200) -> list[Problem]:
        """What could not be folded, newest first."""
        find = "SELECT at, row, member, reason, detail FROM problems ORDER BY number DESC LIMIT ?"
        return [Problem(*row) for row in self._all(find, min(limit, READ_AT_MOST))]

    def endings(self) -> list[Ended]:
        """Of each sender's endpoint the latest that was heard of its end, opened again or not."""
        return endings(self._db)

    def engine_time(self) -> Instant:
        return self._number("engine_time")

    def cursors(self) -> dict[Lane, int]:
        return {lane: self._number(f"cursor/{lane.name.lower()}") for lane in Lane}

    def settled(self) -> dict[Lane, int]:
        """By lane, the row up to which all is folded and stands in the history: the log may drop it."""
        find = """SELECT name, value FROM meta WHERE name LIKE
                  CASE WHEN EXISTS (SELECT 1 FROM recent) THEN 'sealed/%' ELSE 'cursor/%' END"""
        found = {name.partition("/")[2]: value for name, value in self._all(find)}
        return {lane: found.get(lane.name.lower(), 0) for lane in Lane}

    def dropped(self) -> int:
        """The last chunk of `recent` that was dropped, since the history had it."""
        return self._number("dropped")

    def imported(self, file: str) -> int:
        """How many chunks of a file (by its digest) have been imported."""
        return self._number(f"import/{file}")

    def duplicates(self) -> dict[str, int]:
        """Repeated calls that were dropped, by source."""
        rows = self._all("SELECT name, value FROM meta WHERE name GLOB 'duplicates/*'")
        return {name.partition("/")[2]: calls for name, calls in rows}

    def epoch(self) -> str:
        row = self._one("SELECT value FROM meta WHERE name = 'epoch'")
        return str(row[0]) if row else ""

    def _number(self, name: str) -> int:
        row = self._one("SELECT value FROM meta WHERE name = ?", name)
        return int(row[0]) if row else 0

    def _one(self, find: str, *given: object) -> SQLRow | None:
        found: SQLRow | None = self._db.execute(find, given).fetchone()
        return found

    def _all(self, find: str, *given: object) -> list[SQLRow]:
        return list(self._db.execute(find, given))

    def _query(self, find: str, *given: object) -> list[SQLRow]:
        return self._all(find, *given)


def _connect(path: Path) -> apsw.Connection:
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.set_busy_timeout(5_000)
        db.execute("SELECT 1 FROM meta LIMIT 1").fetchall()
    except (apsw.CantOpenError, apsw.SQLError) as error:
        message = f"there is no state in {path.parent} yet"
        raise HarkError(message, hint="start it once: hark serve", id="state.missing") from error
    return db


def _decode(record: bytes) -> Record:
    """The record from its bytes; imported late, for only a few readers ask for records."""
    from hark.decide.record import decode

    return decode(record)


def open_reader(data: Path) -> StateReader:
    """A reader of a data directory's state. Raises HarkError where there is none yet."""
    return StateReader(data / "state.db")
