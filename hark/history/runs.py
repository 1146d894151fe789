"""Sorted runs: the key columns of events as arrays, the input of every kernel.

A run is one file's rows, or those waiting in `recent`, or those a merge moved to another subject since
their file was written. Within a bucket a subject may be in several runs; kernels walk them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hark.errors import HarkError
from hark.history.columns import micros
from hark.history.merged import Merged
from hark.history.values import Values, Wanted, of_texts
from hark.model import Kind
from hark.store.table import bucket_of

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

KEYS = ("subject", "at", "seq", "name", "kind", "active")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Properties:
    """The properties of a run's rows: a code for each row into the different JSON texts."""

    codes: Codes
    values: list[bytes]


@dataclass(frozen=True)
class Run:
    """Rows sorted by (subject, at, seq). `code` points into `names`, which each run has for itself."""

    names: tuple[str, ...]
    subject: Ints
    at: Ints
    seq: Ints
    code: Codes
    active: Flags
    """Whether the row is activity: not a fact of Hark's own, not sent as inactive."""
    kept: Ints
    """(n, 2) ranges of rows that count; the others belong to somebody else by now."""
    properties: Properties | None = None
    values: Mapping[str, Values] = field(default_factory=dict)
    """By path of the properties, the values of the rows, of those paths that were asked for."""

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def held_bytes(self) -> int:
        """Memory of the key columns."""
        return sum(int(column.nbytes) for column in (self.subject, self.at, self.seq, self.code, self.active))


def run(rows: pa.Table, names: frozenset[str] | None = None) -> Run:
    """The columns KEYS (and `properties`, if they are there) of sorted rows; of these names only, if given.

    Raises HarkError if the rows are not in order.
    """
    words, code = _words(rows["name"])
    subject, at, seq = rows["subject"].to_numpy(), micros(rows["at"]), rows["seq"].to_numpy()
    check_order(subject, at, seq)
    active = rows["active"].to_numpy() & (rows["kind"].to_numpy() != Kind.FACT)
    properties = _properties(rows["properties"]) if "properties" in rows.column_names else None
    whole = Run(words, subject, at, seq, code, active, _everything(len(subject)), properties)
    if names is None:
        return whole
    wanted = np.array([word in names for word in words], np.bool_)
    return take(whole, np.flatnonzero(wanted[code]))


def joined(parts: Sequence[Run]) -> Run:
    """Consecutive parts of one sorted run as one run."""
    if len(parts) == 1:
        return parts[0]
    words = tuple(dict.fromkeys(word for part in parts for word in part.names))
    place = {word: number for number, word in enumerate(words)}
    recode = [np.array([place[word] for word in part.names], np.int32) for part in parts]
    subject = np.concatenate([part.subject for part in parts])
    return Run(
        words,
        subject,
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.seq for part in parts]),
        np.concatenate([codes[part.code] for codes, part in zip(recode, parts, strict=True)]),
        np.concatenate([part.active for part in parts]),
        _everything(len(subject)),
        _joined_properties([part.properties for part in parts if part.properties]),
    )


def take(run: Run, rows: Ints) -> Run:
    """These rows of a run, in the order given."""
    properties = run.properties and Properties(run.properties.codes[rows], run.properties.values)
    return Run(
        run.names,
        run.subject[rows],
        run.at[rows],
        run.seq[rows],
        run.code[rows],
        run.active[rows],
        _everything(len(rows)),
        properties,
        {path: values.take(rows) for path, values in run.values.items()},
    )


def with_values(run: Run, wanted: Wanted) -> Run:
    """The same run with what its rows have under these paths; it has whole properties, if any are wanted."""
    if not wanted or not run.properties:
        return run
    return replace(
        run, values={path: of_texts(path, run.properties.codes, run.properties.values) for path in wanted}
    )


def named(run: Run, names: frozenset[str]) -> Flags:
    """Which codes of a run stand for one of these names."""
    return np.array([word in names for word in run.names], np.bool_)


def without(run: Run, younger: Ints) -> Run:
    """The same run, in which the rows of these subjects no longer count."""
    start, end = _places(run, younger)
    if not len(start):
        return run
    edges = np.concatenate([[0], np.column_stack([start, end]).ravel(), [len(run)]])
    return replace(run, kept=edges.reshape(-1, 2))


def moved(run: Run, younger: Ints, merged: Merged, buckets: int) -> Iterator[tuple[int, Run]]:
    """The rows of these subjects under their canonical ids, as a sorted run for each bucket they go to."""
    start, end = _places(run, younger)
    if not len(start):
        return
    rows = np.concatenate([np.arange(low, high) for low, high in zip(start, end, strict=True)])
    found = take(run, rows)
    found = replace(found, subject=merged.canonical(found.subject))
    found = take(found, np.lexsort((found.seq, found.at, found.subject)))
    yield from by_bucket(found, buckets)


def by_bucket(run: Run, buckets: int) -> Iterator[tuple[int, Run]]:
    """A run that spans buckets as one run for each."""
    bucket = bucket_of(run.subject, buckets)
    for one in np.unique(bucket).tolist():
        yield one, take(run, np.flatnonzero(bucket == one))


def check_order(subject: Ints, at: Ints, seq: Ints) -> None:
    """Raises HarkError unless the rows rise by (subject, at, seq)."""
    for start in range(0, len(subject), _BLOCK):
        block = slice(start, start + _BLOCK + 1)
        if _falls(subject[block], at[block], seq[block]):
            raise HarkError(
                "a file of the history table is not sorted by (subject, at, seq)",
                hint="write the table with Hark only; restore the file that somebody else rewrote",
                id="history.order",
            )


def _falls(subject: Ints, at: Ints, seq: Ints) -> bool:
    late = (at[1:] < at[:-1]) | ((at[1:] == at[:-1]) & (seq[1:] < seq[:-1]))
    return bool(np.any((subject[1:] < subject[:-1]) | ((subject[1:] == subject[:-1]) & late)))


def _places(run: Run, younger: Ints) -> tuple[Ints, Ints]:
    """The range of rows of each of these subjects that is in the run."""
    start = np.searchsorted(run.subject, younger, side="left")
    end = np.searchsorted(run.subject, younger, side="right")
    found = end > start
    return start[found], end[found]


def _everything(rows: int) -> Ints:
    return np.array([[0, rows]], np.int64)


def coded(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """A code for each row of a column of texts, and its different texts."""
    if not column.num_chunks:
        return np.empty(0, np.int32), pa.array([], pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    return array.indices.to_numpy(), array.dictionary


def _words(column: pa.ChunkedArray) -> tuple[tuple[str, ...], Codes]:
    codes, texts = coded(column)
    return tuple(texts.to_pylist()), codes


def _properties(column: pa.ChunkedArray) -> Properties:
    codes, texts = coded(column)
    return Properties(codes, texts.cast(pa.binary()).to_pylist())


def _joined_properties(parts: Sequence[Properties]) -> Properties | None:
    if not parts:
        return None
    shifts = np.cumsum([0, *(len(part.values) for part in parts[:-1])]).astype(np.int32)
    codes = np.concatenate([part.codes + shift for shift, part in zip(shifts, parts, strict=True)])
    return Properties(codes, [value for part in parts for value in part.values])
