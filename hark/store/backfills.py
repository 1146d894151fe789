"""In the state: what new definitions still ask of customers' and groups' past, and who has been given it."""

from __future__ import annotations

import apsw
import msgspec
from msgspec import Struct

from hark.model import GROUPS, Instant
from hark.store.changes import Changes
from hark.store.state_rows import SQLRow

_TABLES = {False: "owed", True: "owed_to_groups"}
"""By whether it is groups' past that is owed."""


class Owed(Struct, frozen=True, array_like=True):
    """What is still to be given to everybody who was known at a moment."""

    at: Instant
    """When the definitions came in: customers who have had no input since are told as of then."""
    below: int
    """Customers with lower numbers are meant; later ones live under the new definitions from the first."""
    keys: tuple[str, ...] = ()
    """The summaries that are new; of groups "account:KEY", since each type has its own."""
    segments: tuple[str, ...] = ()
    """The segments that are new or have changed."""
    existing: tuple[tuple[str, str, int], ...] = ()
    """(campaign, segment, number) of campaigns that take who is inside already, and by which debt."""
    arms: bool = False
    """Whether campaigns that start at a time are new."""
    everybody: bool = False
    """Whether it concerns customers of whom nothing is kept, too."""
    number: int = 1
    """How many debts are in it: one that comes before the last is paid takes that in."""
    walked: int = 0
    """Buckets of the history whose customers have been given theirs, since the walk last began."""
    buckets: int = 0
    """How many there are; 0 before it begins."""

    def __bool__(self) -> bool:
        return bool(self.keys or self.segments or self.existing or self.arms)

    def with_(self, earlier: Owed) -> Owed:
        """This and what was still owed when it came."""
        number = earlier.number + 1
        return Owed(
            self.at,
            self.below,
            tuple(dict.fromkeys(earlier.keys + self.keys)),
            tuple(dict.fromkeys(earlier.segments + self.segments)),
            (*earlier.existing, *((campaign, segment, number) for campaign, segment, _ in self.existing)),
            earlier.arms or self.arms,
            earlier.everybody or self.everybody,
            number,
        )


encode_owed = msgspec.msgpack.Encoder().encode
decode_owed = msgspec.msgpack.Decoder(Owed).decode


class Filling(Struct, frozen=True):
    """How far the past of a new or changed segment is filled in."""

    done: int
    """Buckets of the history, each a share of all customers or groups."""
    of: int
    """0: it begins."""


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


class BackfillsRead:
    """What other processes ask of it."""

    def _one(self, find: str, *given: object) -> SQLRow | None:
        raise NotImplementedError

    def filling(self, segment: str) -> Filling | None:
        """How far a segment is; None once everybody has theirs, or where nothing was owed."""
        return next((found for groups in _TABLES if (found := self._filling(segment, groups))), None)

    def _filling(self, segment: str, groups: bool) -> Filling | None:
        row = self._one(f"SELECT body FROM {_TABLES[groups]}")
        owed = decode_owed(row[0]) if row else None
        if owed is None or segment not in owed.segments:
            return None
        return Filling(owed.walked, owed.buckets)


def write_backfills(db: apsw.Connection, changes: Changes) -> None:
    """What is paid leaves nothing behind."""
    for groups, owed in changes.owed.items():
        db.execute(f"DELETE FROM {_TABLES[groups]}")
        if owed:
            db.execute(f"INSERT INTO {_TABLES[groups]} VALUES (1, ?)", (owed,))
        else:
            db.execute("DELETE FROM filled WHERE (subject >= ?) = ?", (GROUPS, groups))
    db.executemany("INSERT OR REPLACE INTO filled VALUES (?, ?)", changes.filled.items())
