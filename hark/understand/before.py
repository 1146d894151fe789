"""Who met a condition at a moment of their own: just before an entry, a purchase, a first visit.

A segment's members are asked for at one moment for everybody (`segments`). Here each subject has a moment, so
the condition's pure meaning is asked over the events before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.model import Event, Instant
from hark.understand.batch import IDENTIFY
from hark.understand.conditions import TRAITS, Condition
from hark.understand.conditions.base import ACTIVITY, Flags, Ints
from hark.understand.conditions.trait import STATING

Mark: TypeAlias = tuple[Instant, int]
"""(at, seq)"""
_READ = ("subject", "at", "seq", "name", "kind", "active", "properties", "context")


class Rows(Protocol):
    """Rows of these event names (None: all), by (subject, at, seq)."""

    def table(self, names: Collection[str] | None, columns: Sequence[str], /) -> pa.Table: ...


def held_before(
    history: Rows, conditions: Mapping[str, Condition], subjects: Ints, moments: Sequence[Mark]
) -> dict[str, Flags]:
    """By name, for each of the subjects (ascending), whether the condition held just before its moment.

    Events strictly before the (at, seq) count, at that instant of time. Of a subject that was two before a
    merge all that both did is one story.
    """
    found = {name: np.zeros(len(subjects), np.bool_) for name in conditions}
    stories = dict(_stories(history, conditions.values(), subjects))
    for place, (subject, mark) in enumerate(zip(subjects.tolist(), moments, strict=True)):
        before = [one for one in stories.get(subject, ()) if (one.at, one.seq) < mark]
        for name, condition in conditions.items():
            found[name][place] = condition.holds(before, mark[0])
    return found


def _stories(
    history: Rows, conditions: Collection[Condition], subjects: Ints
) -> Iterator[tuple[int, list[Event]]]:
    """(subject, the events of it that these conditions look at, by (at, seq))."""
    whose = pa.array(subjects)
    found: list[Event] = []
    names, traits = _wanted(conditions)
    rows = history.table(names, _READ)
    found += _events(rows.filter(pc.is_in(rows["subject"], whose)))
    if traits and names is not None:
        rows = history.table(None, _READ)
        found += _events(_stating(rows.filter(pc.is_in(rows["subject"], whose)), names))
    found.sort(key=attrgetter("subject", "at", "seq"))
    for subject, mine in groupby(found, key=attrgetter("subject")):
        yield subject, list(mine)


def _wanted(conditions: Collection[Condition]) -> tuple[frozenset[str] | None, bool]:
    """The names of events to read (None: all), and whether any event may state a trait that is looked at."""
    leaves = [leaf for condition in conditions for leaf in condition.leaves()]
    names = frozenset[str]().union(*(leaf.watches() for leaf in leaves))
    traits = TRAITS in names or any(leaf.trait_names() for leaf in leaves)
    if ACTIVITY in names:
        return None, traits
    return (names - {TRAITS}) | ({IDENTIFY} if traits else set()), traits


def _stating(rows: pa.Table, read: Collection[str]) -> pa.Table:
    """Those of other names than were read, whose context may state traits."""
    rows = rows.filter(pc.invert(pc.is_in(rows["name"].cast(pa.string()), pa.array(list(read), pa.string()))))
    return rows.filter(pc.match_substring(rows["context"].cast(pa.string()), STATING.decode()))


def _events(rows: pa.Table) -> Iterator[Event]:
    at = pc.cast(rows["at"], pa.int64()).to_pylist()
    cells: list[list[Any]] = [rows[name].to_pylist() for name in _READ if name != "at"]
    for when, subject, seq, name, kind, active, properties, context in zip(at, *cells, strict=True):
        yield Event(subject, when, seq, name, kind, "", "", when, when, when, active, properties, context)
