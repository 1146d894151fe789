"""Levels of engagement, and stages, as of any moment: how many are at each, who moved between them, and
what came after.

The levels are those of `definitions.levels`, told in columns; the live ones of `decide.levels` are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hark.definitions.levels import Ladder
from hark.history.runs import Ints, Run
from hark.model import DAY, Instant
from hark.understand.batch import members
from hark.understand.conditions.base import distinct
from hark.understand.partials import over_buckets
from hark.understand.people import People

AFTER_US = 28 * DAY
"""How long after a moment a return counts, when definitions are compared."""


@dataclass(frozen=True)
class Standing:
    """Where everybody stood at a moment, bucket by bucket."""

    at: Instant
    subjects: tuple[Ints, ...]
    """Everybody seen by then, ascending; our own people left out."""
    levels: tuple[Ints, ...]
    """The level of each: its place from 1, 0 below all."""

    def counts(self, levels: int) -> list[int]:
        """How many stand below all levels, and at each of so many."""
        whole = np.concatenate([np.empty(0, np.int64), *self.levels])
        return [int(n) for n in np.bincount(whole, minlength=levels + 1)]


def standing(people: People, definition: Ladder, at: Instant) -> Standing:
    """Where everybody stood at a moment, by the events up to it."""
    subjects = over_buckets(people, lambda bucket: _seen(people.runs(bucket), at))
    levels = [np.zeros(len(bucket), np.int64) for bucket in subjects]
    for name in definition.names:
        for bucket, reached in enumerate(members(people.snapshot, definition.at_least(name), at)):
            levels[bucket] += np.isin(subjects[bucket], reached, assume_unique=True)
    return Standing(at, tuple(subjects), tuple(levels))


def _seen(runs: Sequence[Run], at: Instant) -> Ints:
    found = [run.subject[_kept(run) & (run.at <= at)] for run in runs]
    return distinct(np.concatenate([np.empty(0, np.int64), *found]))


def _kept(run: Run) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The rows that are still their subject's."""
    kept = np.zeros(len(run), np.bool_)
    for start, end in run.kept.tolist():
        kept[start:end] = True
    return kept


def moves(before: Standing, after: Standing, levels: int) -> Ints:
    """How many went from where (row: 0 below all, then each level; last: not here yet) to where (column)."""
    table = np.zeros((levels + 2, levels + 1), np.int64)
    buckets = zip(before.subjects, before.levels, after.subjects, after.levels, strict=True)
    for old, old_levels, new, new_levels in buckets:
        origin = np.full(len(new), levels + 1, np.int64)
        origin[np.searchsorted(new, old)] = old_levels
        np.add.at(table, (origin, new_levels), 1)
    return table


def returned(people: People, at: Instant) -> tuple[Ints, ...]:
    """By bucket, who was active in the 28 days after a moment, ascending."""

    def inside(bucket: int) -> Ints:
        found = [
            run.subject[_kept(run) & run.active & (run.at > at) & (run.at <= at + AFTER_US)]
            for run in people.runs(bucket)
        ]
        return distinct(np.concatenate([np.empty(0, np.int64), *found]))

    return tuple(over_buckets(people, inside))


def told(one: Standing, other: Standing, back: Sequence[Ints], levels: tuple[int, int]) -> Ints:
    """Of two definitions at one moment, how many stand where in the one and the other, and came back (last
    axis: 0 did not, 1 did): the table from which they are compared."""
    table = np.zeros((levels[0] + 1, levels[1] + 1, 2), np.int64)
    for subjects, mine, theirs, came in zip(one.subjects, one.levels, other.levels, back, strict=True):
        np.add.at(table, (mine, theirs, np.isin(subjects, came, assume_unique=True).astype(np.int64)), 1)
    return table
