"""First entries and their outcomes over whole columns; `entries` says what they mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hark.definitions.types import Goal
from hark.history.runs import Run
from hark.learn.adjust import CrossSums
from hark.learn.aggregates import Sums
from hark.learn.entries import GRACE_US, Entered
from hark.model import Instant
from hark.understand import operators
from hark.understand.operators import is_number, value_at

Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
NEVER = np.iinfo(np.int64).max
COLUMNS = ("subject", "at", "seq", "name", "properties")


class Snapshot(Protocol):
    """What is asked of the history: rows of these event names, sorted by (subject, at, seq), and the key
    columns of all events, bucket by bucket."""

    @property
    def buckets(self) -> int: ...

    def table(self, names: Collection[str] | None, columns: Sequence[str], /) -> pa.Table: ...

    def runs(self, bucket: int, /) -> list[Run]: ...


class Entries:
    """The first entries into one version's comparison, one row a subject, ascending by subject."""

    def __init__(self, subject: Integers, at: Integers, seq: Integers, told: Sequence[Entered]) -> None:
        self.subject, self.at, self.seq = subject, at, seq
        self.drawn = np.array([not one.carried for one in told], np.bool_)
        """Under this version's shares, and not recorded before."""
        self.runs = [one.run for one in told]
        self.batches = sorted({one.batch for one in told})
        numbers = {batch: number for number, batch in enumerate(self.batches)}
        self.batch = np.array([numbers[one.batch] for one in told], np.int64)
        """Which of `batches` each was drawn in."""
        self.names = sorted({one.arm for one in told})
        codes = {name: code for code, name in enumerate(self.names)}
        self.arm = np.array([codes[one.arm] for one in told], np.int64)

    def __len__(self) -> int:
        return len(self.subject)

    def entered(self) -> dict[str, int]:
        """By arm, the different subjects that entered."""
        return self._counted(self.arm)

    def sizes(self) -> dict[str, int]:
        """By arm, those of them who were drawn under this version's shares: what the arms' sizes rest on."""
        return self._counted(self.arm[self.drawn])

    def _counted(self, arms: Integers) -> dict[str, int]:
        counts = np.bincount(arms, minlength=len(self.names))
        return {name: int(counts[code]) for code, name in enumerate(self.names)}


class Outcomes:
    """For each entry: whether the goal was reached within its window, and the value."""

    def __init__(self, entries: Entries, events: pa.Table, goal: Goal) -> None:
        self.entries, self.goal = entries, goal
        after, before = _around_entry(entries, events, goal)
        after = self._fitting(events, *after)
        self.reached, self.value = self._found(events, *after)
        self.count: Integers = np.bincount(after[1], minlength=len(entries))
        """Goal events within the window."""
        self.since = _earliest(entries, events, *after)
        """Microseconds from the entry to the first goal within the window; NEVER where there is none."""
        reached_before, value_before = self._found(events, *self._fitting(events, *before))
        self.outcome, self.before = self.reached.astype(np.float64), reached_before.astype(np.float64)
        """What is compared, and the same of as long a time before the entry: the goal, or its value."""
        if goal.value:
            self.outcome, self.before = self.value, value_before

    def _fitting(self, events: pa.Table, rows: Integers, places: Integers) -> Places:
        """Those of these rows that are the goal."""
        if self.goal.event.where is None:
            return rows, places
        fits = operators.compile(self.goal.event.where)
        kept = np.fromiter(map(fits, _properties(events, rows)), np.bool_, len(rows))
        return rows[kept], places[kept]

    def _found(self, events: pa.Table, rows: Integers, places: Integers) -> tuple[Flags, Floats]:
        """By entry, whether one of these rows is there, and their value."""
        values = _values(events, rows, self.goal)
        count = len(self.entries)
        return np.bincount(places, minlength=count) > 0, np.bincount(places, values, count).astype(np.float64)

    def sums(
        self,
        now: Instant,
        without: Integers | None = None,
        only: npt.NDArray[np.bool_] | None = None,
        by: int | None = None,
    ) -> dict[str, Sums]:
        """By arm, the entries whose windows are over.

        Of them: `without` these subjects, `only` those marked. With `by` a goal counts only if it came within
        so many microseconds of the entry.
        """
        counted = self.over(now)
        if without is not None:
            counted &= ~np.isin(self.entries.subject, without)
        if only is not None:
            counted &= only
        return {name: self._sum(counted & (self.entries.arm == code), by)
                for code, name in enumerate(self.entries.names)}  # fmt: skip

    def over(self, now: Instant) -> Flags:
        """The entries whose windows and grace are over."""
        return self.entries.at + self.goal.within_us + GRACE_US < now

    def cross_sums(self, now: Instant) -> dict[str, CrossSums]:
        """By arm, over entries whose windows are over, the outcome beside what it was before the entry."""
        return {name: self._cross(self.over(now) & (self.entries.arm == code))
                for code, name in enumerate(self.entries.names)}  # fmt: skip

    def _cross(self, who: Flags) -> CrossSums:
        y, x = self.outcome[who], self.before[who]
        return CrossSums(len(y), *(float(one.sum()) for one in (y, y * y, x, x * x, x * y)))

    def _sum(self, who: Flags, by: int | None) -> Sums:
        value, reached = self.value[who], self.reached[who]
        if by is not None:
            reached = reached & (self.since[who] <= by)
        return Sums(
            int(who.sum()),
            int(reached.sum()),
            float(value.sum()),
            float((value * value).sum()),
            float(value.max(initial=0.0)),
        )


