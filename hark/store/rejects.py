"""The reject log as commands and the console read it: the newest refused calls that fit a search.

It stands in the files of the log, beside the rows that came with them, and is bounded: a file keeps its
newest `KEPT` entries, none older than `KEPT_US` are shown, and old files go whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct

from hark.model import DAY, Instant
from hark.store import log_files
from hark.store.contracts import Reject

KEPT = 100_000
"""Entries in one file of the log; the oldest go first."""
KEPT_US = 30 * DAY
TRIMMED_EVERY = 1_000
"""Entries between two looks for what may go."""
MESSAGE = 500
"""Characters of a message; an excerpt has as many bytes."""

_COLUMNS = 'received_at, source, "index", reason, message, excerpt'
INSERT = f"INSERT INTO rejects (id, {_COLUMNS}) VALUES (?,?,?,?,?,?,?)"
TRIM = "DELETE FROM rejects WHERE id <= ? OR received_at < ?"
LAST = "SELECT max(id) FROM rejects"


class RejectSearch(Struct, frozen=True):
    """Which entries are wanted; what is empty does not matter."""

    source: str | None = None
    """ "" are the requests whose key said nothing."""
    reason: str = ""
    text: str = ""
    """Stands in the message or in how the call began; capital letters don't matter in ASCII."""
    since: Instant = 0
    until: Instant = 0
    """Before this instant; 0: up to now."""


def find_rejects(directory: Path, search: RejectSearch, limit: int = 100) -> list[Reject]:
    """The newest entries of the log in `directory` that fit, newest first."""
    found: list[Reject] = []
    for file in _files(directory):
        found += [Reject(*values) for values in _matching(file, search, limit - len(found))]
        if len(found) >= limit:
            break
    return found


def rejects_after(directory: Path, id: int) -> list[Reject]:
    """All entries after one, by its number; of a file that is full only what it still has."""
    found: list[Reject] = []
    for file in _files(directory):
        rows = list(file.execute(f"SELECT {_COLUMNS} FROM rejects WHERE id > ?", (id,)))
        found += [Reject(*row) for row in rows]
        if not rows:
            break
    return found


def values(id: int, reject: Reject) -> tuple[Any, ...]:
    """The row of an entry; what a client may make long is cut."""
    cut = reject.message[:MESSAGE], reject.excerpt[:MESSAGE]
    return (id, reject.received_at, reject.source, reject.index, reject.reason, *cut)


def _files(directory: Path) -> Iterator[apsw.Connection]:
    for number in sorted(log_files.numbers(directory), reverse=True):
        opened = log_files.open_reader(directory / f"{number}.db")
        if opened:
            with closing(opened[1]) as file:
                yield file


def _matching(file: apsw.Connection, search: RejectSearch, limit: int) -> Iterator[Any]:
    wanted: list[tuple[str, Any]] = [("received_at >= ?", search.since)]
    if search.until:
        wanted.append(("received_at < ?", search.until))
    if search.source is not None:
        wanted.append(("source = ?", search.source))
    if search.reason:
        wanted.append(("reason = ?", search.reason))
    if search.text:
        text = search.text.lower()
        wanted.append(("(instr(lower(message), ?) OR instr(lower(CAST(excerpt AS TEXT)), ?))", text))
    where = " AND ".join(condition for condition, _ in wanted)
    given = [value for condition, value in wanted for _ in range(condition.count("?"))]
    find = f"SELECT {_COLUMNS} FROM rejects WHERE {where} ORDER BY id DESC LIMIT ?"
    yield from file.execute(find, (*given, limit))
