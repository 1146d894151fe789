"""Who is in a segment, as of any moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hark.definitions.types import Segment
from hark.history.reader import Snapshot
from hark.model import Instant
from hark.understand.batch import members
from hark.understand.conditions import AllOf, Condition, Not
from hark.understand.conditions.base import Ints
from hark.understand.pace import compared

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Multiplying by it spreads consecutive numbers evenly (Knuth, TAOCP 3, 6.4: Fibonacci hashing)."""


@dataclass(frozen=True)
class Members:
    """The subjects in a segment at a moment."""

    buckets: tuple[Ints, ...]

    @cached_property
    def count(self) -> int:
        return sum(map(len, self.buckets))

    def sample(self, size: int = 20) -> list[int]:
        """Some of them, spread over all and always the same ones, ascending."""
        everybody = np.concatenate([np.empty(0, np.int64), *self.buckets])
        order = np.argsort(everybody.astype(np.uint64) * _SPREAD, kind="stable")
        return sorted(everybody[order[:size]].tolist())

    @cached_property
    def last(self) -> int:
        """The largest number among them; 0 if there is nobody."""
        return max((int(bucket[-1]) for bucket in self.buckets if len(bucket)), default=0)

    def after(self, subject: int, limit: int) -> list[int]:
        """Those with larger numbers, ascending, at most so many."""
        beyond = np.concatenate([np.empty(0, np.int64), *(one[one > subject] for one in self.buckets)])
        page: list[int] = np.sort(beyond)[:limit].tolist()
        return page

    def __iter__(self) -> Iterator[int]:
        for bucket in self.buckets:
            yield from bucket.tolist()


def segment_at(
    history: Snapshot, segment: Segment, at: Instant, internal: Condition | None = None
) -> Members:
    """Who was in the segment at a moment, by the events up to it; our own people (`internal`) left out."""
    condition = segment.where if internal is None else AllOf((segment.where, Not(internal)))
    condition = compared(history, condition, at)
    return Members(tuple(members(history, condition, at)))


def groups_at(history: Snapshot, segment: Segment, at: Instant, groups: Sequence[int]) -> Members:
    """Which of these groups (all of the segment's type) were in it at a moment, by the events up to it."""
    theirs, found = np.array(groups, np.int64), members(history.of_groups(), segment.where, at)
    return Members(tuple(np.intersect1d(inside, theirs, assume_unique=True) for inside in found))


def both(one: Members, other: Members) -> Members:
    """Who is in the one and in the other."""
    pairs = zip(one.buckets, other.buckets, strict=True)
    return Members(tuple(np.intersect1d(mine, theirs, assume_unique=True) for mine, theirs in pairs))


def only(one: Members, other: Members) -> Members:
    """Who is in the one and not in the other."""
    pairs = zip(one.buckets, other.buckets, strict=True)
    return Members(tuple(np.setdiff1d(mine, theirs, assume_unique=True) for mine, theirs in pairs))
