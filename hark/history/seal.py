"""Sealing: what waits in `recent` is sorted and becomes part of the history table, once.

The table's commit carries the number of the last chunk in it. Delta keeps that number but enforces
nothing, so the sealer reads it first and writes only later chunks: a crash before the commit leaves files
nobody sees (the next try writes over them), a crash after it leaves chunks in `recent` that the next skips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.errors import HarkError
from hark.history.columns import ordered, table
from hark.history.merged import Merged
from hark.store.contracts import Merge
from hark.store.table import ROWS, EventTable, Version, bucket_of

BUCKETS = 8

Numbered = tuple[int, bytes]


class Sealer:
    """The one writer of the history table. Raises HarkError if the table belongs to another log."""

    def __init__(self, table: EventTable, epoch: str, buckets: int = BUCKETS) -> None:
        self._table = table
        table.create(epoch, buckets)
        found = self.version().epoch
        if found != epoch:
            raise HarkError(
                f"the history in {table.folder} belongs to log {found}, but the log here is {epoch}",
                hint="put the log and the history of one data directory back together",
                id="history.epoch",
            )

    def version(self) -> Version:
        """The newest version of the table."""
        found = self._table.version()
        assert found is not None, "created with the sealer"
        return found

    def sealed(self) -> int:
        """The number of the last chunk in the table: chunks up to it may be dropped from `recent`."""
        return self.version().sealed

    def seal(self, chunks: Iterable[Numbered], merges: Sequence[Merge] = ()) -> int:
        """Write these chunks (numbers ascending) and answer the last sealed number; the old ones are skipped.

        `merges` are applied on the way; those left out are applied whenever the rows are read.
        """
        version = self.version()
        waiting = [(number, chunk) for number, chunk in chunks if number > version.sealed]
        if not waiting:
            return version.sealed
        first, last = waiting[0][0], waiting[-1][0]
        merged = Merged(merges)
        rows = follow(as_rows([table(chunk) for _, chunk in waiting]), merged)
        written = [
            self._table.write(bucket, f"sealed-{first:012}-{last:012}", [part], merged.count)
            for bucket, part in by_bucket(rows, version.buckets)
        ]
        self._table.commit(version, [file for file in written if file], [], last)
        return last


def as_rows(chunks: Sequence[pa.Table]) -> pa.Table:
    """Chunks together as rows of the table, in the order given."""
    whole = pa.concat_tables(chunks).unify_dictionaries().combine_chunks()
    columns = [_as_stored(whole[name]) for name in ROWS.names[:-1]]
    return pa.table([*columns, pa.nulls(whole.num_rows, pa.int64())], names=ROWS.names)


def _as_stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Properties and context as text, which SQL can look into; collect has checked that it is UTF-8."""
    if column.type != pa.binary():
        return column
    return pc.cast(column, options=pc.CastOptions(pa.string(), allow_invalid_utf8=True))


def follow(rows: pa.Table, merged: Merged) -> pa.Table:
    """The rows under canonical ids; `origin` keeps the id of those that were written with another."""
    written = pc.coalesce(rows["origin"], rows["subject"]).to_numpy()
    canonical = merged.canonical(written)
    origin = pa.array(written, mask=canonical == written)
    rows = rows.set_column(rows.schema.get_field_index("subject"), "subject", pa.array(canonical))
    return rows.set_column(rows.schema.get_field_index("origin"), "origin", origin)


def plain(rows: pa.Table) -> pa.Table:
    """Dictionaries as plain text, so that parts of different files fit together."""
    return rows.cast(pa.schema([ROWS.field(name) for name in rows.column_names]))


def by_bucket(rows: pa.Table, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each bucket that has some, each part sorted by (subject, at, seq)."""
    bucket = bucket_of(rows["subject"].to_numpy(), buckets)
    for one in np.unique(bucket).tolist():
        yield one, ordered(rows.filter(pa.array(bucket == one)))
