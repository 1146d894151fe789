"""Files of SQLite, read-only: their structure, and as many rows of a damaged table as can still be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import apsw

Values: TypeAlias = tuple[Any, ...]

MESSAGES = 3
"""How many of SQLite's findings are told."""


def opened(path: Path) -> apsw.Connection:
    """Read-only, and without a checkpoint when it is closed. Raises apsw.Error where there is no file."""
    file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    file.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    file.set_busy_timeout(10_000)
    return file


def problem(path: Path) -> str:
    """What SQLite finds wrong with the structure of a file; "" if nothing."""
    try:
        file = opened(path)
        try:
            found = [text for (text,) in file.execute(f"PRAGMA integrity_check({MESSAGES})")]
        finally:
            file.close()
    except apsw.Error as error:
        return f"{type(error).__name__}: {error}"
    return "" if found == ["ok"] else "; ".join(text.replace("\n", " ") for text in found)


def readable(file: apsw.Connection, columns: str, table: str, key: str) -> Iterator[Values]:
    """The rows of a table by rising key up to the first that cannot be read, then by falling key from the
    end: what lies between is lost."""
    last = None
    try:
        for row in file.execute(f"SELECT {columns} FROM {table} ORDER BY {key}"):
            last = row[0]
            yield row
    except apsw.Error:
        yield from _from_the_end(file, columns, table, key, last)


def _from_the_end(
    file: apsw.Connection, columns: str, table: str, key: str, after: object
) -> Iterator[Values]:
    try:
        for row in file.execute(f"SELECT {columns} FROM {table} ORDER BY {key} DESC"):
            if after is not None and row[0] <= after:
                return
            yield row
    except apsw.Error:
        return
