"""What became of campaigns' messages, and the fence, in `state.db`: how they are written and asked."""

from __future__ import annotations

import apsw
from msgspec.structs import astuple

from hark.store.changes import Changes, Deliveries


class DeliveriesOf:
    """The engine's questions; a part of `StateStore`."""

    _db: apsw.Connection

    def deliveries(self) -> list[Deliveries]:
        """Of every campaign that has sent."""
        find = "SELECT campaign, version, sent, bounced, complained FROM deliveries"
        return [Deliveries(*row) for row in self._db.execute(find)]


def write_deliveries(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)", map(astuple, changes.deliveries)
    )
    if changes.fence is not None:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('fence', ?)", (changes.fence,))
