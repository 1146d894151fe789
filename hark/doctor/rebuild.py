"""A new history: what can be read of the old one, and from the log what is missing, as far back as it goes.

The events are the engine's own, under the same numbers and seqs. Facts (what Hark decided, sent and heard)
stand in no log: those in damaged files are lost, and counted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from hark.doctor.again import Again, Seen, read_log
from hark.doctor.findings import Looked
from hark.doctor.history import look_file, open_version, whole_parts
from hark.doctor.log import read_meta
from hark.errors import HarkError
from hark.history import columns
from hark.history.columns import micros
from hark.history.dedupe import LONGEST
from hark.history.merged import Merged
from hark.history.seal import BUCKETS, as_rows, by_bucket, follow
from hark.model import Instant, Kind, sequence
from hark.store import log_files
from hark.store.state import StateReader, StateStore, open_reader
from hark.store.swap import finish, swap
from hark.store.table import ROWS, EventTable, File, Version

PART = 262_144
"""Recovered rows that become one file a bucket."""
_KEYS = ["subject", "seq"]


class Rebuilt(Struct, frozen=True):
    """What came of a rebuild."""

    kept: int
    """Rows that could still be read."""
    recovered: int
    """Events taken from the log."""
    lost: int | None
    """Rows that the table had and that are in neither; None: its own log is lost, so nobody knows."""
    log_from: Instant | None
    """When the first row arrived that the log still has: no event before it could be recovered."""


def rebuild(data: Path, looked: Looked = lambda _: None) -> Rebuilt:
    """Puts a new history in the place of DIR/history. The caller holds the engine's role.

    Raises HarkError `doctor.state` where state.db cannot be read: without it nobody knows who is who.
    """
    finish(data / "history")
    epoch = _epoch(data)
    fresh = EventTable(data / "history.rebuilding")
    shutil.rmtree(fresh.folder, ignore_errors=True)
    state, reader = _state(data, epoch), open_reader(data)
    try:
        old = EventTable(data / "history")
        version = open_version(old)
        job = _Job(data, old, version, fresh, epoch, reader, state)
        kept = job.keep()
        recovered = job.recover(looked)
        job.commit()
    finally:
        reader.close()
        state.close()
    swap(old.folder, fresh.folder)
    before = None if isinstance(version, str) else sum(file.rows for file in version.files)
    lost = None if before is None else max(0, before - kept - recovered)
    return Rebuilt(kept, recovered, lost, job.log_from)


class _Job:
    """One rebuild, from the first copied file to the commit of the new table."""

    def __init__(
        self,
        data: Path,
        old: EventTable,
        version: Version | str,
        fresh: EventTable,
        epoch: str,
        reader: StateReader,
        state: StateStore,
    ) -> None:
        self._data, self._old, self._version, self._fresh = data, old, version, fresh
        self._epoch, self._reader, self._state = epoch, reader, state
        self._buckets = version.buckets if isinstance(version, Version) else BUCKETS
        self._sealed = version.sealed if isinstance(version, Version) else reader.dropped()
        self._merged = Merged(reader.merges())
        self._files: list[File] = []
        self._have: list[pa.Table] = [self._waiting()]
        self._seen: list[Seen] = []
        self.log_from: Instant | None = None
        self._first_row = 0
        fresh.create(epoch, self._buckets)

    def keep(self) -> int:
        """Takes over what can be read of the old table: whole files as they are, of others what is whole."""
        self._begin()
        if isinstance(self._version, Version):
            return sum(self._keep_file(file, self._version) for file in self._version.files)
        kept = 0
        for path in sorted(self._old.folder.glob("bucket=*/*.parquet")):
            kept += self._write(self._new(_written(part) for part in whole_parts(path)))
        return kept

    def recover(self, looked: Looked) -> int:
        """Adds the events of the log that are neither in what was kept nor in `recent`."""
        again = Again(self._data, self._state, self._epoch, self._seen)
        recovered, waiting = 0, []
        for block in read_log(self._data, self._reader.cursors(), looked):
            events = again.events(block)
            if events:
                waiting.append(_written(as_rows([columns.table(columns.encode(events))])))
            if sum(part.num_rows for part in waiting) >= PART:
                recovered += self._write(self._new(waiting))
                waiting = []
        return recovered + self._write(self._new(waiting))

    def commit(self) -> None:
        version = self._fresh.version()
        assert version is not None, "it was created with the job"
        self._fresh.commit(version, self._files, [], self._sealed)

    def _begin(self) -> None:
        """Where the log begins: message ids of the day before are still remembered."""
        first = next(
            (block[0] for block in read_log(self._data, self._reader.cursors(), lambda _: None)), None
        )
        if first is not None:
            self.log_from, self._first_row = first.received_at, first.seq

    def _keep_file(self, file: File, version: Version) -> int:
        if look_file(self._old, file, version):
            return self._write(
                self._new(_written(part) for part in whole_parts(self._old.folder / file.path))
            )
        target = self._fresh.folder / file.path
        target.parent.mkdir(exist_ok=True)
        os.link(self._old.folder / file.path, target)
        self._files.append(file)
        self._note(_written(self._old.read(file, ROWS.names).cast(ROWS)))
        return file.rows

    def _new(self, parts: Iterator[pa.Table] | Sequence[pa.Table]) -> pa.Table:
        """Of rows under the subjects they were written with those that are not there yet, and not erased."""
        rows = pa.concat_tables([ROWS.empty_table(), *parts])
        gone = pa.array(self._state.erased_ever(), pa.int64())
        rows = rows.filter(pc.invert(pc.is_in(rows["subject"], gone)))
        places = rows.select(_KEYS).append_column("place", pa.array(range(rows.num_rows), pa.int64()))
        left = places.join(pa.concat_tables(self._have), keys=_KEYS, join_type="left anti")
        return rows.take(left["place"].combine_chunks().sort())

    def _write(self, rows: pa.Table) -> int:
        """As files of the new table."""
        if rows.num_rows:
            self._note(rows)
            name = f"rebuilt-{len(self._files):012}"
            for bucket, part in by_bucket(follow(rows, self._merged), self._buckets):
                file = self._fresh.write(bucket, name, [part], self._merged.count)
                self._files += [file] if file else []
        return int(rows.num_rows)

    def _note(self, rows: pa.Table) -> None:
        """These are there now; those from just before the log begins are remembered for repetitions."""
        self._have.append(rows.select(_KEYS).cast(_HAVE))
        if self.log_from is not None:
            low = self.log_from - LONGEST
            before = pc.and_(
                pc.less(rows["seq"], sequence(self._first_row, 0)),
                pc.greater_equal(pa.array(micros(rows["received_at"])), low),
            )
            late = rows.filter(pc.and_(before, pc.not_equal(rows["kind"], int(Kind.FACT))))
            told = zip(
                late["source"].to_pylist(),
                late["message_id"].to_pylist(),
                micros(late["received_at"]),
                strict=True,
            )
            self._seen += [Seen(source, message, int(at)) for source, message, at in told]

    def _waiting(self) -> pa.Table:
        """What stands in `recent` and will be sealed later."""
        chunks = [columns.table(chunk) for chunk in self._reader.recent(self._sealed)]
        return pa.concat_tables([_HAVE.empty_table(), *(chunk.select(_KEYS).cast(_HAVE) for chunk in chunks)])


def _written(rows: pa.Table) -> pa.Table:
    """The rows under the subjects that they were written with."""
    place = rows.schema.get_field_index("subject")
    rows = rows.set_column(place, "subject", pc.coalesce(rows["origin"], rows["subject"]))
    empty = pa.nulls(rows.num_rows, pa.int64())
    return rows.set_column(rows.schema.get_field_index("origin"), "origin", empty).cast(ROWS)


def _epoch(data: Path) -> str:
    """The log's, from the first of its files that can be read."""
    for number in sorted(log_files.numbers(data / "log")):
        found = read_meta(data / "log" / f"{number}.db")
        if found:
            return found[0]
    raise HarkError("no file of the log can be read", "restore log/ from a backup", "doctor.log")


def _state(data: Path, epoch: str) -> StateStore:
    if not (data / "state.db").exists():
        hint = "restore state.db from a backup; what the log has since then will be folded again"
        raise HarkError("there is no state.db, so nobody knows who is who", hint, "doctor.state")
    return StateStore(data / "state.db", epoch)


_HAVE = pa.schema([pa.field(name, pa.int64()) for name in _KEYS])
