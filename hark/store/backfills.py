"""In the state: what new definitions still ask of customers' past, and who has been given it."""

from __future__ import annotations

import apsw

from hark.store.changes import Changes
from hark.store.state_rows import SQLRow


class BackfillsOf:
    """What the engine reads of it when it starts."""

    _db: apsw.Connection

    def owed(self) -> bytes:
        """What is still to be given; b"" for nothing."""
        found: SQLRow | None = self._db.execute("SELECT body FROM owed").fetchone()
        return bytes(found[0]) if found else b""

    def filled(self) -> list[tuple[int, int]]:
        """(customer, number of the debt) of those who have been given theirs."""
        return list(self._db.execute("SELECT subject, debt FROM filled"))


def write_backfills(db: apsw.Connection, changes: Changes) -> None:
    """What is paid leaves nothing behind."""
    if changes.owed:
        db.execute("INSERT OR REPLACE INTO owed VALUES (1, ?)", (changes.owed,))
    elif changes.owed is not None:
        db.execute("DELETE FROM owed")
        db.execute("DELETE FROM filled")
    db.executemany("INSERT OR REPLACE INTO filled VALUES (?, ?)", changes.filled.items())
