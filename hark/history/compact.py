"""Compaction: many small sorted files of a bucket become few, under the canonical ids of today.

Our own sort-and-replace, since no optimise command keeps (subject, at, seq): a range of subjects at a time is
read from all chosen files, sorted and written on, so memory does not grow with the files. All files come and
go in one commit; those replaced are deleted after a grace, since readers hold a version. It must not run
beside a seal: both are the engine's, one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from hark.history.columns import ordered
from hark.history.merged import Merged
from hark.history.seal import by_bucket, follow
from hark.store.contracts import Merge
from hark.store.table import ROWS, EventTable, File, Version

FILES = 16
PART_ROWS = 500_000
"""Rows sorted at once."""
GRACE_HOURS = 1
"""How long a reader may hold a version."""


def compact(
    table: EventTable, merges: Sequence[Merge] = (), files: int = FILES, part_rows: int = PART_ROWS
) -> int:
    """Sort together what each bucket with more than `files` files has too many of; answers files replaced."""
    version = table.version()
    chosen = _chosen(version, files) if version else {}
    if version is None or not chosen:
        return 0
    merged = Merged(merges)
    moved = _moved(table, [file for some in chosen.values() for file in some], merged, version.buckets)
    added = [
        table.write(bucket, f"compact-{version.number:012}", parts, merged.count)
        for bucket, parts in _new_files(table, chosen, moved, merged, part_rows)
    ]
    removed = [file for some in chosen.values() for file in some]
    table.commit(version, [file for file in added if file], removed, version.sealed)
    table.vacuum(GRACE_HOURS)
    return len(removed)


def _chosen(version: Version, files: int) -> dict[int, list[File]]:
    """By bucket, the files to replace."""
    by: defaultdict[int, list[File]] = defaultdict(list)
    for file in version.files:
        by[file.bucket].append(file)
    return {bucket: _small(some) for bucket, some in by.items() if len(some) > files}


def _small(files: Sequence[File]) -> list[File]:
    """From the smallest up, as long as the next is no more than twice what is taken together.

    So a large file is rewritten only when as much has come since, and each row a logarithm of times.
    """
    ascending = sorted(files, key=lambda file: file.rows)
    taken, rows = ascending[:2], sum(file.rows for file in ascending[:2])
    for file in ascending[2:]:
        if file.rows > 2 * rows:
            break
        taken.append(file)
        rows += file.rows
    return taken


def _moved(table: EventTable, files: Sequence[File], merged: Merged, buckets: int) -> dict[int, pa.Table]:
    """By bucket, the sorted rows of these files' subjects of whose rows some are another's by now."""
    parts = []
    for file in files:
        affected = merged.after(table.merges(file)).tolist()
        if affected:
            parts.append(follow(table.of(file, affected, ROWS.names), merged).cast(ROWS))
    return dict(by_bucket(pa.concat_tables(parts), buckets)) if parts else {}


def _new_files(
    table: EventTable,
    chosen: dict[int, list[File]],
    moved: dict[int, pa.Table],
    merged: Merged,
    part_rows: int,
) -> Iterator[tuple[int, Iterator[pa.Table]]]:
    """One new file for each bucket that is compacted, and one for each that only gets moved rows."""
    empty = ROWS.empty_table()
    for bucket in sorted({*chosen, *moved}):
        files = chosen.get(bucket, [])
        yield bucket, _parts(table, files, moved.get(bucket, empty), merged, part_rows)


def _parts(
    table: EventTable, files: Sequence[File], moved: pa.Table, merged: Merged, part_rows: int
) -> Iterator[pa.Table]:
    """The files' rows without those that moved away, with those that moved here, in order."""
    gone = {file.path: pa.array(merged.after(table.merges(file))) for file in files}
    cuts = [-(2**63), *table.cuts(files, part_rows), 2**63 - 1]
    for low, high in pairwise(cuts):
        pieces = [_staying(table.between(file, low, high), gone[file.path]) for file in files]
        yield ordered(pa.concat_tables([*pieces, _between(moved, low, high)]))


def _staying(rows: pa.Table, gone: pa.Array) -> pa.Table:
    rows = rows.cast(ROWS)
    return rows.filter(pc.invert(pc.is_in(rows["subject"], gone))) if len(gone) else rows


def _between(rows: pa.Table, low: int, high: int) -> pa.Table:
    subjects = rows["subject"]
    return rows.filter(pc.and_(pc.greater_equal(subjects, low), pc.less(subjects, high)))
