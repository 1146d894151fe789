"""The history: each file that the table names is there, whole, in order and in its bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hark.doctor.findings import Finding, Looked, damaged, fine
from hark.errors import HarkError
from hark.history.columns import micros
from hark.history.runs import check_order
from hark.store.table import ROWS, EventTable, File, Version, bucket_of

REBUILD = "hark doctor --rebuild recovers from the log what the log still has"
Broken = (pa.ArrowException, OSError, HarkError, ValueError, KeyError)


def open_version(table: EventTable) -> Version | str:
    """The newest version, or why there is none that can be read."""
    try:
        return table.version() or "there is no table"
    except Exception as error:  # the Delta library has errors of many kinds for a broken log
        return f"its Delta log cannot be read: {type(error).__name__}: {error}"


def look_history(data: Path, dropped: int, looked: Looked) -> Iterator[Finding]:
    """A finding for the table and one for each damaged file. `dropped`: the last chunk that the state has let
    go of because the table had it."""
    table = EventTable(data / "history")
    version = open_version(table)
    if isinstance(version, str):
        if dropped or (data / "history").exists():
            yield damaged("history", version, f"every event and fact that was sealed; {REBUILD}")
        return
    wrong = 0
    for file in version.files:
        problem = look_file(table, file, version)
        looked(file.size)
        if problem:
            wrong += 1
            lost = f"up to {file.rows:,} events and facts of {file.last - file.first + 1:,} subjects at most"
            yield damaged(f"history/{file.path}", problem, f"{lost}; {REBUILD}")
    if version.sealed < dropped:
        found = f"it ends with chunk {version.sealed:,}, but the state let go of all up to {dropped:,}"
        yield damaged("history", found, f"commits of the table are lost; {REBUILD}")
    elif not wrong:
        rows = sum(file.rows for file in version.files)
        found = f"{rows:,} rows in {len(version.files):,} files, every page's checksum right, all in order"
        yield fine("history", found)


def look_file(table: EventTable, file: File, version: Version) -> str:
    """What is wrong with a file of the table; "" if nothing."""
    path = table.folder / file.path
    if not path.exists():
        return "it is missing"
    if path.stat().st_size != file.size:
        return f"it has {path.stat().st_size:,} bytes instead of {file.size:,}"
    try:
        rows = 0
        for part in parts(path):
            rows += part.num_rows
            _check(part, file, version)
    except Broken as error:
        return f"{type(error).__name__}: {error}".replace("\n", " ")
    return "" if rows == file.rows else f"it has {rows:,} rows instead of {file.rows:,}"


def parts(path: Path) -> Iterator[pa.Table]:
    """A file's row groups with all columns; raises one of `Broken` at the first that is damaged."""
    opened = pq.ParquetFile(path, page_checksum_verification=True)
    for number in range(opened.num_row_groups):
        yield opened.read_row_group(number, use_threads=False).select(ROWS.names).cast(ROWS)


def whole_parts(path: Path) -> Iterator[pa.Table]:
    """Those row groups of a damaged file that can still be read."""
    try:
        opened = pq.ParquetFile(path, page_checksum_verification=True)
    except Broken:
        return
    for number in range(opened.num_row_groups):
        try:
            part = opened.read_row_group(number, use_threads=False).select(ROWS.names).cast(ROWS)
            part.validate(full=True)
        except Broken:
            continue
        yield part


def _check(part: pa.Table, file: File, version: Version) -> None:
    part.validate(full=True)
    subject = part["subject"].to_numpy()
    check_order(subject, micros(part["at"]), part["seq"].to_numpy())
    if np.any(bucket_of(subject, version.buckets) != file.bucket):
        raise ValueError("it holds rows of another bucket")
    if len(subject) and (subject[0] < file.first or subject[-1] > file.last):
        raise ValueError("it holds subjects that the table does not expect in it")
