"""One subject's history, page by page: whatever its length, only what is shown becomes objects.

The key columns (when, what, by whom) are read whole, which takes a few hundredths of a second for a million
events; properties and context only of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from hark.history.columns import events, micros
from hark.history.story import Mark, Span
from hark.model import Event, Kind
from hark.store.table import ROWS

KEYS = ["at", "seq", "name", "kind", "active"]
Instants: TypeAlias = npt.NDArray[np.int64]
Sessions: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


class History(Protocol):
    """What is read of; `hark.history.reader.Snapshot` is one."""

    def subject_table(self, subject: int, wanted: Sequence[str] = ..., span: Span = ...) -> pa.Table: ...


class Page(Struct, frozen=True):
    """Some events, the newest first."""

    events: list[Event]
    older: Mark | None
    """Ask for what is before it to see more; None: these are the oldest."""


class Timeline:
    """The events of one subject. Reads when asked; what was read of the keys is kept."""

    def __init__(self, history: History, subject: int) -> None:
        self._history, self._subject = history, subject

    @cached_property
    def keys(self) -> pa.Table:
        """When, in which order, what, of which kind and whether it was activity: (at, seq) ascending."""
        return self._history.subject_table(self._subject, KEYS)

    @cached_property
    def at(self) -> npt.NDArray[np.int64]:
        """When, as microseconds, ascending."""
        return micros(self.keys["at"])

    @cached_property
    def activity(self) -> Flags:
        """Which of them the subject did: no facts of Hark's own, nothing sent as inactive."""
        found: Flags = self.keys["active"].to_numpy() & (self.keys["kind"].to_numpy() != int(Kind.FACT))
        return found

    def names(self) -> list[tuple[str, int]]:
        """How often each event is there, the most frequent first."""
        return _counted(self.keys["name"])

    def instants(self, names: Collection[str], passes: Callable[[bytes], bool] | None = None) -> Instants:
        """When events of these names were, ascending; only those whose properties pass."""
        at: Instants = self.at[self.rows(names, passes)]
        return at

    def rows(self, names: Collection[str], passes: Callable[[bytes], bool] | None = None) -> Rows:
        """The rows of `keys` with events of these names; only those whose properties pass."""
        chosen = np.flatnonzero(pc.is_in(self.keys["name"], pa.array(list(names), pa.string())).to_numpy())
        if passes is None or not len(chosen):
            return chosen
        span = int(self.at[chosen[0]]), int(self.at[chosen[-1]])
        found = self._history.subject_table(self._subject, ["name", "properties"], span)
        named = pc.is_in(found["name"], pa.array(list(names), pa.string()))
        raw = found["properties"].filter(named).cast(pa.binary()).to_pylist()
        return chosen[np.fromiter(map(passes, raw), np.bool_, len(raw))]

    def counts(self, rows: Rows) -> list[tuple[str, int]]:
        """How often each event is among these rows, the most frequent first."""
        return _counted(self.keys["name"].take(pa.array(rows)))

    def stating(self) -> list[Event]:
        """The events that may state traits, by (at, seq)."""
        found = self._history.subject_table(self._subject)
        calls = pc.is_in(found["kind"], pa.array([int(Kind.IDENTIFY), int(Kind.GROUP)], pa.int8()))
        within = pc.match_substring(found["context"].cast(pa.string()), '"traits"')
        return list(events(found.filter(pc.or_(calls, within))))

    def sessions(self, gap_us: int) -> Sessions:
        """Their visits: (begun, ended, events) of each, in order. A gap as long as `gap_us` ends one."""
        at = self.at[self.activity]
        begins = np.flatnonzero(np.diff(at, prepend=at[:1] - gap_us) >= gap_us)
        after = np.append(begins[1:], len(at))[: len(begins)]
        return np.column_stack([at[begins], at[after - 1], after - begins])

    def page(
        self,
        limit: int,
        before: Mark | None = None,
        names: Collection[str] | None = None,
        activity: bool | None = None,
    ) -> Page:
        """The latest `limit` events before a place; of these names, only what they did or only the rest."""
        chosen = np.ones(len(self.at), np.bool_)
        if before is not None:
            seq = self.keys["seq"].to_numpy()
            chosen &= (self.at < before[0]) | ((self.at == before[0]) & (seq < before[1]))
        if names is not None:
            chosen &= pc.is_in(self.keys["name"], pa.array(list(names), pa.string())).to_numpy()
        if activity is not None:
            chosen &= self.activity == activity
        found = np.flatnonzero(chosen)
        shown = found[-limit:] if limit else found[:0]
        return Page(self._events(shown)[::-1], self._place(shown[0]) if len(found) > len(shown) else None)

    def _place(self, row: int) -> Mark:
        return int(self.at[row]), self.keys["seq"][int(row)].as_py()

    def _events(self, rows: npt.NDArray[np.int64]) -> list[Event]:
        """Whole events by the number of their row."""
        if not len(rows):
            return []
        span = int(self.at[rows[0]]), int(self.at[rows[-1]])
        wanted = self.keys["seq"].take(pa.array(rows)).combine_chunks()
        found = self._history.subject_table(self._subject, ROWS.names, span)
        return list(events(found.filter(pc.is_in(found["seq"], wanted))))


def _counted(names: pa.ChunkedArray) -> list[tuple[str, int]]:
    found = pc.value_counts(names).to_pylist()
    return sorted(((one["values"], one["counts"]) for one in found), key=lambda one: (-one[1], one[0]))
