"""The write-ahead log is folded back beside the writer."""

from __future__ import annotations

import time
from pathlib import Path

import apsw

from hark.store.checkpoint import Checkpoints

COMMITS, BYTES, PAGES = 300, 80_000, 64


def test_the_log_starts_anew_while_the_writer_goes_on(tmp_path: Path) -> None:
    """Of 24 MB written bit by bit the log never holds half, and nothing written is missing afterwards."""
    path = tmp_path / "some.db"
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    db.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY, body BLOB)")
    checkpoints = Checkpoints(db, path, PAGES)
    for number in range(COMMITS):
        db.execute("INSERT INTO kept VALUES (?, ?)", (number, number.to_bytes(4, "big") * (BYTES // 4)))
        checkpoints.poll()
        time.sleep(0.001)
    assert path.with_name("some.db-wal").stat().st_size < COMMITS * BYTES / 2
    checkpoints.close()
    db.close()
    found = apsw.Connection(str(path)).execute("SELECT number, substr(body, 1, 4) FROM kept ORDER BY number")
    assert list(found) == [(number, number.to_bytes(4, "big")) for number in range(COMMITS)]


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    """Below the pages asked for nothing is copied: a page changed often goes to the file once."""
    path = tmp_path / "some.db"
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    checkpoints = Checkpoints(db, path, 10_000)
    db.execute("CREATE TABLE kept (number INTEGER)")
    for number in range(20):
        db.execute("INSERT INTO kept VALUES (?)", (number,))
        checkpoints.poll()
    checkpoints.close()
    size = path.stat().st_size
    assert size <= 4096
    db.close()