Places: TypeAlias = tuple[Integers, Integers]
"""(rows of events, places of their subjects' entries)"""


def _around_entry(entries: Entries, events: pa.Table, goal: Goal) -> tuple[Places, Places]:
    """The events in the entries' windows, and those in as long a time before the entries."""
    none = np.zeros(0, np.int64)
    if not (len(entries) and events.num_rows):
        return (none, none), (none, none)
    subject, at, seq = (integers(events, name) for name in COLUMNS[:3])
    place = np.minimum(np.searchsorted(entries.subject, subject), len(entries) - 1)
    start, start_seq = entries.at[place], entries.seq[place]
    after = (at > start) | ((at == start) & (seq > start_seq))
    own = entries.subject[place] == subject
    later = np.flatnonzero(own & after & (at <= start + goal.within_us))
    earlier = np.flatnonzero(own & ~after & (at > start - goal.within_us))
    return (later, place[later]), (earlier, place[earlier])


def _earliest(entries: Entries, events: pa.Table, rows: Integers, places: Integers) -> Integers:
    """By entry, how long after it the first of these rows is."""
    since = np.full(len(entries), NEVER, np.int64)
    if len(rows):
        np.minimum.at(since, places, integers(events, "at")[rows] - entries.at[places])
    return since


def _values(events: pa.Table, rows: Integers, goal: Goal) -> npt.NDArray[np.float64]:
    return numbers_at(goal.value, _properties(events, rows)) if goal.value else np.zeros(len(rows))


def numbers_at(path: str, properties: Sequence[bytes]) -> npt.NDArray[np.float64]:
    """The numbers at a dotted path of each JSON object; 0 where there is none or it is no number."""
    names, decode = tuple(path.split(".")), msgspec.json.decode
    found = (value_at(names, decode(raw)) for raw in properties)
    return np.fromiter((value if is_number(value) else 0.0 for value in found), np.float64, len(properties))


def _properties(events: pa.Table, rows: Integers) -> list[bytes]:
    found: list[bytes] = events["properties"].take(pa.array(rows)).to_pylist()
    return found


def integers(table: pa.Table, name: str) -> Integers:
    """A column of whole numbers."""
    found: Any = pc.cast(table[name].combine_chunks(), pa.int64())
    numbers: Integers = found.to_numpy(zero_copy_only=False)
    return numbers


def raw(text: str | bytes) -> bytes:
    """A cell of JSON, as tables of either kind have it."""
    return text.encode() if isinstance(text, str) else text
