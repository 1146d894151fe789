"""The history table: a Delta Lake table whose files are each sorted by (subject, at, seq).

Delta is the contract here, not an engine's secret: Spark, DuckDB and Polars read the folder as it is. This
module knows files and commits; what goes into them and when is `history.seal` and `history.compact`.

Files are written and synced first, then one commit adds and removes them together: what is not committed is
not there. File names follow from the versions they come from, so that work repeated after a crash writes over
its own leftovers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction, RemoveAction
from msgspec import Struct

from hark.errors import HarkError
from hark.history.columns import INSTANT
from hark.model import GROUPS

SCHEMA = pa.schema(
    [
        pa.field("bucket", pa.int32(), nullable=False),
        pa.field("subject", pa.int64(), nullable=False),
        pa.field("at", INSTANT, nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("kind", pa.int8(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("received_at", INSTANT, nullable=False),
        pa.field("known_at", INSTANT, nullable=False),
        pa.field("instant", INSTANT, nullable=False),
        pa.field("active", pa.bool_(), nullable=False),
        pa.field("properties", pa.string(), nullable=False),
        pa.field("context", pa.string(), nullable=False),
        pa.field("origin", pa.int64()),
    ]
)
"""The event's fields, its bucket, and `origin`: the subject a row was written with, if a merge moved it."""

ROWS = pa.schema(list(SCHEMA)[1:])
"""What stands in a file: the bucket is in the folder's name."""

TEXTS = ["name", "source", "properties", "context"]
SEALED = "hark.sealed"
EPOCH, BUCKETS = "hark.epoch", "hark.buckets"
MERGES = "hark.merges"

# Measured on 6M rows: delta + lz4 is the smallest for the sorted and the rising columns (12 B an event for
# the key columns) and decodes as fast as plain pages (2.3 s for 100M events on one core; the defaults: 2.6 s
# at 21 B). A customer's last hundred events take 10.4 ms of processor time from groups of 32,768 rows, 7.0 ms
# from 16,384, 6.5 ms from 8,192 (99th percentile 17.5, 14.2, 12.1), for 0.3 and 1.1 % more bytes, and a whole
# file is read as fast (measured). Dictionary pages keep event names and repeated properties as codes; wide
# text is worth zstd.
_WIDE = ("message_id", "properties", "context")
_DELTA = ("subject", "at", "seq", "received_at", "known_at", "instant")
WRITING: dict[str, Any] = {
    "use_dictionary": [*TEXTS, "kind", "origin"],
    "column_encoding": {**dict.fromkeys(_DELTA, "DELTA_BINARY_PACKED"), "active": "RLE"},
    "compression": {
        field.name: "zstd" if field.name in ("message_id", "properties", "context") else "lz4"
        for field in ROWS
    },
    "compression_level": {"message_id": 1, "properties": 1, "context": 1},
    "row_group_size": 16_384,
    "write_page_checksum": True,
}
PART_ROWS = 131_072
"""Rows that are read at once where a whole file is."""

Subjects = npt.NDArray[np.int64]


class File(Struct, frozen=True):
    """One sorted file of one version of the table. `path` is relative to the table's folder."""

    path: str
    bucket: int
    rows: int
    size: int
    first: int
    """The lowest subject in it; `last` the highest."""
    last: int


class Version(Struct, frozen=True):
    """One version of the table: what a reader holds while others go on writing."""

    number: int
    sealed: int
    """The last chunk of `recent` that is in it; 0: none."""
    epoch: str
    buckets: int
    files: tuple[File, ...]


def bucket_of(subjects: Subjects, buckets: int) -> npt.NDArray[np.int32]:
    """The bucket of each subject: ((subject × 0x9E3779B97F4A7C15 mod 2^64) >> 32) mod buckets.

    A hash (Fibonacci's, Knuth 6.4), since dense ids alone are not even: where every customer is an
    anonymous id merged into a user, all odd numbers are empty. Groups have as many buckets of their own,
    after the customers': an event of a group stands there a second time, and nobody counts it twice.
    """
    mixed = subjects.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bucket = ((mixed >> np.uint64(32)) % np.uint64(buckets)).astype(np.int32)
    return bucket + np.where(subjects >= GROUPS, np.int32(buckets), np.int32(0))


