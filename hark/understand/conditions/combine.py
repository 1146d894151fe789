"""The nodes that combine: all, any, not, and being in another segment.

Their `next_change` is sound and lazy: a false `all` cannot turn true before every one of its false
parts may have changed, so it asks to be looked at again at the last of those moments, not at the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Self

import msgspec
import numpy as np

from hark.model import Event, Instant
from hark.understand.conditions.base import Answer, Columns, Condition, Flags, Leaf, View


def _first(moments: Iterable[Instant | None]) -> Instant | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _last(moments: Sequence[Instant | None]) -> Instant | None:
    """The last of the moments; None (never) as soon as one of them never comes."""
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None


def _answer(parts: Sequence[Condition], deciding: bool, view: View, now: Instant) -> Answer:
    """What parts make of the whole; one part that is `deciding` settles it by itself."""
    answers = [part.answer(view, now) for part in parts]
    settled = [change for met, change in answers if met is deciding]
    if settled:
        return deciding, _last(settled)
    return not deciding, _first([change for _, change in answers])


def _joined(parts: Sequence[Condition], word: str) -> str:
    return f" {word} ".join(
        f"({part.sentence()})" if isinstance(part, AllOf | AnyOf) else part.sentence() for part in parts
    )


class AllOf(Condition, frozen=True, tag="all"):
    """True if every part is."""

    parts: tuple[Condition, ...]

    def sentence(self) -> str:
        return _joined(self.parts, "and")

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return all(part.holds(events, now) for part in self.parts)

    def met(self, view: View, now: Instant) -> bool:
        return all(part.met(view, now) for part in self.parts)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        return _answer(self.parts, False, view, now)

    def columnar(self, columns: Columns) -> Flags:
        flags: Flags = np.logical_and.reduce([part.columnar(columns) for part in self.parts])
        return flags

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from part.leaves()

    def possible(self, answer: bool) -> bool:
        return (all if answer else any)(part.possible(answer) for part in self.parts)

    def since_entry(self, at: Instant, seq: int) -> Self:
        return msgspec.structs.replace(self, parts=tuple(part.since_entry(at, seq) for part in self.parts))


class AnyOf(Condition, frozen=True, tag="any"):
    """True if at least one part is."""

    parts: tuple[Condition, ...]

    def sentence(self) -> str:
        return _joined(self.parts, "or")

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return any(part.holds(events, now) for part in self.parts)

    def met(self, view: View, now: Instant) -> bool:
        return any(part.met(view, now) for part in self.parts)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.answer(view, now)[1]

    def answer(self, view: View, now: Instant) -> Answer:
        return _answer(self.parts, True, view, now)

    def columnar(self, columns: Columns) -> Flags:
        flags: Flags = np.logical_or.reduce([part.columnar(columns) for part in self.parts])
        return flags

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            yield from part.leaves()

    def possible(self, answer: bool) -> bool:
        return (any if answer else all)(part.possible(answer) for part in self.parts)

    def since_entry(self, at: Instant, seq: int) -> Self:
        return msgspec.structs.replace(self, parts=tuple(part.since_entry(at, seq) for part in self.parts))


class Not(Condition, frozen=True, tag="not"):
    """True if its part is not."""

    part: Condition

    def sentence(self) -> str:
        return f"not ({self.part.sentence()})"

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return not self.part.holds(events, now)

    def met(self, view: View, now: Instant) -> bool:
        return not self.part.met(view, now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.part.next_change(view, now)

    def answer(self, view: View, now: Instant) -> Answer:
        met, change = self.part.answer(view, now)
        return not met, change

    def columnar(self, columns: Columns) -> Flags:
        return ~self.part.columnar(columns)

    def leaves(self) -> Iterator[Leaf]:
        return self.part.leaves()

    def possible(self, answer: bool) -> bool:
        return self.part.possible(not answer)

    def since_entry(self, at: Instant, seq: int) -> Self:
        return msgspec.structs.replace(self, part=self.part.since_entry(at, seq))


class Named(Condition, frozen=True):
    """What another document says, by its name."""

    name: str
    where: Condition | None = None
    """What it says, once it has been looked up (`definitions.resolve`)."""

    @property
    def meant(self) -> Condition:
        if self.where is None:
            raise LookupError(f"what {self.name} says has not been looked up")
        return self.where

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self.meant.holds(events, now)

    def met(self, view: View, now: Instant) -> bool:
        return self.meant.met(view, now)

    def next_change(self, view: View, now: Instant) -> Instant | None:
        return self.meant.next_change(view, now)

    def answer(self, view: View, now: Instant) -> Answer:
        return self.meant.answer(view, now)

    def columnar(self, columns: Columns) -> Flags:
        return self.meant.columnar(columns)

    def leaves(self) -> Iterator[Leaf]:
        return self.meant.leaves()

    def possible(self, answer: bool) -> bool:
        return self.meant.possible(answer)


class InSegment(Named, frozen=True, tag="in_segment"):
    """The customer is in another segment now: its condition holds."""

    def sentence(self) -> str:
        return f"are in {self.name}"


class AtLevel(Named, frozen=True, tag="engagement"):
    """The customer's level of an engagement definition; at least one of the bounds is given."""

    kind: ClassVar[str] = "engagement"
    """Of the document that has the levels."""
    at_least: str = ""
    at_most: str = ""

    def sentence(self) -> str:
        return f"are {self._bounds('at ')} in {self.name}"

    def _bounds(self, exactly: str) -> str:
        if self.at_least == self.at_most:
            return f"{exactly}{self.at_least}"
        bounds = [f"at least {self.at_least}"] if self.at_least else []
        bounds += [f"at most {self.at_most}"] if self.at_most else []
        return " and ".join(bounds)


class AtStage(AtLevel, frozen=True, tag="stage"):
    """The customer's stage of the purchase decision."""

    kind: ClassVar[str] = "stage"

    def sentence(self) -> str:
        return f"are {self._bounds('')} in their decision to buy"
