"""Where one customer stands: how long they took, or have waited, against those who stayed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct

from hark.model import SECOND, Instant
from hark.understand.conditions.base import Flags, Ints
from hark.understand.conditions.pace import FEWEST, Passage, Reference
from hark.understand.operators import compile as compiled

SLOW = 90
"""Who takes longer than so many percent is slow."""
INSTEAD = 5
"""Events that are listed of what they did instead."""


class OneStory(Protocol):
    """What is asked of a customer's events; `hark.history.timeline.Timeline` is one."""

    @property
    def at(self) -> Ints: ...

    @property
    def activity(self) -> Flags: ...

    def rows(self, names: Collection[str], passes: Callable[[bytes], bool] | None = None) -> Ints: ...

    def counts(self, rows: Ints) -> list[tuple[str, int]]: ...


class Standing(Struct, frozen=True):
    """One passage of one customer, by their latest start."""

    way: str
    """ "from Signed Up to Project Created"."""
    since: Instant
    waits: bool
    """They have not gone on."""
    seconds: float
    """How long they took, or have waited."""
    percent: int | None
    """How many percent of the others had gone on in less time; None: too few cases to say."""
    day: str
    """That of the table."""
    stayed: bool
    """The others are those who were active in the fourth week after."""
    instead: tuple[tuple[str, int], ...]
    """Of those who wait: what they did since, the most frequent first."""

    @property
    def slow(self) -> bool:
        return self.percent is not None and self.percent >= SLOW


def standing(story: OneStory, passage: Passage, table: Reference, now: Instant) -> Standing | None:
    """Where the customer stands; None: they never began."""
    start, to = (
        story.rows(one.names, compiled(one.where) if one.where else None)
        for one in (passage.start, passage.to)
    )
    start = start[story.at[start] <= now]
    if not len(start):
        return None
    begun = int(start[-1])
    ends = to[(to > begun) & (story.at[to] <= now)]
    end = int(story.at[ends[0]]) if len(ends) else now
    took = end - int(story.at[begun])
    return Standing(
        way=passage.sentence(),
        since=int(story.at[begun]),
        waits=not len(ends),
        seconds=took / SECOND,
        percent=table.passed(took) if table.cases >= FEWEST else None,
        day=table.day,
        stayed=passage.stayed,
        instead=() if len(ends) else _instead(story, begun),
    )


def _instead(story: OneStory, begun: int) -> tuple[tuple[str, int], ...]:
    after = np.flatnonzero(story.activity[begun + 1 :]) + begun + 1
    return tuple(story.counts(after)[:INSTEAD])


def slowest_first(found: Sequence[Standing]) -> tuple[Standing, ...]:
    """Those who wait before those who went on, the slowest first."""
    return tuple(sorted(found, key=lambda one: (not one.waits, -(one.percent or 0), one.way)))
