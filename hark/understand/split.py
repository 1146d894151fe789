"""Splitting an answer: by a property of an event, by a trait as of then, or by being in a segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from hark.definitions.asked import By
from hark.definitions.types import EventMatch
from hark.history.runs import Codes, Ints
from hark.history.values import Unreadable, Value, Wanted, value_of
from hark.model import Event, Instant
from hark.understand.batch import History, statements
from hark.understand.conditions.trait import known
from hark.understand.operators import value_at
from hark.understand.people import People

if TYPE_CHECKING:
    from hark.understand.kernels.rows import Stream

TOP = 20
"""Values that are listed; all others together are "other"."""
NONE = "(none)"
OTHER = "other"


def label(value: Value) -> str:
    """A value as a heading: texts as they are, everything else as JSON writes it; absent and null are one."""
    if value is None or isinstance(value, Unreadable):
        return NONE
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def in_segment(name: str, inside: bool) -> str:
    return name if inside else f"not {name}"


# -- what it means --------------------------------------------------------------------------------------


def label_of(by: By, history: Sequence[Event], event: Event, members: frozenset[int]) -> str:
    """The heading under which an event of a history falls; `members` are those in the segment."""
    if by.kind == "segment":
        return in_segment(by.name, event.subject in members)
    path = tuple(by.name.split("."))
    if by.kind == "property":
        return label(value_of(by.name, event.properties))
    so_far = [one for one in history if (one.at, one.seq) <= (event.at, event.seq)]
    trait = known(so_far, event.at).get(path[0])
    return label(value_at(path[1:], trait.value) if trait else None)


# -- from the history -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """The heading of each of some rows: a code into `words`."""

    codes: Codes
    words: tuple[str, ...]


@dataclass(frozen=True)
class Stated:
    """What was stated of one trait, ascending by (subject, at, seq), over the whole history."""

    subject: Ints
    at: Ints
    seq: Ints
    codes: Codes
    words: tuple[str, ...]

    def as_of(self, subject: Ints, at: Ints, seq: Ints) -> Labels:
        """The heading of each subject's latest value up to (at, seq)."""
        rows = _last_up_to((self.subject, self.at, self.seq), (subject, at, seq))
        found = (
            (rows >= 0) & (self.subject[np.maximum(rows, 0)] == subject) if len(self.subject) else rows >= 0
        )
        words = self.words if NONE in self.words else (*self.words, NONE)
        codes = np.where(found, self.codes[np.maximum(rows, 0)] if len(self.codes) else 0, words.index(NONE))
        return Labels(codes.astype(np.int32), words)


def _last_up_to(keys: tuple[Ints, Ints, Ints], wanted: tuple[Ints, Ints, Ints]) -> Ints:
    """For each wanted (subject, at, seq) the last row of the sorted keys that is not after it; -1: none."""
    count = len(keys[0])
    columns = [np.concatenate([key, want]) for key, want in zip(keys, wanted, strict=True)]
    late = np.concatenate([np.zeros(count, np.int8), np.ones(len(wanted[0]), np.int8)])
    order = np.lexsort((late, *reversed(columns)))
    before = np.cumsum(order < count) - 1
    found = np.empty(len(order), np.int64)
    found[order] = before
    return found[count:]


def stated(history: History, path: str) -> Stated:
    """What the whole history states of a trait (or of a dotted path in one)."""
    name, *rest = path.split(".")
    found = [
        (subject, at, seq, label(value_at(tuple(rest), traits[name])))
        for subject, at, seq, traits in statements(history)
        if name in traits
    ]
    return _stated(sorted(found))


def _stated(found: Sequence[tuple[int, Instant, int, str]]) -> Stated:
    """From what was stated, ascending."""
    words = tuple(dict.fromkeys(value for *_, value in found))
    place = {word: number for number, word in enumerate(words)}
    subject, at, seq = (np.array([row[column] for row in found], np.int64) for column in range(3))
    return Stated(subject, at, seq, np.array([place[row[3]] for row in found], np.int32), words)


Help: TypeAlias = Stated | tuple[Ints, ...] | None
"""What labels need besides the rows: a trait's statements, or a segment's members by bucket."""


def helped(whom: People, by: By | None) -> Help:
    """The help for all buckets."""
    if by is None or by.kind == "property":
        return None
    return whom.members(by.name) if by.kind == "segment" else stated(whom.snapshot, by.name)


def labels(rows: Stream, chosen: Ints, by: By, help_: Help, bucket: int) -> Labels:
    """The headings of these rows."""
    if isinstance(help_, Stated):
        return help_.as_of(rows.subject[chosen], rows.at[chosen], rows.seq[chosen])
    if help_ is None:
        return of_property(rows, chosen, by.name)
    return of_segment(rows.subject[chosen], by.name, help_[bucket])


def of_property(rows: Stream, chosen: Ints, path: str) -> Labels:
    """The headings of these rows by a property."""
    values = rows.values[path].take(chosen)
    different, back = np.unique(values.codes, return_inverse=True)
    labels = [label(values.values[code]) for code in different.tolist()]
    words = tuple(dict.fromkeys(labels))
    place = {word: number for number, word in enumerate(words)}
    of_value = np.array([place[one] for one in labels], np.int32)
    return Labels(of_value[back] if len(of_value) else np.empty(0, np.int32), words)


def told(by: By | None, event: EventMatch | None) -> Wanted:
    """The path that labels look at in the properties of an event (None: of any), if they do."""
    if by is None or by.kind != "property":
        return {}
    return {by.name: None if event is None else frozenset(event.names)}


def of_segment(subjects: Ints, name: str, members: Ints) -> Labels:
    """The headings of these subjects by being among the members (ascending)."""
    place = np.minimum(np.searchsorted(members, subjects), max(len(members) - 1, 0))
    inside = members[place] == subjects if len(members) else np.zeros(len(subjects), np.bool_)
    return Labels(np.where(inside, 0, 1).astype(np.int32), (in_segment(name, True), in_segment(name, False)))


# -- adding up ------------------------------------------------------------------------------------------


def top(counts: Mapping[str, int], most: int = TOP) -> list[str]:
    """The most frequent headings, by name where they are equally frequent."""
    return [name for name, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most]]


def counted(parts: Iterable[Labels]) -> Counter[str]:
    """How often each heading stands in all the parts."""
    found: Counter[str] = Counter()
    for part in parts:
        numbers = np.bincount(part.codes, minlength=len(part.words)).tolist()
        found.update({word: number for word, number in zip(part.words, numbers, strict=True) if number})
    return found


def grouped(parts: Sequence[Labels], most: int = TOP) -> tuple[list[str], list[Ints], int]:
    """Headings to list (the last "other" where values were folded), each part's codes into them, and how
    many values were folded."""
    counts = counted(parts)
    names = top(counts, most)
    folded = len(counts) - len(names)
    places = {name: number for number, name in enumerate(names)}
    codes = [
        np.array([places.get(word, len(names)) for word in part.words], np.int64)[part.codes]
        if len(part.codes)
        else np.empty(0, np.int64)
        for part in parts
    ]
    return names + ([OTHER] if folded else []), codes, folded
