"""Reading: one version of the history table and what has waited in `recent` since, as one history.

Subjects are canonical everywhere: rows of one who was merged away later are those of the older one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import Lock
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.history import columns as chunks
from hark.history import runs, stream
from hark.history.erased import Gone
from hark.history.merged import Merged
from hark.history.runs import KEYS, Ints, Run, with_values
from hark.history.seal import BUCKETS, as_rows, follow, plain
from hark.history.story import EVER, Mark, Span, Story
from hark.history.values import Reader, Values, Wanted
from hark.history.watching import watching
from hark.model import GROUPS, Event, Kind
from hark.store.contracts import StateReader
from hark.store.table import ROWS, TEXTS, EventTable, File, Version, bucket_of

NO_TABLE = Version(-1, 0, "", BUCKETS, ())
_NO_MERGES = Merged(())
_NO_ROWS = ROWS.empty_table()
NOTHING: Wanted = MappingProxyType({})


class Resident:
    """Decoded columns of the table's files, kept between questions; files never change."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._values: dict[tuple[str, str], tuple[frozenset[str] | None, Values]] = {}
        """By file and path, of which events, and the values."""
        self._lock = Lock()

    def keep(self, version: Version) -> None:
        """Forget files that this version no longer has."""
        current = {file.path for file in version.files}
        with self._lock:
            self._runs = {path: run for path, run in self._runs.items() if path in current}
            self._values = {key: kept for key, kept in self._values.items() if key[0] in current}

    def get(self, file: File) -> Run | None:
        return self._runs.get(file.path)

    def put(self, file: File, run: Run) -> None:
        with self._lock:
            self._runs[file.path] = run

    def covers(self, file: File, path: str, names: frozenset[str] | None) -> bool:
        """Whether the values under a path are here, for the events of these names."""
        of, _ = self._values.get((file.path, path), (frozenset(), None))
        return of is None or (names is not None and names <= of)

    def values(self, file: File, path: str) -> Values:
        return self._values[file.path, path][1]

    def put_values(self, file: File, wanted: Wanted, found: Mapping[str, Values]) -> None:
        with self._lock:
            for path, values in found.items():
                self._values[file.path, path] = wanted[path], values

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._runs, self._values = {}, {}

    @property
    def held_bytes(self) -> int:
        """Memory held."""
        values = sum(kept.held_bytes for _, kept in self._values.values())
        return values + sum(run.held_bytes for run in self._runs.values())


def open_snapshot(
    data: Path, state: StateReader, resident: Resident | None = None, only: int | None = None
) -> Snapshot:
    """The history of a data directory as it stands now; with `only`, for one subject's events alone, so that
    what others did since the last seal is not read.

    Chunks leave `recent` only after the table has them: if the table's sealed number is the same before
    and after reading `recent`, nothing was missed between the two.
    """
    table = EventTable(data / "history")
    erased = state.erased()
    version = table.version() or NO_TABLE
    while True:
        recent = list(state.recent(version.sealed) if only is None else _theirs(state, only, version.sealed))
        now = table.version() or NO_TABLE
        if now.sealed == version.sealed:
            gone = {*erased, *state.erased()}
            return Snapshot(table, now, recent, Merged(state.merges()), resident, gone)
        version = now


def _theirs(state: StateReader, subject: int, after: int) -> Iterator[bytes]:
    """Of the chunks of `recent` those in which a customer occurs, under whichever id."""
    yield from state.recent_of(Merged(state.merges()).all_of(subject), after)


