"""Endpoints that said that they are over, in `state.db`: how they are written and asked."""

from __future__ import annotations

import apsw
import msgspec

from hark.model import Ended
from hark.store.changes import Changes

_ended = msgspec.json.Decoder(Ended)


def endings(db: apsw.Connection) -> list[Ended]:
    """Of each sender the latest that was heard, opened again or not."""
    rows = db.execute("SELECT value FROM meta WHERE name GLOB 'ended/*' ORDER BY name")
    return [_ended.decode(str(value)) for (value,) in rows]


def write_endings(db: apsw.Connection, changes: Changes) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)",
        [(f"ended/{one.sender}", msgspec.json.encode(one).decode()) for one in changes.endings],
    )
