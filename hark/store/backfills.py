"""In the state: what new definitions still ask of customers' and groups' past, and who has been given it."""

from __future__ import annotations

import apsw

from hark.model import GROUPS
from hark.store.changes import Changes
from hark.store.state_rows import SQLRow

_TABLES = {False: "owed", True: "owed_to_groups"}
"""By whether it is groups' past that is owed."""


class BackfillsOf:
    """What the engine reads of it when it starts."""

    _db: apsw.Connection

    def owed(self, groups: bool = False) -> bytes:
        """What is still to be given to customers, or to groups; b"" for nothing."""
        found: SQLRow | None = self._db.execute(f"SELECT body FROM {_TABLES[groups]}").fetchone()
        return bytes(found[0]) if found else b""

    def filled(self, groups: bool = False) -> list[tuple[int, int]]:
        """(customer or group, number of the debt) of those who have been given theirs."""
        find = "SELECT subject, debt FROM filled WHERE (subject >= ?) = ?"
        return list(self._db.execute(find, (GROUPS, groups)))


def write_backfills(db: apsw.Connection, changes: Changes) -> None:
    """What is paid leaves nothing behind."""
    for groups, owed in changes.owed.items():
        db.execute(f"DELETE FROM {_TABLES[groups]}")
        if owed:
            db.execute(f"INSERT INTO {_TABLES[groups]} VALUES (1, ?)", (owed,))
        else:
            db.execute("DELETE FROM filled WHERE (subject >= ?) = ?", (GROUPS, groups))
    db.executemany("INSERT OR REPLACE INTO filled VALUES (?, ?)", changes.filled.items())