class Snapshot:
    """One moment of the history. Cheap to open; reads when asked. Safe to use from several threads."""

    def __init__(
        self,
        table: EventTable,
        version: Version,
        recent: Sequence[bytes],
        merged: Merged,
        resident: Resident | None = None,
        erased: Collection[int] = (),
        groups: bool = False,
    ) -> None:
        """`erased` subjects are in no answer, also where files still hold them. With `groups` it is the
        history of groups."""
        self.version = version
        self._erased = np.array(sorted(erased), np.int64)
        self._gone = Gone(table, version, erased, merged)
        self.merged = merged
        self.buckets = version.buckets
        self._table = table
        self._recent = recent
        self._groups_alone = groups
        self._resident = resident
        self._lock = Lock()
        if resident:
            resident.keep(version)

    def of_groups(self) -> Snapshot:
        """The same moment as a history of groups: their buckets are the first, and no customer is in it."""
        parts = (self._table, self.version, self._recent, self.merged, self._resident)
        return Snapshot(*parts, self._erased.tolist(), groups=True)

    def parted(self, groups: Sequence[int]) -> tuple[Ints, ...]:
        """Groups (ascending) by their place among the groups' buckets."""
        numbers = np.array(groups, np.int64)
        bucket = bucket_of(numbers, self.buckets) - self.buckets
        return tuple(numbers[bucket == one] for one in range(self.buckets))

    def count(self) -> int:
        """Events of customers, facts included."""
        waiting: int = self._own.num_rows
        files = [file for file in self.version.files if self._owns(file)]
        hidden = sum(self._gone.theirs(file).num_rows for file in files) if len(self._erased) else 0
        return sum(file.rows for file in files) + waiting - hidden

    # -- what kernels read ------------------------------------------------------------------------------

    def runs(
        self,
        bucket: int,
        names: Collection[str] | None = None,
        properties: bool = False,
        values: Wanted = NOTHING,
    ) -> list[Run]:
        """The sorted runs of one bucket; together they hold each event of its subjects once.

        Buckets from 0 are the customers', as many from `buckets` on the groups'.
        With `names` a run may hold other names too (it does when it is resident), never fewer; with `values`
        it has what rows have under these paths.
        """
        watching.get().look_up()
        bucket += self.buckets if self._groups_alone else 0
        wanted = None if names is None else frozenset(names)
        files = [file for file in self.version.files if file.bucket == bucket]
        found = [self._kept(file, self._run(file, wanted, properties, values)) for file in files]
        with self._lock:
            late = self._late_with_properties if properties or values else self._late
        return found + [with_values(run, values) for run in late.get(bucket, [])]

    def _kept(self, file: File, run: Run) -> Run:
        """A file's run without the rows that are somebody else's by now, and those of erased customers."""
        if file.bucket >= self.buckets and len(self._erased):
            run = runs.take(run, np.flatnonzero(~np.isin(run.seq, self._gone.copied)))
        return runs.without(run, np.union1d(self._affected(file), self._erased))

    def _run(self, file: File, names: frozenset[str] | None, properties: bool, values: Wanted) -> Run:
        if properties:
            whole = runs.joined([runs.run(part, names) for part in self._groups(file, (*KEYS, "properties"))])
            return with_values(whole, values)
        resident = self._resident or Resident()
        kept = resident.get(file)
        if kept is None:
            names = None if self._resident or values else names
            kept = runs.joined([runs.run(part, names) for part in self._groups(file, KEYS)])
            resident.put(file, kept)
        missing = {path: of for path, of in values.items() if not resident.covers(file, path, of)}
        if missing:
            resident.put_values(file, missing, self._read_values(file, kept, missing))
        return replace(kept, values={path: resident.values(file, path) for path in values})

    def _read_values(self, file: File, run: Run, wanted: Wanted) -> dict[str, Values]:
        """What a file's rows have under these paths."""
        readers = {path: Reader(path) for path in wanted}
        first = 0
        for part in self._groups(file, ("properties",)):
            codes, texts = runs.coded(part["properties"])
            code = run.code[first : first + len(codes)]
            for path, names in wanted.items():
                readers[path].add(codes, texts, None if names is None else runs.named(run, names)[code])
            first += len(codes)
        return {path: reader.values() for path, reader in readers.items()}

    def _groups(self, file: File, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The groups of rows of a file; between two of them a question can be ended."""
        watch = watching.get()
        for part in self._table.groups(file, columns):
            yield part
            watch.look_up()

    def _affected(self, file: File) -> Ints:
        """The subjects of whose rows some may belong to another since the file was written."""
        if not self.merged.count:
            return np.array([], np.int64)
        return self.merged.after(self._table.merges(file))

    @cached_property
    def _late(self) -> dict[int, list[Run]]:
        return self._late_runs(properties=False)

    @cached_property
    def _late_with_properties(self) -> dict[int, list[Run]]:
        return self._late_runs(properties=True)

    def _late_runs(self, properties: bool) -> dict[int, list[Run]]:
        """By bucket, the runs that are in no file: rows still waiting, and rows that merges moved."""
        wanted = [*KEYS, "properties"] if properties else list(KEYS)
        found: dict[int, list[Run]] = {}
        waiting = runs.run(chunks.ordered(self._waiting).select(wanted)) if self._waiting.num_rows else None
        for bucket, run in runs.by_bucket(waiting, self.buckets) if waiting else ():
            found.setdefault(bucket, []).append(run)
        for file in self.version.files:
            for bucket, run in self._moved(file, wanted):
                found.setdefault(bucket, []).append(runs.without(run, self._erased))
        return found

    def _moved(self, file: File, wanted: list[str]) -> Iterator[tuple[int, Run]]:
        affected = self._affected(file)
        if not len(affected):
            return
        kept = self._resident.get(file) if self._resident and "properties" not in wanted else None
        if kept is not None and not self._undone(file):
            yield from runs.moved(kept, affected, self.merged, self.buckets)
            return
        rows = follow(self._table.of(file, affected.tolist(), [*wanted, "origin"]), self.merged)
        yield from runs.by_bucket(runs.run(chunks.ordered(rows).select(wanted)), self.buckets)

    def _undone(self, file: File) -> bool:
        """Whether a merge was undone since the file was written: then `origin` says whose its rows are."""
        return self.merged.count > 0 and self.merged.undone_after(self._table.merges(file))

    # -- whole events -----------------------------------------------------------------------------------

    def events(self, names: Collection[str] | None = None, facts: bool = False) -> Iterator[Event]:
        """Every event in the order in which Hark could know it, (known_at, seq); facts only if asked for."""
        parts = self._parts(chunks.CHUNK.names, names)
        if not facts:
            parts = (part.filter(pc.not_equal(part["kind"], int(Kind.FACT))) for part in parts)
        yield from stream.by_known_at(map(plain, parts))

    def subject_events(self, subject: int, names: Collection[str] | None = None) -> list[Event]:
        """One subject's events by (at, seq)."""
        return list(self.newest(subject, None, names))[::-1]

    def newest(
        self, subject: int, before: Mark | None = None, names: Collection[str] | None = None
    ) -> Iterator[Event]:
        """One subject's events, the latest first, read as far as they are taken.

        Those before a mark (at, seq), and of these names, if given.
        """
        if (root := self.merged.one(subject)) not in self._erased:
            yield from self._story(root).newest(before, names)

    def subject_table(self, subject: int, wanted: Sequence[str] = ROWS.names, span: Span = EVER) -> pa.Table:
        """Columns of one subject's events in a span of time, by (at, seq)."""
        if (root := self.merged.one(subject)) in self._erased:
            return ROWS.empty_table().select(wanted)
        return self._story(root).table(wanted, span)

    def _story(self, root: int) -> Story:
        return Story(self._table, self.version, self.merged, self._gone, self._waiting, root)

    def written_for(self, subjects: Collection[int]) -> Iterator[Event]:
        """The events that came to these subjects before all merges, in no order."""
        numbers = np.array(sorted(subjects), np.int64)
        for file in self.version.files:
            held = self.merged.then(self._table.merges(file)).canonical(numbers)
            if np.any((held >= file.first) & (held <= file.last)):
                rows = follow(self._table.of(file, np.unique(held).tolist(), ROWS.names), _NO_MERGES)
                yield from chunks.events(rows.filter(pc.is_in(rows["subject"], pa.array(numbers))))
        if self._recent:
            rows = as_rows([chunks.table(chunk) for chunk in self._recent])
            yield from chunks.events(rows.filter(pc.is_in(rows["subject"], pa.array(numbers))))

    def timeline(self, subject: int, limit: int, before: Mark | None = None) -> list[Event]:
        """The latest events of one subject (those before a mark, if given), newest first."""
        return list(islice(self.newest(subject, before), limit))

    def table(self, names: Collection[str] | None = None, columns: Sequence[str] = ROWS.names) -> pa.Table:
        """Columns of all events of these names, by (subject, at, seq); JSON as bytes, the rest plain."""
        wanted = [*dict.fromkeys([*KEYS, *columns])]
        parts = [plain(part) for part in self._parts(wanted, names)]
        empty = ROWS.empty_table().select(wanted)
        whole = chunks.ordered(pa.concat_tables([empty, *parts]))
        return pa.table({name: _as_event(whole[name], name) for name in columns})

    def rows(
        self, bucket: int, columns: Sequence[str], by: Sequence[str], keep: Callable[[pa.Table], pa.Array]
    ) -> Iterator[pa.Table]:
        """A bucket's rows (as of `runs`) that `keep` chooses by the columns `by`, in all these columns and
        under today's subjects, piece by piece and in no order; texts are dictionaries."""
        wanted = [*dict.fromkeys([*columns, *by])]
        wanted += ["seq"] if self._groups_alone and "seq" not in wanted else []
        bucket += self.buckets if self._groups_alone else 0
        for file in self.version.files:
            if file.bucket == bucket:
                read = [*dict.fromkeys([*wanted, "origin"])] if self._undone(file) else wanted
                for part in self._table.chosen(file, by, keep, read):
                    yield self._within(bucket, self._today(part).select(wanted))
            elif file.bucket < self.buckets and len(moved := self._affected(file)):
                rows = follow(self._table.of(file, moved.tolist(), [*wanted, "origin"]), self.merged)
                yield self._within(bucket, self._shown(rows.filter(keep(rows))).select(wanted))
        waiting = _coded(self._own.select(wanted))
        yield self._within(bucket, waiting.filter(keep(waiting)))

    def _within(self, bucket: int, rows: pa.Table) -> pa.Table:
        """The rows whose subject is in the bucket today."""
        return rows.filter(pa.array(bucket_of(rows["subject"].to_numpy(), self.buckets) == bucket))

    def _parts(self, wanted: Sequence[str], names: Collection[str] | None) -> Iterator[pa.Table]:
        """All rows of customers (or of groups) under canonical subjects, piece by piece, in no order."""
        yield _named(self._own.select(wanted), names)
        for file in filter(self._owns, self.version.files):
            columns = [*dict.fromkeys([*wanted, "origin"])] if self._undone(file) else wanted
            for part in self._groups(file, columns):
                yield self._today(_named(part, names)).select(wanted)

    def _owns(self, file: File) -> bool:
        return (file.bucket >= self.buckets) is self._groups_alone

    def _today(self, rows: pa.Table) -> pa.Table:
        """The rows of a file under today's ids; `origin` is needed only where something was undone since."""
        if "origin" in rows.column_names:
            return self._shown(follow(rows, self.merged))
        subjects = pa.array(self.merged.canonical(rows["subject"].to_numpy()))
        return self._shown(rows.set_column(rows.schema.get_field_index("subject"), "subject", subjects))

    def _shown(self, rows: pa.Table) -> pa.Table:
        """Without those who were erased."""
        if not len(self._erased):
            return rows
        if self._groups_alone:
            return rows.filter(pc.invert(pc.is_in(rows["seq"], pa.array(self._gone.copied))))
        return rows.filter(pc.invert(pc.is_in(rows["subject"], pa.array(self._erased))))

    @cached_property
    def _own(self) -> pa.Table:
        """Of the rows of `recent` those of customers (or of groups)."""
        theirs = pc.greater_equal(self._waiting["subject"], GROUPS)
        return self._waiting.filter(theirs if self._groups_alone else pc.invert(theirs))

    @cached_property
    def _waiting(self) -> pa.Table:
        """The rows of `recent`, canonical."""
        if not self._recent:
            return _NO_ROWS
        return self._shown(follow(as_rows([chunks.table(chunk) for chunk in self._recent]), self.merged))


def _named(rows: pa.Table, names: Collection[str] | None) -> pa.Table:
    if names is None:
        return rows
    return rows.filter(pc.is_in(rows["name"].cast(pa.string()), pa.array(list(names), pa.string())))


def _coded(rows: pa.Table) -> pa.Table:
    """Texts as dictionaries, as the table's files give them."""
    for place, name in enumerate(rows.column_names):
        if name in TEXTS and not pa.types.is_dictionary(rows[name].type):
            rows = rows.set_column(place, name, rows[name].dictionary_encode())
    return rows


def _as_event(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Properties and context as the bytes that they are in an event."""
    return column.cast(pa.binary()) if name in ("properties", "context") else column
