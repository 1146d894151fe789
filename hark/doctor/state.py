"""state.db: its structure, and every value of it that has a form of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import msgspec
import pyarrow as pa

from hark.decide.record import decode
from hark.doctor import sqlite
from hark.doctor.findings import Finding, damaged, fine
from hark.errors import HarkError
from hark.history import columns

_LOST = {
    "records": "what decisions about these customers rest on (traits, segments, runs): restore a backup",
    "recent": "these events and facts, where the log does not have them: hark doctor --rebuild",
    "documents": "these versions of definitions: apply them again from their files",
    "outbox": "what became of these messages: restore a backup",
}
_RESTORE = (
    "identities, records, timers, outbox and definitions: restore state.db, log/ and history/ of one backup"
)


def look_state(data: Path) -> Iterator[Finding]:
    """A finding for the file, and one for each table with values that cannot be read."""
    path = data / "state.db"
    if not path.exists():
        yield damaged("state.db", "it is missing", _RESTORE)
        return
    structure = sqlite.problem(path)
    if structure:
        yield damaged("state.db", structure, _RESTORE)
    wrong = dict(_wrong(path))
    for table, rows in wrong.items():
        yield damaged(f"state.db {table}", f"{rows:,} of its rows cannot be read", _LOST[table])
    if not structure and not wrong:
        yield fine("state.db", "structure, records, chunks, definitions and messages can all be read")


def _wrong(path: Path) -> Iterator[tuple[str, int]]:
    try:
        file = sqlite.opened(path)
    except apsw.Error:
        return
    try:
        for table, (column, key, read) in _VALUES.items():
            rows = sqlite.readable(file, f"{key}, {column}", table, key)
            wrong = sum(not _reads(read, value) for _, value in rows)
            if wrong:
                yield table, wrong
    finally:
        file.close()


def _reads(read: Callable[[bytes], object], value: bytes) -> bool:
    try:
        read(value)
    except (HarkError, msgspec.MsgspecError, pa.ArrowException, ValueError, TypeError, OSError):
        return False
    return True


def _chunk(value: bytes) -> None:
    columns.table(value).validate(full=True)


_VALUES: dict[str, tuple[str, str, Callable[[bytes], object]]] = {
    "records": ("record", "subject", decode),
    "recent": ("chunk", "number", _chunk),
    "documents": ("body", "kind", msgspec.json.decode),
    "outbox": ("content", "number", msgspec.json.decode),
}
"""By table: the column with a form of its own, the key, and what reads it."""