class EventTable:
    """The Delta table in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, epoch: str, buckets: int) -> None:
        """An empty table for a log of this epoch, if there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        DeltaTable.create(
            str(self.folder),
            SCHEMA,
            mode="ignore",
            partition_by=["bucket"],
            configuration={EPOCH: epoch, BUCKETS: str(buckets)},
            raise_if_key_not_exists=False,
        )
        self._sync_log()

    def version(self) -> Version | None:
        """The newest version; None: there is no table yet."""
        log = self.folder / "_delta_log"
        if not log.is_dir():
            return None
        found = log.stat()
        version = _version(str(self.folder), found.st_ino, found.st_mtime_ns)
        # Two commits may fall into one tick of the file system's clock.
        newer = (log / f"{version.number + 1:020}.json").exists()
        return _read_version(str(self.folder)) if newer else version

    def commit(self, version: Version, add: Sequence[File], remove: Sequence[File], sealed: int) -> None:
        """Add and remove files and move the sealed number, all or nothing. Files must be there already.

        Raises HarkError if the table has moved on since `version`: two writers are at work.
        """
        table = DeltaTable(str(self.folder))
        if table.version() != version.number:
            raise HarkError(
                f"somebody else wrote the history table (version {table.version()}, not {version.number})",
                hint="let one engine alone write this directory",
                id="history.writers",
            )
        moved = sealed != version.sealed
        now = time.time_ns() // 1_000_000  # files age by the wall clock, also in a replay
        actions = [_added(file, now, moved) for file in add] + [_removed(file, now) for file in remove]
        table.create_write_transaction(
            actions, "append", table.schema(), ["bucket"], commit_properties=_sealed(sealed)
        )
        self._sync_log()

    def write(self, bucket: int, name: str, parts: Iterable[pa.Table], merges: int) -> File | None:
        """Sorted parts with the columns of ROWS as one synced file; None if there is no row in them.

        `merges` (how many merges of identities the rows already follow) stands in the file itself.
        """
        path = f"bucket={bucket}/{name}.parquet"
        whole = self.folder / path
        whole.parent.mkdir(exist_ok=True)
        rows, first, last = 0, None, 0
        with pq.ParquetWriter(whole, ROWS, **_writer_options()) as writer:
            for part in parts:
                if part.num_rows:
                    rows_ = part.select(ROWS.names).cast(ROWS)
                    writer.write_table(rows_, row_group_size=WRITING["row_group_size"])
                    first = part["subject"][0].as_py() if first is None else first
                    last, rows = part["subject"][-1].as_py(), rows + part.num_rows
            writer.add_key_value_metadata({MERGES: str(merges)})
        _sync(whole)
        _sync(whole.parent)
        return None if first is None else File(path, bucket, rows, whole.stat().st_size, first, last)

    def merges(self, file: File) -> int:
        """How many merges of identities the rows of a file already follow."""
        return int(self._open(file).metadata.metadata[MERGES.encode()])

    def read(self, file: File, columns: Sequence[str]) -> pa.Table:
        """Some columns of a whole file; names, sources and properties as dictionaries."""
        return self._open(file).read(columns=list(columns), use_threads=False)

    def groups(self, file: File, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The same, about PART_ROWS after each other."""
        opened = self._open(file)
        for numbers in _together(opened):
            yield opened.read_row_groups(numbers, columns=list(columns), use_threads=False)

    def chosen(
        self, file: File, by: Sequence[str], keep: Callable[[pa.Table], pa.Array], columns: Sequence[str]
    ) -> Iterator[pa.Table]:
        """Of each such part the rows that `keep` chooses by the columns `by`; the others are read only where
        there are such rows."""
        opened = self._open(file)
        for numbers in _together(opened):
            kept = keep(opened.read_row_groups(numbers, columns=list(by), use_threads=False))
            if pc.any(kept).as_py():
                yield opened.read_row_groups(numbers, columns=list(columns), use_threads=False).filter(kept)

    def of(self, file: File, subjects: Collection[int], columns: Sequence[str]) -> pa.Table:
        """The rows of some subjects, reading only the row groups that can hold them."""
        wanted = np.array(sorted(subjects), np.int64)
        opened = self._open(file)
        numbers = [n for n in range(opened.num_row_groups) if _may_hold(opened, n, wanted)]
        found = opened.read_row_groups(numbers, columns=list(columns), use_threads=False)
        return found.filter(pc.is_in(found["subject"], pa.array(wanted)))

    def holding(self, file: File, subject: int) -> range:
        """The numbers of the groups of rows that can hold rows of a subject."""
        first, last = self._bounds(file)
        return range(int(np.searchsorted(last, subject)), int(np.searchsorted(first, subject, side="right")))

    def group(self, file: File, number: int, columns: Sequence[str]) -> pa.Table:
        """Some columns of one group of rows, read side by side: somebody waits for one customer."""
        return self._open(file).read_row_group(number, columns=list(columns), use_threads=True)

    def between(self, file: File, low: int, high: int) -> pa.Table:
        """All columns of the rows with low <= subject < high, reading only the row groups they are in."""
        opened = self._open(file)
        numbers = [n for n in range(opened.num_row_groups) if _overlaps(opened, n, low, high)]
        found = opened.read_row_groups(numbers, columns=ROWS.names, use_threads=False)
        subjects = found["subject"].to_numpy()
        start, end = np.searchsorted(subjects, [low, high])
        return found.slice(start, end - start)

    def cuts(self, files: Sequence[File], rows: int) -> list[int]:
        """Subjects at which to cut these files, so that a part holds about `rows` rows together."""
        marks = [(_range(opened, n)[0], opened.metadata.row_group(n).num_rows)
                 for opened in map(self._open, files) for n in range(opened.num_row_groups)]  # fmt: skip
        cuts: list[int] = []
        held = 0
        for subject, count in sorted(marks):
            held += count
            if held > rows and (not cuts or subject > cuts[-1]):
                cuts.append(subject)
                held = count
        return cuts

    def vacuum(self, grace_hours: int) -> list[str]:
        """Delete files that no version of the last `grace_hours` holds; readers keep a version that long."""
        return DeltaTable(str(self.folder)).vacuum(
            retention_hours=grace_hours, dry_run=False, enforce_retention_duration=False, full=True
        )

    def _open(self, file: File) -> pq.ParquetFile:
        path = self.folder / file.path
        return pq.ParquetFile(path, metadata=_footer(*_identity(path)), read_dictionary=TEXTS)

    def _bounds(self, file: File) -> tuple[Subjects, Subjects]:
        return _bounds(*_identity(self.folder / file.path))

    def _sync_log(self) -> None:
        """Bring the newest commit to disk: the engine drops the sealed chunks right after."""
        log = self.folder / "_delta_log"
        _sync(max(log.glob("*.json")))
        _sync(log)
        _sync(self.folder)


@lru_cache(maxsize=16)
def _version(folder: str, _inode: int, _changed_ns: int) -> Version:
    """The newest version of a table whose log's folder looked like this."""
    return _read_version(folder)


def _read_version(folder: str) -> Version:
    table = DeltaTable(folder)
    chosen = table.metadata().configuration
    return Version(
        table.version(),
        table.transaction_version(SEALED) or 0,
        chosen[EPOCH],
        int(chosen[BUCKETS]),
        tuple(_files(table)),
    )


def _identity(path: Path) -> tuple[str, int, int, int]:
    """What a file's contents are known by: it may be written over only before it is committed."""
    found = path.stat()
    return str(path), found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1024)
