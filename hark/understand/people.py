"""Whom a question is about: everybody but our own people, or the members of a segment among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hark.history.reader import NOTHING, Snapshot
from hark.history.runs import Ints, Run
from hark.history.values import Wanted
from hark.model import Instant
from hark.understand.batch import members
from hark.understand.conditions import Condition

Segments = Callable[[str], Condition]
"""The condition of a segment by its name; raises HarkError where there is none."""


def _no_segment(name: str) -> Condition:
    raise LookupError(name)


@dataclass(frozen=True)
class People:
    """A snapshot as questions see it: rows of nobody but those asked about."""

    snapshot: Snapshot
    now: Instant
    left_out: tuple[Ints, ...] = ()
    """By bucket, our own people (`policy: internal`), ascending."""
    only: tuple[Ints, ...] = ()
    """By bucket, those alone who are asked about; () for everybody."""
    segments: Segments = _no_segment

    @property
    def buckets(self) -> int:
        return self.snapshot.buckets

    def runs(
        self,
        bucket: int,
        names: Collection[str] | None = None,
        properties: bool = False,
        values: Wanted = NOTHING,
    ) -> list[Run]:
        """As `Snapshot.runs`, with rows of the people asked about alone."""
        found = self.snapshot.runs(bucket, names, properties, values)
        if self.left_out and len(self.left_out[bucket]):
            found = [kept(run, self.left_out[bucket], inside=False) for run in found]
        if self.only:
            found = [kept(run, self.only[bucket], inside=True) for run in found]
        return found

    def table(self, names: Collection[str] | None, columns: Sequence[str]) -> pa.Table:
        """As `Snapshot.table`, with rows of the people asked about alone; `columns` have the subject."""
        rows = self.snapshot.table(names, columns)
        for subjects, inside in ((self.left_out, False), (self.only, True)):
            if subjects:
                found = pc.is_in(rows["subject"], pa.array(np.concatenate(subjects), pa.int64()))
                rows = rows.filter(found if inside else pc.invert(found))
        return rows

    def asked(self, bucket: int, subjects: Ints) -> Ints:
        """Those of the subjects (ascending) who are asked about."""
        if self.left_out:
            subjects = np.setdiff1d(subjects, self.left_out[bucket], assume_unique=True)
        return np.intersect1d(subjects, self.only[bucket], assume_unique=True) if self.only else subjects

    def members(self, name: str) -> tuple[Ints, ...]:
        """By bucket, who is in a segment as of the moment of the question."""
        from hark.understand.pace import compared

        asked = compared(self.snapshot, self.segments(name), self.now)
        found = members(self.snapshot, asked, self.now)
        if not self.only:
            return tuple(found)
        return tuple(np.intersect1d(*pair, assume_unique=True) for pair in zip(found, self.only, strict=True))

    def among(self, name: str | None) -> People:
        """The same, limited to a segment."""
        return self if name is None else replace(self, only=self.members(name))


def people(history: Snapshot | People, now: Instant) -> People:
    """A snapshot as a history of everybody in it."""
    return history if isinstance(history, People) else People(history, now)


def everybody(snapshot: Snapshot, now: Instant, segments: Segments, internal: Condition | None) -> People:
    """All but our own people."""
    left_out = () if internal is None else tuple(members(snapshot, internal, now))
    return People(snapshot, now, left_out, (), segments)


def groups_of(snapshot: Snapshot, now: Instant, groups: Sequence[int], segments: Segments) -> People:
    """The groups of a type as people: these, by number; the segments are theirs."""
    return People(snapshot.of_groups(), now, (), snapshot.parted(groups), segments)


def kept(run: Run, subjects: Ints, inside: bool) -> Run:
    """The same run, in which rows count only if their subject is inside (or outside) of these, ascending."""
    start = np.searchsorted(run.subject, subjects, side="left")
    end = np.searchsorted(run.subject, subjects, side="right")
    found = end > start
    return replace(run, kept=_both(run.kept, np.column_stack([start[found], end[found]]), inside))


def _both(ranges: Ints, others: Ints, inside: bool) -> Ints:
    """Where a row is in one of the ranges, and in one of the others (or, if not inside, in none of them).

    Each edge changes a depth: ranges count 1, others 2; 3 is both, 1 the ranges alone.
    """
    edges = np.concatenate([ranges[:, 0], ranges[:, 1], others[:, 0], others[:, 1]])
    steps = np.repeat([1, -1, 2, -2], [len(ranges), len(ranges), len(others), len(others)])
    order = np.argsort(edges, kind="stable")
    depth, edges = np.cumsum(steps[order]), edges[order]
    wanted = np.flatnonzero((depth[:-1] == (3 if inside else 1)) & (edges[1:] > edges[:-1]))
    return np.column_stack([edges[wanted], edges[wanted + 1]]).astype(np.int64)
