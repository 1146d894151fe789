"""Folding the write-ahead log back into its file beside the writer, so that no commit waits for all of it.

A thread copies what is committed; only the few pages that were committed meanwhile are left to the writer,
and once those are copied the log starts anew. The log therefore grows to about the pages asked for, and by
what is written during one round.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import apsw


class Checkpoints:
    """Of one database whose writer is `db`, the only one. Takes the place of SQLite's own checkpoints."""

    def __init__(self, db: apsw.Connection, path: Path, pages: int) -> None:
        """Begins a round when the log holds `pages` pages."""
        self._db, self._path, self._pages = db, path, pages
        self._pool = ThreadPoolExecutor(1, "checkpoint")
        self._running: Future[None] | None = None
        self._waiting = 0
        db.set_wal_hook(self._committed)

    def poll(self) -> None:
        """After a commit: begins a round where it is time, and ends one whose copying is done.

        Raises apsw.Error if the file could not be written; the log still holds everything.
        """
        if self._running is None:
            if self._waiting >= self._pages:
                self._running = self._pool.submit(self._copy)
        elif self._running.done():
            finished, self._running = self._running, None
            finished.result()
            self._db.wal_checkpoint()

    def close(self) -> None:
        """Waits for the round that runs."""
        self._pool.shutdown(wait=True)

    def _committed(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._waiting = pages
        return apsw.SQLITE_OK

    def _copy(self) -> None:
        """In the thread, by a connection of its own: SQLite does its work without Python's lock."""
        db = apsw.Connection(str(self._path))
        try:
            db.pragma("synchronous", "full")
            db.wal_checkpoint()
        finally:
            db.close()
