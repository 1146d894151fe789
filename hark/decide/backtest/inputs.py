"""Who could enter, and which of their events matter: found in columns, so that `step` sees nothing else.

Both are only narrowed where the plan says that nothing can come of the rest: an event that nothing watches
sets nothing off (`Plan.touches`), and who never could set off the trigger never
enters, whatever else they did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.decide.course import Course, Match, Test
from hark.decide.plan import OfGroups, Plan
from hark.decide.watch import GROUP_CALL, STATING
from hark.history.columns import micros
from hark.history.runs import Codes, Flags, Ints
from hark.model import Event, FactName, Kind
from hark.understand.conditions import AllOf, AnyOf, Condition, Did

COLUMNS = (
    "subject", "at", "seq", "name", "kind", "source", "message_id", "known_at", "active", "properties",
    "context",
)  # fmt: skip


class History(Protocol):
    """What of a history is read; `hark.history.reader.Snapshot` is one."""

    buckets: int

    def rows(
        self, bucket: int, columns: Sequence[str], by: Sequence[str], keep: Callable[[pa.Table], pa.Array]
    ) -> Iterator[pa.Table]: ...


def histories(history: History, bucket: int, plan: Plan, course: Course) -> Iterator[tuple[int, list[Event]]]:
    """Of a bucket's customers who could enter, each with the events that the plan asks for, by
    (known_at, seq), as they arrive at their `known_at`."""
    rows = read(history, bucket, plan, everybody=asks_everybody(plan, course))
    chosen = rows.of(could_enter(rows, plan, course))
    ends = [*np.flatnonzero(np.diff(chosen.subject)) + 1, len(chosen.subject)]
    events, start = chosen.events(), 0
    for end in ends if len(chosen.subject) else ():
        yield int(chosen.subject[start]), [next(events) for _ in range(end - start)]
        start = end


def asks_everybody(plan: Plan, course: Course) -> bool:
    """Whether a customer's events matter whatever they are: for segments of those who did nothing, for
    conditions on all activity, and where no event starts the campaign."""
    enters = course.campaign.trigger.enters
    return plan.greets or plan.any_activity or not (course.starts_when or enters)


def read(history: History, bucket: int, plan: Plan, everybody: bool) -> Rows:
    """The events of a bucket that the plan watches, or that state traits; everybody's first too, if asked."""
    watched = frozenset(plan.names)

    def keep(part: pa.Table) -> pa.Array:
        kept = _any_of(part["name"], watched.__contains__) | _stating(part, plan)
        return pa.array((kept | everybody) & (part["kind"].to_numpy() != Kind.FACT))

    found = history.rows(bucket, COLUMNS, ("name", "kind", "context"), keep)
    parts = [part.select(COLUMNS) for part in found if part.num_rows]
    if not parts:
        return Rows(pa.table({name: [] for name in COLUMNS}), np.empty(0, np.int64))
    whole = pa.concat_tables([_alike(part) for part in parts]).unify_dictionaries().combine_chunks()
    keys = [whole["seq"].to_numpy(), micros(whole["known_at"]), whole["subject"].to_numpy()]
    whole = whole.take(pa.array(np.lexsort(keys)))
    rows = Rows(whole, whole["subject"].to_numpy())
    return rows.that(rows.asked(plan, everybody))


def _alike(part: pa.Table) -> pa.Table:
    """Dictionaries of one type, whoever made them."""
    text = pa.dictionary(pa.int32(), pa.string())
    fields = [
        pa.field(one.name, text if pa.types.is_dictionary(one.type) else one.type) for one in part.schema
    ]
    return part.cast(pa.schema(fields))


