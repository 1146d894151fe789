"""The records in the engine's memory: decoded, lately used, and those that a commit must write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from hark.decide.record import decode, encode, fresh
from hark.model import Instant, Record
from hark.store.changes import Kept


class Source(Protocol):
    """Where records are when they are not in memory; as of the last commit."""

    def kept(self, subject: int) -> Kept | None: ...

    def kept_of(self, subjects: Sequence[int]) -> dict[int, Kept]:
        """The records of those subjects that have one; the numbers ascend."""
        ...

    def key(self, subject: int) -> tuple[str, Instant]:
        """(stable key, first seen)."""
        ...

    def first(self, subject: int) -> bool:
        """Whether the subject was first seen since the last commit."""
        ...


class Entry:
    """A record and the moment at which the stored timer is armed for it."""

    __slots__ = ("armed", "record")

    def __init__(self, record: Record, armed: Instant | None) -> None:
        self.record = record
        self.armed = armed


class Records:
    """At most about `most` decoded records, in two generations; changed ones stay until they are taken."""

    def __init__(self, source: Source, most: int = 100_000) -> None:
        self._source = source
        self._half = max(1, most // 2)
        self._young: dict[int, Entry] = {}
        self._old: dict[int, Entry] = {}
        self._changed: dict[int, Entry | None] = {}

    def get(self, subject: int) -> Entry:
        """The record, an empty one for a subject that has none yet."""
        entry = self._young.get(subject)
        if entry is None:
            entry = self._old.get(subject) or self._changed.get(subject) or self._load(subject)
            self._put(subject, entry)
        return entry

    def expect(self, subjects: Iterable[int]) -> None:
        """Reads at once the records that will be asked for and are not in memory: one by one takes longer."""
        absent = {one for one in subjects if one not in self._young}
        absent.difference_update(self._old, self._changed)
        for subject, kept in self._source.kept_of(sorted(absent)).items():
            self._put(subject, Entry(decode(kept.record), kept.due))

    def has(self, subject: int) -> bool:
        """Whether anything is kept about the subject."""
        if subject in self._changed:
            return self._changed[subject] is not None
        return self._source.kept(subject) is not None

    def new(self, subject: int) -> bool:
        """Whether no event of the subject was folded yet, of those in memory or first seen since the last
        commit; all others count as known, so that nothing is read."""
        entry = self._young.get(subject) or self._old.get(subject) or self._changed.get(subject)
        return self._source.first(subject) if entry is None else not entry.record.last_seq

    def gone(self, subject: int) -> bool:
        """Whether it was emptied since the last `take`."""
        return subject in self._changed and self._changed[subject] is None

    def change(self, subject: int, entry: Entry) -> None:
        """Marks an entry as to be written."""
        self._changed[subject] = entry

    def due(self, until: Instant) -> list[int]:
        """Of whom something is due by a moment for which no timer is stored yet: this tick brought it."""
        changed = [(subject, entry.record.due) for subject, entry in self._changed.items() if entry]
        return [subject for subject, due in changed if due is not None and due <= until]

    def empty(self, subject: int) -> None:
        """The subject is no more (merged): its record is to be removed."""
        self._changed[subject] = None
        self._young.pop(subject, None)
        self._old.pop(subject, None)

    def restore(self, subject: int) -> Entry:
        """The record as of the last commit, after a step that failed half-way."""
        self.empty(subject)
        del self._changed[subject]
        return self.get(subject)

    def take(self) -> dict[int, Kept | None]:
        """What changed since the last `take`, encoded; a timer is armed where it stood or moved earlier."""
        kept: dict[int, Kept | None] = {}
        for subject, entry in self._changed.items():
            if entry is None:
                kept[subject] = None
                continue
            entry.armed = armed(entry.armed, entry.record.due)
            kept[subject] = Kept(encode(entry.record), entry.armed)
        self._changed = {}
        return kept

    def _load(self, subject: int) -> Entry:
        kept = None if self.gone(subject) else self._source.kept(subject)
        if kept:
            return Entry(decode(kept.record), kept.due)
        return Entry(fresh(subject, *self._source.key(subject)), None)

    def _put(self, subject: int, entry: Entry) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[subject] = entry


def armed(before: Instant | None, due: Instant | None) -> Instant | None:
    """Where the stored timer stands: it moves earlier or goes away, never later."""
    if before is None or due is None:
        return due
    return min(before, due)
