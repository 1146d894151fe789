"""Conditions over a whole history, in columns: who met one at any past moment, and summaries to fill in.

The history is taken bucket by bucket; a subject's events are all in one bucket. Every answer is the
pure meaning of the condition (`holds`) for each subject; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.history.columns import micros
from hark.history.runs import Run, distinct
from hark.model import GROUP_TRAITS, JSON, Instant, Trait
from hark.understand.conditions import AllOf, AnyOf, Condition, Did, DidNot, HasTrait, InGroup, Leaf, Not
from hark.understand.conditions.base import Flags, Ints
from hark.understand.conditions.trait import STATING, stated_by

IDENTIFY = "Identify"
EVER = 1 << 62
"""Later than every event."""


class History(Protocol):
    """What of a history is read; `hark.history.reader.Snapshot` is one."""

    buckets: int

    def runs(
        self, bucket: int, names: Collection[str] | None = None, properties: bool = False
    ) -> list[Run]: ...

    def table(self, names: Collection[str] | None = None, columns_: Sequence[str] = ...) -> pa.Table: ...


Known = Mapping[int, Mapping[str, Trait]]
"""By subject and name, the traits that a question needs."""


class BucketColumns:
    """One bucket's subjects as of a moment (`Columns` of the conditions)."""

    def __init__(self, runs: Iterable[Run], at: Instant, known: Known) -> None:
        self.at = at
        self._runs = list(runs)
        self._counted = [_counted(run, at) for run in self._runs]
        seen = [run.subject[counted] for run, counted in zip(self._runs, self._counted, strict=True)]
        self._known = known
        self.subjects: Ints = distinct(np.concatenate([np.empty(0, np.int64), *seen]))

    def matches(self, names: Sequence[str], test: Callable[[bytes], bool] | None) -> tuple[Ints, Ints]:
        found = [
            (run.subject[rows], run.at[rows])
            for run, counted in zip(self._runs, self._counted, strict=True)
            if len(rows := np.flatnonzero(counted & _passing(run, names, test)))
        ]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        who = np.searchsorted(self.subjects, np.concatenate([subject for subject, _ in found]))
        return who, np.concatenate([at for _, at in found])

    def properties(self, names: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        for run, counted in zip(self._runs, self._counted, strict=True):
            rows = np.flatnonzero(counted & _passing(run, names, None))
            if len(rows):
                assert run.properties is not None, "runs are read with properties wherever a leaf needs them"
                places = np.searchsorted(self.subjects, run.subject[rows]).tolist()
                codes = run.properties.codes[rows].tolist()
                yield from zip(places, (run.properties.values[code] for code in codes), strict=True)

    def traits(self) -> Iterator[tuple[int, Mapping[str, Trait]]]:
        for place, subject in enumerate(self.subjects.tolist()):
            if subject in self._known:
                yield place, self._known[subject]


def _counted(run: Run, at: Instant) -> Flags:
    """The rows that are still their subject's, and not after the moment."""
    kept = np.zeros(len(run), np.bool_)
    for start, end in run.kept.tolist():
        kept[start:end] = True
    return kept & (run.at <= at)


def _passing(run: Run, names: Sequence[str], test: Callable[[bytes], bool] | None) -> Flags:
    """The rows of these names whose properties pass; the test runs once for each different text."""
    named = np.array([name in names for name in run.names], np.bool_)[run.code]
    if test is None or not named.any():
        return named
    assert run.properties is not None, "runs are read with properties wherever a leaf has a predicate"
    passing = np.zeros(len(run.properties.values), np.bool_)
    for code in np.flatnonzero(np.bincount(run.properties.codes[named])).tolist():
        passing[code] = test(run.properties.values[code])
    return named & passing[run.properties.codes]


def members(history: History, condition: Condition, at: Instant) -> Iterator[Ints]:
    """Bucket by bucket, the subjects (ascending) that met the condition at a moment.

    Subjects that had no event by then are nobody yet, also for a condition that asks for an absence.
    """
    leaves = list(condition.leaves())
    known = traits_at(history, frozenset().union(*(_trait_names(leaf) for leaf in leaves)), at)
    names, properties = _wanted(leaves, everybody=possible(condition, True))
    for bucket in range(history.buckets):
        columns = BucketColumns(history.runs(bucket, names, properties), at, known)
        yield columns.subjects[condition.columnar(columns)]


def summaries(history: History, leaf: Leaf) -> Iterator[tuple[int, JSON]]:
    """(subject, summary) of a leaf over the whole history, where it is not the empty one."""
    names, properties = _wanted([leaf], everybody=False)
    for bucket in range(history.buckets):
        columns = BucketColumns(history.runs(bucket, names, properties), EVER, {})
        yield from leaf.summarised(columns)


def possible(condition: Condition, answer: bool) -> bool:
    """Whether the answer is possible for somebody who did none of the events named, whatever the traits.

    May say yes where the truth is no (parts are taken for independent), never the reverse.
    """
    match condition:
        case AllOf(parts=parts):
            return (all if answer else any)(possible(part, answer) for part in parts)
        case AnyOf(parts=parts):
            return (any if answer else all)(possible(part, answer) for part in parts)
        case Not(part=part):
            return possible(part, not answer)
        case DidNot():
            return possible(condition.denied, not answer)
        case Did() | InGroup():
            return _of_nobody(condition) is answer
    return True


def _of_nobody(leaf: Did | InGroup) -> bool:
    """The leaf's answer for somebody who did none of its events."""
    return isinstance(leaf, Did) and leaf.accepts[0]


def _wanted(leaves: Sequence[Leaf], everybody: bool) -> tuple[frozenset[str] | None, bool]:
    """The names of events to read (None: all), and whether their properties too."""
    dids = [leaf for leaf in leaves if isinstance(leaf, Did)]
    groups = any(isinstance(leaf, InGroup) for leaf in leaves)
    names = frozenset(name for leaf in dids for name in leaf.names) | ({GROUP_TRAITS} if groups else set())
    return None if everybody else names, groups or any(leaf.test is not None for leaf in dids)


def _trait_names(leaf: Leaf) -> frozenset[str]:
    return leaf.names if isinstance(leaf, HasTrait) else frozenset()


def traits_at(history: History, names: frozenset[str], at: Instant) -> Known:
    """These traits of every subject, each the latest by (at, seq) up to the moment."""
    known: dict[int, dict[str, Trait]] = {}
    if not names:
        return known
    for subject, when, seq, stated in statements(history):
        if when <= at:
            _keep(known.setdefault(subject, {}), names, stated, when, seq)
    return known


def statements(history: History) -> Iterator[tuple[int, Instant, int, Mapping[str, JSON]]]:
    """(subject, at, seq, traits) of every event that may state traits, in no order."""
    for rows in (_identified(history), _in_context(history)):
        cells = (rows[name].to_pylist() for name in ("subject", "seq", "kind", "properties", "context"))
        for when, subject, seq, kind, *raw in zip(micros(rows["at"]).tolist(), *cells, strict=True):
            yield subject, when, seq, stated_by(kind, _raw(raw[0]), _raw(raw[1]))


def _keep(
    known: dict[str, Trait], names: frozenset[str], stated: Mapping[str, JSON], at: Instant, seq: int
) -> None:
    """Takes in what an event states, where nothing later is known."""
    for name, value in stated.items():
        old = known.get(name)
        if name in names and (old is None or (at, seq) >= (old.at, old.seq)):
            known[name] = Trait(value, at, seq)


def _identified(history: History) -> pa.Table:
    return history.table((IDENTIFY,), ("subject", "at", "seq", "kind", "properties", "context"))


def _in_context(history: History) -> pa.Table:
    """The other rows whose context may state traits; their properties state none and are not read."""
    rows = history.table(None, ("subject", "at", "seq", "name", "kind", "context"))
    rows = rows.filter(pc.match_substring(rows["context"].cast(pa.string()), STATING.decode()))
    rows = rows.filter(pc.not_equal(rows["name"].cast(pa.string()), IDENTIFY))
    return rows.append_column("properties", pa.array(["{}"] * rows.num_rows, pa.string()))


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