def _footer(path: str, _inode: int, _size: int, _changed_ns: int) -> pq.FileMetaData:
    """What stands at a file's end, of which large files have a few megabytes."""
    return pq.read_metadata(path)


@lru_cache(maxsize=1024)
def _bounds(path: str, inode: int, size: int, changed_ns: int) -> tuple[Subjects, Subjects]:
    """The lowest and the highest subject of each group of rows, both ascending."""
    footer = _footer(path, inode, size, changed_ns)
    found = [footer.row_group(number).column(0).statistics for number in range(footer.num_row_groups)]
    lows, highs = [one.min for one in found], [one.max for one in found]
    return np.array(lows, np.int64), np.array(highs, np.int64)


def _together(opened: pq.ParquetFile) -> Iterator[list[int]]:
    """The numbers of row groups that are read at once: about PART_ROWS rows."""
    numbers: list[int] = []
    rows = 0
    for number in range(opened.num_row_groups):
        numbers.append(number)
        rows += opened.metadata.row_group(number).num_rows
        if rows >= PART_ROWS or number + 1 == opened.num_row_groups:
            yield numbers
            numbers, rows = [], 0


def _writer_options() -> dict[str, Any]:
    return {key: value for key, value in WRITING.items() if key != "row_group_size"}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _files(table: DeltaTable) -> Iterator[File]:
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    for one in sorted(actions, key=lambda one: (one["partition.bucket"], one["path"])):
        yield File(
            one["path"],
            one["partition.bucket"],
            one["num_records"],
            one["size_bytes"],
            one["min.subject"],
            one["max.subject"],
        )


def _sealed(number: int) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(SEALED, number)])


def _added(file: File, now_ms: int, is_new: bool) -> AddAction:
    stats = {
        "numRecords": file.rows,
        "minValues": {"subject": file.first},
        "maxValues": {"subject": file.last},
        "nullCount": {"subject": 0},
    }
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values={"bucket": str(file.bucket)},
        modification_time=now_ms,
        data_change=is_new,
        stats=msgspec.json.encode(stats).decode(),
    )


def _removed(file: File, now_ms: int) -> RemoveAction:
    return RemoveAction(
        path=file.path,
        data_change=False,
        deletion_timestamp=now_ms,
        size=file.size,
        partition_values={"bucket": str(file.bucket)},
    )


def _range(opened: pq.ParquetFile, group: int) -> tuple[int, int]:
    """The lowest and the highest subject of a row group."""
    found = opened.metadata.row_group(group).column(0).statistics
    return found.min, found.max


def _overlaps(opened: pq.ParquetFile, group: int, low: int, high: int) -> bool:
    first, last = _range(opened, group)
    return first < high and last >= low


def _may_hold(opened: pq.ParquetFile, group: int, wanted: Subjects) -> bool:
    first, last = _range(opened, group)
    return bool(np.searchsorted(wanted, first) < np.searchsorted(wanted, last, side="right"))
