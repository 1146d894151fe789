"""What `state.db` keeps of erasures, and how one is written: all that was a customer's goes, hashes stay."""

from __future__ import annotations

from collections.abc import Collection

import apsw

from hark.model import Instant
from hark.store.changes import Changes, Erasure
from hark.store.contracts import Erased

OF_SUBJECT = ("ids", "subjects", "records", "outbox", "addresses", "members")
"""Tables whose rows are one subject's."""


class ErasuresOf:
    """The engine's questions; a part of `StateStore`."""

    _db: apsw.Connection

    def recent_of(self, subjects: Collection[int]) -> list[tuple[int, bytes]]:
        """(number, chunk) of what waits to be sealed and holds one of these subjects."""
        rows = self._db.execute("SELECT number, subjects, chunk FROM recent ORDER BY number")
        return [(number, chunk) for number, held, chunk in rows if any(holds(held, one) for one in subjects)]

    def erased_ever(self) -> list[int]:
        """Every subject that was ever erased."""
        return [subject for (subject,) in self._db.execute("SELECT subject FROM erased")]

    def erased_ids(self) -> dict[bytes, Instant]:
        """Keyed hashes of erased ids, with the moment of each id's latest erasure."""
        return dict(self._db.execute("SELECT print, at FROM erased_ids"))

    def unfinished(self) -> dict[int, Instant | None]:
        """By row, erasures whose customer may still stand in files of the history or of the state: since
        when no newest version of the history has them, None while it may."""
        return dict(self._db.execute("SELECT row, rewritten_at FROM erasures WHERE gone_at IS NULL"))


class ErasuresRead:
    """Other processes' questions; a part of `StateReader`."""

    @property
    def _db(self) -> apsw.Connection:
        raise NotImplementedError

    def erased(self) -> list[int]:
        """Subjects that were erased and whose rows may still stand in files of the history."""
        find = "SELECT subject FROM erased JOIN erasures USING (row) WHERE rewritten_at IS NULL"
        return [subject for (subject,) in self._db.execute(find)]

    def erasures(self) -> list[Erased]:
        """All erasures, newest first."""
        find = "SELECT row, at, author, rewritten_at, gone_at FROM erasures ORDER BY row DESC"
        return [Erased(*row) for row in self._db.execute(find)]


def holds(subjects: bytes, subject: int) -> bool:
    """Whether the sorted int64 list holds the number (binary search without decoding the list)."""
    low, high = 0, len(subjects) // 8
    while low < high:
        middle = (low + high) // 2
        found = int.from_bytes(subjects[middle * 8 : middle * 8 + 8], "little")
        if found == subject:
            return True
        low, high = (middle + 1, high) if found < subject else (low, middle)
    return False


def write_erasures(db: apsw.Connection, changes: Changes) -> None:
    """After everything else of the tick, so that nothing of it comes back."""
    for erasure in changes.erasures:
        _remember(db, erasure)
        for subject in erasure.subjects:
            _empty(db, subject)
        for word in erasure.words:
            db.execute("DELETE FROM problems WHERE instr(detail, ?)", (word,))
        for number, chunk in erasure.chunks:
            values = (chunk.events, chunk.subjects, chunk.data, number)
            db.execute("UPDATE recent SET events = ?, subjects = ?, chunk = ? WHERE number = ?", values)


def _remember(db: apsw.Connection, erasure: Erasure) -> None:
    db.execute("INSERT OR IGNORE INTO meta VALUES ('erase_key', ?)", (erasure.key,))
    db.execute("INSERT INTO erasures (row, at, author) VALUES (?, ?, ?)",
               (erasure.row, erasure.at, erasure.author))  # fmt: skip
    db.executemany(
        "INSERT INTO erased_ids VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
        [(print_, erasure.at) for print_ in erasure.prints],
    )
    db.executemany(
        "INSERT OR IGNORE INTO erased VALUES (?, ?)", [(one, erasure.row) for one in erasure.subjects]
    )


def _empty(db: apsw.Connection, subject: int) -> None:
    for table in OF_SUBJECT:
        db.execute(f"DELETE FROM {table} WHERE subject = ?", (subject,))
    db.execute("UPDATE merges SET moved = '[]' WHERE younger = ? OR older = ?", (subject, subject))


def write_stages(db: apsw.Connection, changes: Changes) -> None:
    """How far the files are behind an erasure."""
    for column, moments in (("rewritten_at", changes.rewritten), ("gone_at", changes.gone)):
        db.executemany(
            f"UPDATE erasures SET {column} = ? WHERE row = ?", [(at, row) for row, at in moments.items()]
        )