def _any_of(column: pa.ChunkedArray, test: Callable[[str], bool]) -> Flags:
    """The rows of a dictionary-encoded column whose text passes; asked once for each different text."""
    found = [
        np.array([test(word) for word in chunk.dictionary.to_pylist()], np.bool_)[chunk.indices.to_numpy()]
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(found) if found else np.empty(0, np.bool_)


def _stating(part: pa.Table, plan: Plan) -> Flags:
    """The rows that may state traits of their subject (`Plan.states`)."""
    if isinstance(plan, OfGroups):
        return _any_of(part["name"], GROUP_CALL.__eq__)
    return _any_of(part["context"], _states)


def _states(context: str) -> bool:
    return STATING.decode() in context


@dataclass(frozen=True)
class Rows:
    """Events of one bucket by (subject, known_at, seq)."""

    table: pa.Table
    subject: Ints

    def that(self, flags: Flags) -> Rows:
        return Rows(self.table.filter(pa.array(flags)), self.subject[flags])

    def of(self, subjects: Ints) -> Rows:
        """The rows of these subjects (ascending)."""
        return self.that(np.isin(self.subject, subjects, assume_unique=False))

    def asked(self, plan: Plan, everybody: bool) -> Flags:
        """The rows with which the plan has anything to do (`Plan.touches`), and first ones, if asked."""
        kept = _stating(self.table, plan)
        names = self.words("name")
        for name in set(names):
            watch = plan.watch(name)
            if watch is not None:
                kept |= self.matching((name,), watch.test)
        if plan.any_activity:
            kept |= self.table["active"].to_numpy()
        if everybody:
            kept |= np.diff(self.subject, prepend=-1) != 0
        return kept

    def words(self, column: str) -> list[str]:
        """The different texts of a column."""
        chunks = self.table[column].chunks
        found: list[str] = chunks[0].dictionary.to_pylist() if chunks else []
        return found

    def codes(self, column: str) -> Codes:
        found: Codes = self.table[column].combine_chunks().indices.to_numpy()
        return found

    def matching(self, names: Collection[str], test: Test | None) -> Flags:
        """The rows of these events whose properties pass; the test runs once for each different text."""
        if not len(self.subject):
            return np.empty(0, np.bool_)
        flags = _any_of(self.table["name"], names.__contains__)
        if test is None or not flags.any():
            return flags
        codes, values = self.codes("properties"), self.words("properties")
        passing = np.zeros(len(values), np.bool_)
        for code in np.unique(codes[flags]).tolist():
            passing[code] = test(values[code].encode())
        return flags & passing[codes]

    def events(self) -> Iterator[Event]:
        """The rows as events that arrive at their `known_at`."""
        for batch in self.table.to_batches(max_chunksize=65_536):
            columns = {name: _values(batch.column(name), name) for name in COLUMNS}
            known = columns["known_at"]
            yield from map(
                Event, columns["subject"], columns["at"], columns["seq"], columns["name"], columns["kind"],
                columns["source"], columns["message_id"], known, known, known, columns["active"],
                columns["properties"], columns["context"],
            )  # fmt: skip


def _values(column: pa.Array, name: str) -> list[object]:
    """Python values of a column; properties and context as bytes."""
    if pa.types.is_timestamp(column.type):
        return column.view(pa.int64()).to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_dictionary(column.type):
        words = column.dictionary.to_pylist()
        if name in ("properties", "context"):
            words = [word.encode() for word in words]
        return [words[code] for code in column.indices.to_pylist()]
    return column.to_pylist()  # type: ignore[no-any-return]


def could_enter(rows: Rows, plan: Plan, course: Course) -> Ints:
    """The subjects, ascending, who may set off the trigger at some moment; all who do are among them."""
    subjects = np.unique(rows.subject)
    trigger = course.campaign.trigger
    if course.starts_when is not None:
        return np.unique(rows.subject[_matching(rows, course.starts_when)])
    asked = f"{trigger.level.definition}.{trigger.level.level}" if trigger.level else trigger.enters
    if asked and asked in plan.segments:
        return subjects[possible(plan.segments[asked].where, rows, subjects)]
    return subjects


def _matching(rows: Rows, match: Match) -> Flags:
    return rows.matching(match.names, match.test)


def possible(condition: Condition, rows: Rows, subjects: Ints) -> Flags:
    """For which of the subjects the condition may hold at some moment of their history.

    A count passes through all numbers from none to the whole history's, in a window through some of them.
    """
    match condition:
        case AllOf(parts=parts):
            return np.logical_and.reduce([possible(part, rows, subjects) for part in parts])  # type: ignore[no-any-return]
        case AnyOf(parts=parts):
            return np.logical_or.reduce([possible(part, rows, subjects) for part in parts])  # type: ignore[no-any-return]
        case Did() if not set(condition.names) & set(FactName):
            found = rows.subject[rows.matching(condition.names, condition.test)]
            counts = np.bincount(np.searchsorted(subjects, found), minlength=len(subjects))
            ever = np.logical_or.accumulate(np.array(condition.accepts))
            return ever[np.minimum(counts, condition.cap)]
    return np.ones(len(subjects), np.bool_)


def known_span(history: History) -> tuple[int, int]:
    """When the first and the latest event of any customer became known; (0, 0) where there is none."""
    first, last = 1 << 62, 0
    for bucket in range(history.buckets):
        for part in history.rows(bucket, ("subject", "known_at"), ("kind",), _no_fact):
            if part.num_rows:
                found = pc.min_max(part["known_at"].cast(pa.int64())).as_py()
                first, last = min(first, found["min"]), max(last, found["max"])
    return (first, last) if last else (0, 0)


def _no_fact(part: pa.Table) -> pa.Array:
    return pc.not_equal(part["kind"], int(Kind.FACT))
