"""Conditions over a whole history, in columns: who met one at any past moment, and summaries to fill in.

The history is taken bucket by bucket; a subject's events are all in one bucket. Every answer is the
pure meaning of the condition (`holds`) for each subject; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.definitions.types import EventMatch
from hark.history.columns import CHUNK, events, micros
from hark.history.merged import Merged
from hark.history.runs import Run, with_values
from hark.model import JSON, Event, Instant, Trait
from hark.understand.conditions import TRAITS, Condition, HasConsent, Leaf
from hark.understand.conditions.answers import NAMES, Joining
from hark.understand.conditions.base import ACTIVITY, Flags, Found, InOrder, Ints, distinct
from hark.understand.conditions.trait import STATING, stated_by
from hark.understand.partials import over_buckets

IDENTIFY = "Identify"
_STATING = (IDENTIFY, "Group")
"""Whose properties may state traits: a customer's, and a group's."""
EVER = 1 << 62
"""Later than every event."""


class History(Protocol):
    """What of a history is read; `hark.history.reader.Snapshot` is one."""

    buckets: int
    merged: Merged

    def runs(
        self, bucket: int, names: Collection[str] | None = None, properties: bool = False
    ) -> list[Run]: ...

    def table(self, names: Collection[str] | None = None, columns_: Sequence[str] = ...) -> pa.Table: ...


Known = Mapping[int, Mapping[str, Trait]]
"""By subject and name, the traits that a question needs."""


Statement: TypeAlias = tuple[int, Instant, int, Mapping[str, JSON]]
"""(subject, at, seq, traits) of an event that states traits."""
Answers = Mapping[int, tuple[Sequence[Event], Sequence[Joining]]]
"""By subject, what was said about being written to, under the numbers it came to, and their joinings."""


class BucketColumns:
    """One bucket's subjects as of a moment (`Columns` of the conditions)."""

    def __init__(self, runs: Iterable[Run], at: Instant, known: Known, said: Answers) -> None:
        self.at = at
        self._runs = [run for run in runs if len(run)]
        self._counted = [_counted(run, at) for run in self._runs]
        self._known, self._said = known, said
        starts = [_starts(run.subject) for run in self._runs]
        held = list(zip(self._runs, self._counted, starts, strict=True))
        seen = [run.subject[first[np.logical_or.reduceat(counted, first)]] for run, counted, first in held]
        self.subjects: Ints = distinct(np.concatenate([np.empty(0, np.int64), *seen]))
        self._places = [self._places_in(run, first) for run, _, first in held]

    def _places_in(self, run: Run, starts: Ints) -> Ints:
        """The place of each row's subject; a row that does not count may have any."""
        mine = np.searchsorted(self.subjects, run.subject[starts])
        return np.repeat(mine, np.diff(np.append(starts, len(run))))

    def matches(self, names: Sequence[str], test: Callable[[bytes], bool] | None) -> Found:
        return self._found(self._passing(names, test))

    def in_order(self, matches: Sequence[tuple[int, Sequence[str], JSON]], order: InOrder) -> Flags:
        from hark.understand.kernels import sequence
        from hark.understand.kernels.rows import Bit, stream, wanted

        asked = [Bit(EventMatch(tuple(names), where)) for _, names, where in matches]
        values = wanted(asked)
        rows = stream([with_values(run, values) for run in self._runs], asked)
        rows = rows.only(rows.at <= self.at)
        bits = np.zeros(len(rows), np.int64)
        for place, (bit, _, _) in enumerate(matches):
            bits |= (rows.bits >> np.uint64(place) & np.uint64(1)).astype(np.int64) * bit
        flags = np.zeros(len(self.subjects), np.bool_)
        flags[np.searchsorted(self.subjects, sequence.met(rows, bits, order, self.at))] = True
        return flags

    def activity(self) -> Found:
        # numba takes half a second to load, which only who asks for all activity should pay.
        from hark.understand.kernels.rows import ACTIVITY, stream

        rows = stream(self._runs, [ACTIVITY])
        rows = rows.only(rows.at <= self.at)
        return Found(np.searchsorted(self.subjects, rows.subject), rows.at, lambda: rows.seq)

    def values(
        self, names: Sequence[str], test: Callable[[bytes], bool] | None, read: Callable[[bytes], JSON]
    ) -> tuple[Found, Ints, list[JSON]]:
        found = self._passing(names, test)
        codes, values = [np.empty(0, np.int64)], list[JSON]()
        for number, rows in found:
            texts = self._runs[number].properties
            assert texts is not None, "runs are read with properties wherever a leaf needs them"
            different, code = np.unique(texts.codes[rows], return_inverse=True)
            codes.append(code.reshape(-1) + len(values))
            values += [read(texts.values[one]) for one in different.tolist()]
        return self._found(found), np.concatenate(codes), values

    def events(self, names: Sequence[str] | None, properties: bool) -> Iterator[tuple[int, Event]]:
        found = self._passing(names, None)
        keys = self._found(found)
        which = np.concatenate([np.empty(0, np.int64), *(np.full(len(rows), one) for one, rows in found)])
        row = np.concatenate([np.empty(0, np.int64), *(rows for _, rows in found)])
        for place in np.lexsort((keys.seq, keys.at, keys.who)).tolist():
            yield int(keys.who[place]), _event(self._runs[which[place]], int(row[place]), properties)

    def _passing(
        self, names: Sequence[str] | None, test: Callable[[bytes], bool] | None
    ) -> list[tuple[int, Ints]]:
        """By number of the run, its rows that count, are of these names (None: all activity) and pass."""
        found = []
        for number, (run, counted) in enumerate(zip(self._runs, self._counted, strict=True)):
            rows = np.flatnonzero(run.active if names is None else _passing(run, names, test))
            rows = rows[counted[rows]]
            if len(rows):
                found.append((number, rows))
        return found

    def _found(self, found: Sequence[tuple[int, Ints]]) -> Found:
        nothing = np.empty(0, np.int64)

        def joined(columns: Sequence[Ints]) -> Ints:
            return np.concatenate([nothing, *(columns[number][rows] for number, rows in found)])

        at = joined([run.at for run in self._runs])
        return Found(joined(self._places), at, lambda: joined([run.seq for run in self._runs]))

    def properties(self, names: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        for run, counted, held in zip(self._runs, self._counted, self._places, strict=True):
            rows = np.flatnonzero(counted & _passing(run, names, None))
            if len(rows):
                assert run.properties is not None, "runs are read with properties wherever a leaf needs them"
                places = held[rows].tolist()
                codes = run.properties.codes[rows].tolist()
                yield from zip(places, (run.properties.values[code] for code in codes), strict=True)

    def traits(self) -> Iterator[tuple[int, Mapping[str, Trait]]]:
        for place, subject in enumerate(self.subjects.tolist()):
            if subject in self._known:
                yield place, self._known[subject]

    def consents(self) -> Iterator[tuple[int, Sequence[Event], Sequence[Joining]]]:
        for place, subject in enumerate(self.subjects.tolist()) if self._said else ():
            if subject in self._said:
                yield place, *self._said[subject]


def _counted(run: Run, at: Instant) -> Flags:
    """The rows that are still their subject's, and not after the moment."""
    early: Flags = run.at <= at
    if run.kept.tolist() == [[0, len(run)]]:
        return early
    kept = np.zeros(len(run), np.bool_)
    for start, end in run.kept.tolist():
        kept[start:end] = True
    return kept & early


def _starts(ascending: Ints) -> Ints:
    """Where each of them stands first."""
    new = np.ones(len(ascending), np.bool_)
    new[1:] = ascending[1:] != ascending[:-1]
    return np.flatnonzero(new)


def _passing(run: Run, names: Sequence[str], test: Callable[[bytes], bool] | None) -> Flags:
    """The rows of these names whose properties pass; the test runs once for each different text."""
    codes = [code for code, name in enumerate(run.names) if name in names]
    if len(codes) == 1:
        named: Flags = run.code == codes[0]
    else:
        named = np.array([name in names for name in run.names], np.bool_)[run.code]
    if test is None or not named.any():
        return named
    assert run.properties is not None, "runs are read with properties wherever a leaf has a predicate"
    passing = np.zeros(len(run.properties.values), np.bool_)
    for code in np.unique(run.properties.codes[named]).tolist():
        passing[code] = test(run.properties.values[code])
    return named & passing[run.properties.codes]


def members(history: History, condition: Condition, at: Instant) -> list[Ints]:
    """Bucket by bucket, the subjects (ascending) that met the condition at a moment.

    Subjects that had no event by then are nobody yet, also for a condition that asks for an absence.
    """
    inside = standing(history, [(condition, at)])
    return over_buckets(history, lambda bucket: inside(bucket)[0])


def standing(history: History, asked: Sequence[tuple[Condition, Instant]]) -> Callable[[int], list[Ints]]:
    """From a bucket to the subjects (ascending) that met each condition at its moment; a bucket is read once
    for all of them. The conditions differ in nothing but what they compare with."""
    leaves = list(asked[0][0].leaves()) if asked else []
    known = _known_at(history, frozenset[str]().union(*(leaf.trait_names() for leaf in leaves)), asked)
    said = answers(history) if any(isinstance(leaf, HasConsent) for leaf in leaves) else {}
    names, properties = _wanted(leaves, everybody=any(one.possible(True) for one, _ in asked))

    def inside(bucket: int) -> list[Ints]:
        found, held = [], history.runs(bucket, names, properties)
        for (condition, at), traits in zip(asked, known, strict=True):
            columns = BucketColumns(held, at, traits, said)
            found.append(columns.subjects[condition.columnar(columns)])
        return found

    return inside


def summaries(history: History, leaf: Leaf) -> Iterator[tuple[int, JSON]]:
    """(subject, summary) of a leaf over the whole history, where it is not the empty one."""
    for bucket in range(history.buckets):
        yield from ((subject, summary) for _, subject, summary in summaries_in(history, [leaf], bucket))


def summaries_in(history: History, leaves: Sequence[Leaf], bucket: int) -> Iterator[tuple[str, int, JSON]]:
    """(key, subject, summary) of leaves over a bucket, which is read once for all of them."""
    names, properties = _wanted(leaves, everybody=False)
    if names is None or names:
        columns = BucketColumns(history.runs(bucket, names, properties), EVER, {}, {})
        for leaf in leaves:
            yield from ((leaf.key, subject, summary) for subject, summary in leaf.summarised(columns))


def watched(leaves: Sequence[Leaf]) -> frozenset[str] | None:
    """The names of the events that leaves fold; None: all."""
    return _wanted(leaves, everybody=False)[0]


def read_of(leaves: Sequence[Leaf]) -> bool:
    """Whether the properties of these events matter."""
    return _wanted(leaves, everybody=False)[1]


def _wanted(leaves: Sequence[Leaf], everybody: bool) -> tuple[frozenset[str] | None, bool]:
    """The names of events to read (None: all), and whether their properties too."""
    names = frozenset[str]().union(*(leaf.watches() for leaf in leaves))
    properties = any(leaf.reads_properties or leaf.test is not None for leaf in leaves)
    return None if everybody or ACTIVITY in names else names - {TRAITS}, properties


def _event(run: Run, row: int, properties: bool) -> Event:
    """What conditions fold of an event."""
    raw = b"{}"
    if properties:
        assert run.properties is not None, "runs are read with properties wherever a leaf needs them"
        raw = run.properties.values[run.properties.codes[row]]
    at, name = int(run.at[row]), run.names[run.code[row]]
    active = bool(run.active[row])
    return Event(int(run.subject[row]), at, int(run.seq[row]), name, 0, "", "", at, at, at, active, raw)


def _known_at(
    history: History, names: frozenset[str], asked: Sequence[tuple[Condition, Instant]]
) -> list[Known]:
    """These traits of every subject as of each moment, each the latest by (at, seq) up to it."""
    stated = list(statements(history)) if names else []
    return [_latest(stated, names, at) for _, at in asked]


def _latest(stated: Iterable[Statement], names: frozenset[str], at: Instant) -> Known:
    known: dict[int, dict[str, Trait]] = {}
    for subject, when, seq, traits in stated:
        if when <= at:
            _keep(known.setdefault(subject, {}), names, traits, when, seq)
    return known


def answers(history: History) -> Answers:
    """What every subject has said about being written to, by any event."""
    rows = history.table(sorted(NAMES), (*CHUNK.names, "origin"))
    homes = pc.coalesce(rows["origin"], rows["subject"])
    written = events(rows.set_column(rows.schema.get_field_index("subject"), "subject", homes))
    found: dict[int, list[Event]] = {}
    for subject, event in zip(rows["subject"].to_pylist(), written, strict=True):
        found.setdefault(subject, []).append(event)
    return {subject: (said, _joinings(history.merged, subject)) for subject, said in found.items()}


def _joinings(merged: Merged, subject: int) -> Sequence[Joining]:
    return [Joining(one.at, one.younger, one.older) for one in merged.making(subject)]


def statements(history: History) -> Iterator[Statement]:
    """Every event that may state traits, in no order."""
    for rows in (_identified(history), _in_context(history)):
        cells = (rows[name].to_pylist() for name in ("subject", "seq", "kind", "properties", "context"))
        for when, subject, seq, kind, *raw in zip(micros(rows["at"]).tolist(), *cells, strict=True):
            yield subject, when, seq, stated_by(subject, kind, _raw(raw[0]), _raw(raw[1]))


def _keep(
    known: dict[str, Trait], names: frozenset[str], stated: Mapping[str, JSON], at: Instant, seq: int
) -> None:
    """Takes in what an event states, where nothing later is known."""
    for name, value in stated.items():
        old = known.get(name)
        if name in names and (old is None or (at, seq) >= (old.at, old.seq)):
            known[name] = Trait(value, at, seq)


def _identified(history: History) -> pa.Table:
    return history.table(_STATING, ("subject", "at", "seq", "kind", "properties", "context"))


def _in_context(history: History) -> pa.Table:
    """The other rows whose context may state traits; their properties state none and are not read."""
    rows = history.table(None, ("subject", "at", "seq", "name", "kind", "context"))
    rows = rows.filter(pc.match_substring(rows["context"].cast(pa.string()), STATING.decode()))
    rows = rows.filter(pc.invert(pc.is_in(rows["name"].cast(pa.string()), pa.array(_STATING))))
    return rows.append_column("properties", pa.array(["{}"] * rows.num_rows, pa.string()))


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
