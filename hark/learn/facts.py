"""What Hark wrote of its campaigns into the history, read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from hark.history.runs import Run
from hark.learn.columns import COLUMNS, Entries, Flags, Integers, Snapshot, integers
from hark.learn.entries import SEND_REACHED, Entered, Step, compared
from hark.model import FactName, Instant

T = TypeVar("T")


class Conflict(Struct, frozen=True):
    """What is read of an `Arm Conflict` fact's properties."""

    campaign: str


class Qualified(Struct, frozen=True):
    """What is read of a `Programme Entered` fact's properties."""

    programme: str
    version: int
    arm: str
    share: float


class First(NamedTuple):
    """A first entry: when, and what it says."""

    at: Instant
    seq: int
    told: Entered


class Facts:
    """The entries, sends and conflicts of all campaigns, and the events that are goals."""

    def __init__(self, history: Snapshot) -> None:
        self.history = history
        self._goals: dict[frozenset[str], pa.Table] = {}

    def events(self, names: Sequence[str]) -> pa.Table:
        """The events of these names."""
        key = frozenset(names)
        if key not in self._goals:
            self._goals[key] = self.history.table(names, COLUMNS)
        return self._goals[key]

    def entries(self, campaign: str) -> dict[int, Entries]:
        """By version, the first entries of a campaign."""
        rows, first = self._entered
        subject, at, seq = (integers(rows, name) for name in COLUMNS[:3])
        found = {version: list(by.values()) for version, by in first.get(campaign, {}).items()}
        places = {version: np.array([row for row, _ in some], np.int64) for version, some in found.items()}
        return {
            version: Entries(subject[place], at[place], seq[place], [told for _, told in found[version]])
            for version, place in places.items()
        }

    def first_entries(self, campaign: str, version: int) -> dict[int, First]:
        """By subject the first entry into a version's comparison."""
        rows, first = self._entered
        at, seq = (integers(rows, name) for name in ("at", "seq"))
        found = first.get(campaign, {}).get(version, {})
        return {subject: First(int(at[row]), int(seq[row]), told) for subject, (row, told) in found.items()}

    def sent_in(self, subject: int, run: str) -> bool:
        """Whether a run came to a send, in shadow or not."""
        return (subject, run) in self._sends

    def came_to_a_send(self, entries: Entries) -> Flags:
        """For each entry: whether its run came to a send, in shadow or not."""
        mine = zip(entries.subject.tolist(), entries.runs, strict=True)
        return np.fromiter((one in self._sends for one in mine), np.bool_, len(entries))

    def conflicting(self, campaign: str) -> Integers:
        """Subjects who turned out to be one person under two ids, each with an arm of its own."""
        subjects = (subject for subject, found in self._conflicts if found.campaign == campaign)
        return np.unique(np.fromiter(subjects, np.int64))

    def qualified(self, programme: str) -> tuple[Entries, list[float]]:
        """Everybody drawn for a programme, at the draw, and the control's share then."""
        rows, told = self._read([FactName.PROGRAMME_ENTERED], Qualified)
        first: dict[int, tuple[int, Qualified]] = {}
        for row, (subject, found) in enumerate(told):
            if found.programme == programme:
                first.setdefault(subject, (row, found))
        place = np.array([row for row, _ in first.values()], np.int64)
        who, at, seq = (integers(rows, name)[place] for name in COLUMNS[:3])
        arms = [Entered(programme, found.version, found.arm) for _, found in first.values()]
        return Entries(who, at, seq, arms), [found.share for _, found in first.values()]

    @cached_property
    def activity(self) -> tuple[Integers, Integers]:
        """(subject, at) of everything that those who entered any campaign did, in no order."""
        entered = self._who()
        parts = [
            _active(run, entered)
            for bucket in range(self.history.buckets)
            for run in self.history.runs(bucket)
        ]
        none = np.zeros(0, np.int64)
        subjects, ats = zip((none, none), *parts, strict=True)
        return np.concatenate(subjects), np.concatenate(ats)

    def _who(self) -> Integers:
        """Whose activity is looked at."""
        return np.unique(integers(self._entered[0], "subject"))

    @cached_property
    def _entered(self) -> tuple[pa.Table, dict[str, dict[int, dict[int, tuple[int, Entered]]]]]:
        """All entries; and by campaign, version and subject the first: its row and what it says."""
        rows, told = self._read([FactName.CAMPAIGN_ENTERED], Entered)
        first: dict[str, dict[int, dict[int, tuple[int, Entered]]]] = {}
        for row, (subject, found) in enumerate(told):
            if compared(found):
                by = first.setdefault(found.campaign, {}).setdefault(found.version, {})
                by.setdefault(subject, (row, found))
        return rows, first

    @cached_property
    def _sends(self) -> set[tuple[int, str]]:
        return {(subject, step.run) for subject, step in self._read(SEND_REACHED, Step)[1]}

    @cached_property
    def _conflicts(self) -> list[tuple[int, Conflict]]:
        return self._read([FactName.ARM_CONFLICT], Conflict)[1]

    def _read(self, names: Sequence[str], type_: type[T]) -> tuple[pa.Table, list[tuple[int, T]]]:
        """The facts of these names: as rows, and (subject, what its properties say) of each."""
        rows = self.history.table(names, COLUMNS)
        decode = msgspec.json.Decoder(type_).decode
        subjects, properties = integers(rows, "subject").tolist(), rows["properties"].to_pylist()
        return rows, list(zip(subjects, map(decode, properties), strict=True))


def _active(run: Run, subjects: Integers) -> tuple[Integers, Integers]:
    """(subject, at) of the activity of these subjects in a run."""
    counts = np.zeros(len(run) + 1, np.int64)
    np.add.at(counts, run.kept[:, 0], 1)
    np.add.at(counts, run.kept[:, 1], -1)
    rows = np.flatnonzero(run.active & (np.cumsum(counts[:-1]) > 0))
    rows = rows[np.isin(run.subject[rows], subjects)]
    return run.subject[rows], run.at[rows]


class FactsOf(Facts):
    """The same, where the activity of these subjects is looked at."""

    def __init__(self, snapshot: Snapshot, subjects: Integers) -> None:
        super().__init__(snapshot)
        self._subjects = subjects

    def _who(self) -> Integers:
        return self._subjects
