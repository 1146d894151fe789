"""The suppression list and the latest copies in `state.db`: how they are written and asked."""

from __future__ import annotations

import apsw
from msgspec.structs import astuple

from hark.model import DAY, Instant
from hark.store.changes import Changes, Copy, Listed
from hark.store.contracts import Suppression

COLUMNS = "kind, address, why, topic, since, source, detail"


class SuppressionsOf:
    """The engine's questions; a part of `StateStore`."""

    _db: apsw.Connection

    def listed(self, print_: bytes) -> list[Listed]:
        """All that is known of one address."""
        find = f"SELECT print, {COLUMNS} FROM suppressed WHERE print = ? ORDER BY why, topic"
        return [Listed(*row) for row in self._db.execute(find, (print_,))]

    def copy(self, print_: bytes) -> Copy | None:
        """The latest message with this print."""
        find = "SELECT print, message, subject, at FROM copies WHERE print = ?"
        row = self._db.execute(find, (print_,)).fetchone()
        return Copy(*row) if row else None

    def any_listed(self) -> bool:
        return self._db.execute("SELECT 1 FROM suppressed LIMIT 1").fetchone() is not None


class SuppressionsRead:
    """Other processes' questions; a part of `StateReader`."""

    @property
    def _db(self) -> apsw.Connection:
        raise NotImplementedError

    def suppressions(
        self, text: str = "", why: str = "", before: Instant | None = None, limit: int = 200
    ) -> list[Suppression]:
        """The list, newest first: of addresses with this text in them, for this reason, since before then."""
        find = f"""SELECT {COLUMNS} FROM suppressed WHERE (? = '' OR instr(lower(address), lower(?)))
            AND (? = '' OR why = ?) AND (? IS NULL OR since < ?) ORDER BY since DESC, print LIMIT ?"""
        given = (text, text, why, why, before, before, limit)
        return [Suppression(*row) for row in self._db.execute(find, given)]

    def suppression_counts(self) -> dict[str, int]:
        """Entries of the list by reason."""
        return dict(self._db.execute("SELECT why, count(*) FROM suppressed GROUP BY why ORDER BY why"))


def write_copies(db: apsw.Connection, changes: Changes) -> None:
    """The new ones; of the old a bounded number goes, twice what comes."""
    if not changes.copies:
        return
    db.execute("INSERT OR IGNORE INTO meta VALUES ('erase_key', ?)", (changes.print_key,))
    db.executemany("INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?)", map(astuple, changes.copies))
    old = max(one.at for one in changes.copies) - DAY
    find = "DELETE FROM copies WHERE print IN (SELECT print FROM copies WHERE at < ? LIMIT ?)"
    db.execute(find, (old, 2 * len(changes.copies)))


def write_suppressions(db: apsw.Connection, changes: Changes) -> None:
    """Earlier entries stand; those taken back go."""
    if changes.suppressed:
        db.execute("INSERT OR IGNORE INTO meta VALUES ('erase_key', ?)", (changes.print_key,))
    db.executemany(
        "DELETE FROM suppressed WHERE print = ? AND why = ? AND topic = ?", sorted(changes.released)
    )
    db.executemany(
        """INSERT INTO suppressed (print, kind, address, why, topic, since, source, detail)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET address = excluded.address""",
        [astuple(one) for one in changes.suppressed],
    )
