"""One customer's events, read from the newest back: a page of a long story costs a page, whatever is stored.

Files are sorted by (subject, at, seq), so a subject's rows are one range of each; of that range as few groups
of rows are read as the reader takes events.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.history import columns as chunks
from hark.history.erased import Gone
from hark.history.merged import Merged
from hark.history.seal import follow, plain
from hark.model import Event, Instant
from hark.store.table import ROWS, EventTable, File, Version, bucket_of

Mark: TypeAlias = tuple[Instant, int]
"""(at, seq) of an event: where it stands in its subject's story."""
Span: TypeAlias = tuple[Instant, Instant]
"""From an instant to another, both included."""
EVER: Span = (-(2**62), 2**62)
WIDE = frozenset({"message_id", "properties", "context"})
"""Columns that are read only once it is known which rows are wanted."""
KEYS = ("subject", "at", "seq")
"""Columns by which the wanted rows are found."""
PIECE = 128
"""Rows that are made events at once."""


class Story:
    """A subject's events in one moment of the history."""

    def __init__(
        self, table: EventTable, version: Version, merged: Merged, gone: Gone, waiting: pa.Table, subject: int
    ) -> None:
        """`waiting` are rows that are in no file, canonical; others' may be among them."""
        self._table, self._version, self._merged, self._gone = table, version, merged, gone
        self._waiting = waiting.filter(pc.equal(waiting["subject"], subject))
        self._subject = subject

    def newest(self, before: Mark | None = None, names: Collection[str] | None = None) -> Iterator[Event]:
        """The latest first; those before a mark, and of these names, if given."""
        streams = [self._events(parts, before, names) for parts in self._sources(before)]
        yield from heapq.merge(*streams, key=lambda event: (event.at, event.seq), reverse=True)

    def table(self, wanted: Sequence[str], span: Span = EVER) -> pa.Table:
        """Columns of their events in a span of time, by (at, seq); of others' only what is beside them."""
        keys = [*dict.fromkeys(("subject", "at", "seq", "origin", *wanted))]
        runs = [[*_until(source, span[0])][::-1] for source in self._sources((span[1] + 1, 0), keys)]
        runs = [parts for parts in runs if any(part.num_rows for part in parts)]
        rows = [plain(part.select(keys)) for parts in runs for part in parts]
        found = pa.concat_tables([ROWS.empty_table().select(keys), *rows])
        if span != EVER:
            at = chunks.micros(found["at"])
            found = found.filter(pa.array((at >= span[0]) & (at <= span[1])))
        return (found if len(runs) < 2 else chunks.ordered(found)).select(wanted)

    def _sources(
        self, before: Mark | None, wanted: Sequence[str] = ROWS.names
    ) -> Iterator[Iterable[pa.Table]]:
        """Runs of the subject's rows, each part by part from its end; the rows of a part ascend."""
        if self._waiting.num_rows:
            yield [chunks.ordered(self._waiting)]
        for file in self._version.files:
            if self.undone(file):
                yield [self._apart(file, wanted)]
            else:
                for one in self._held(file, self._merged.all_of(self._subject)):
                    yield self._back(file, one, before, wanted)

    def undone(self, file: File) -> bool:
        """Whether a merge was undone since the file was written: then `origin` says whose its rows are."""
        return self._merged.count > 0 and self._merged.undone_after(self._table.merges(file))

    def _held(self, file: File, ids: Collection[int]) -> list[int]:
        """Those of the ids of which the file may hold rows."""
        numbers = np.array([one for one in ids if file.first <= one <= file.last], np.int64)
        held: list[int] = numbers[bucket_of(numbers, self._version.buckets) == file.bucket].tolist()
        return held

    def _back(self, file: File, one: int, before: Mark | None, wanted: Sequence[str]) -> Iterator[pa.Table]:
        """The rows under an id, group by group, the last group first."""
        few = WIDE.isdisjoint(wanted)
        rest = [] if few else [name for name in wanted if name not in KEYS]
        for number in reversed(self._table.holding(file, one)):
            keys = self._table.group(file, number, wanted if few else KEYS)
            start, end = _range(keys, one, before)
            if end > start:
                mine = keys.slice(start, end - start)
                others = self._table.group(file, number, rest).slice(start, end - start) if rest else None
                yield self._today(_beside(mine, others) if others else mine)

    def _apart(self, file: File, wanted: Sequence[str]) -> pa.Table:
        """All rows of a file that are the subject's again, or still."""
        ids = self._held(file, self._merged.under(self._subject, self._table.merges(file)))
        rows = self._today(self._table.of(file, ids, wanted)) if ids else ROWS.empty_table()
        return chunks.ordered(rows)

    def _today(self, rows: pa.Table) -> pa.Table:
        if self._merged.count:
            rows = follow(rows, self._merged)
            rows = rows.filter(pc.equal(rows["subject"], self._subject))
        return self._gone.without(rows)

    def _events(
        self, parts: Iterable[pa.Table], before: Mark | None, names: Collection[str] | None
    ) -> Iterator[Event]:
        for part in parts:
            rows = part if names is None else part.filter(_named(part, names))
            for end in range(rows.num_rows, 0, -PIECE):
                piece = rows.slice(max(end - PIECE, 0), min(end, PIECE))
                for event in reversed(list(chunks.events(piece))):
                    if before is None or (event.at, event.seq) < before:
                        yield event


def _beside(rows: pa.Table, others: pa.Table) -> pa.Table:
    """Both tables' columns, of the same rows."""
    columns = [*rows.columns, *others.columns]
    return pa.table(columns, names=[*rows.column_names, *others.column_names])


def _until(source: Iterable[pa.Table], first: Instant) -> Iterator[pa.Table]:
    """The parts of a run that reach back to an instant; a run is read from its end."""
    for part in source:
        yield part
        if part.num_rows and chunks.micros(part["at"])[0] < first:
            return


def _range(keys: pa.Table, subject: int, before: Mark | None) -> tuple[int, int]:
    """Where the rows of a subject stand among sorted rows, those before a mark."""
    subjects = keys["subject"].to_numpy()
    start, end = np.searchsorted(subjects, [subject, subject + 1]).tolist()
    if before is not None:
        at = chunks.micros(keys["at"])[start:end]
        first, last = np.searchsorted(at, [before[0], before[0] + 1]).tolist()
        seq = keys["seq"].to_numpy()[start + first : start + last]
        end = start + first + int(np.searchsorted(seq, before[1]))
    return start, end


def _named(rows: pa.Table, names: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(rows["name"].cast(pa.string()), pa.array(list(names), pa.string()))
