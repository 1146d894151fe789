"""Which message ids were seen before: 128-bit fingerprints in time buckets, each kept until its own moment.

A bucket is a hash table of two 64-bit words a slot (16 bytes; 25 to 31 bytes an id at the load it keeps) and
is named by the instant at which it may be forgotten. A source chooses its span; an id is looked up in every
bucket, so that a span can be changed at any time. Time is the arrival of rows, never the wall clock. What a
tick added goes into its transaction (`take`) and comes back by `load`, so that a restart forgets nothing and
repeats nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from hark.model import DAY, Instant

Words: TypeAlias = NDArray[np.uint64]

BUCKETS = 6
"""Buckets of one span; one more is kept, since the newest has only begun."""
LONGEST = 28 * DAY
"""The longest span that a source may ask for."""
FIRST_SLOTS = 1 << 10
FULL = 0.65
GROWTH = 1.25


class Added(Struct, frozen=True):
    """What a tick added to one bucket: 16 bytes an id."""

    bucket: Instant
    """When it may be forgotten."""
    data: bytes


def fingerprint(source: str, message_id: str) -> bytes:
    """16 bytes of BLAKE2b over source, 1F, id: equal for equal (source, id); else with probability 2^-128."""
    hashed = _begun(source).copy()
    hashed.update(message_id.encode())
    return hashed.digest()


@lru_cache(maxsize=1024)
def _begun(source: str) -> blake2b:
    """The hash of what all ids of a source begin with."""
    return blake2b(f"{source}\x1f".encode(), digest_size=16)


class Dedupe:
    """Remembers fingerprints for at least their span of arrival time after the tick that added them."""

    def __init__(self, now: Instant = 0) -> None:
        """`now` is the latest arrival known: rows that came earlier may be read after a restart."""
        self._tables: dict[Instant, _Table] = {}
        self._now = now
        self._added: list[Added] = []

    def load(self, seen: Iterable[tuple[Instant, bytes]]) -> None:
        """What earlier ticks added."""
        for bucket, data in seen:
            if bucket > self._now:
                self._table(bucket).add(_words(data))

    def fresh(self, prints: Sequence[bytes], arrived: Instant, span_us: int = DAY) -> list[bool]:
        """For each fingerprint whether it is seen for the first time; from now on it is known for `span_us`.

        `arrived` is the latest arrival of the rows they came in; an earlier one never brings time back.
        """
        self._now = max(self._now, arrived)
        self._expire()
        words, mine = _words(b"".join(prints)), _forgotten_at(self._now, span_us)
        new = np.ones(len(words), np.bool_)
        for bucket in sorted(self._tables, reverse=True):
            if bucket != mine:
                self._tables[bucket].drop_known(words, new)
        self._table(mine).add_new(words, new)
        if new.any():
            self._added.append(Added(mine, words[new].tobytes()))
        answer: list[bool] = new.tolist()
        return answer

    def take(self) -> list[Added]:
        """What was added since the last `take`."""
        taken, self._added = self._added, []
        return taken

    @property
    def oldest(self) -> Instant:
        """Buckets before this one need not be kept."""
        return self._now + 1

    def __len__(self) -> int:
        return sum(table.used for table in self._tables.values())

    @property
    def bytes(self) -> int:
        """Memory of the tables."""
        return sum(table.slots.nbytes for table in self._tables.values())

    def _table(self, bucket: int) -> _Table:
        return self._tables.setdefault(bucket, _Table())

    def _expire(self) -> None:
        for bucket in [bucket for bucket in self._tables if bucket < self.oldest]:
            del self._tables[bucket]


def _forgotten_at(now: Instant, span_us: int) -> Instant:
    """When the bucket ends into which ids go now: the next whole sixth of the span, and a span after it."""
    width = max(1, -(-span_us // BUCKETS))
    return (now // width + 1 + BUCKETS) * width


class _Table:
    """One bucket: open addressing with linear probing; a slot of two zero words is empty.

    The compiled loops over slots are imported late: their compiler takes half a second to load, which an
    engine without a new event should not wait for.
    """

    def __init__(self) -> None:
        self.slots: Words = np.zeros((FIRST_SLOTS, 2), np.uint64)
        self.used = 0

    def drop_known(self, words: Words, new: NDArray[np.bool_]) -> None:
        """Clears `new` where the table has the fingerprint."""
        if self.used:
            from hark.history.probing import find

            find(self.slots, words, new)

    def add_new(self, words: Words, new: NDArray[np.bool_]) -> None:
        """Adds those marked new; clears the mark where they were here already or twice in `words`."""
        from hark.history.probing import insert

        self._grow(len(words))
        self.used += insert(self.slots, words, new)[0]

    def add(self, words: Words) -> None:
        self.add_new(words, np.ones(len(words), np.bool_))

    def _grow(self, more: int) -> None:
        if self.used + more <= FULL * len(self.slots):
            return
        from hark.history.probing import insert

        size = int(max(GROWTH * len(self.slots), (self.used + more) / FULL + 1))
        old, self.slots = self.slots, np.zeros((size, 2), np.uint64)
        there = old[_taken(old)]
        insert(self.slots, there, np.ones(len(there), np.bool_))


def _words(data: bytes) -> Words:
    """Fingerprints as pairs of words; the one in 2^128 that would look like an empty slot is changed."""
    words = np.frombuffer(data, np.uint64).reshape(-1, 2)
    taken = _taken(words)
    if not taken.all():
        words = np.where(taken[:, None], words, np.uint64(1))
    return words


def _taken(words: Words) -> NDArray[np.bool_]:
    return np.asarray((words[:, 0] | words[:, 1]) != 0)
