"""What people do of their own accord: activity that no click on a message called for within a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hark.definitions.types import EventMatch
from hark.model import DAY, Event, Instant
from hark.understand.kernels.rows import ACTIVITY, Bit

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PROMPTED_US = DAY
CLICKS = ("Message Clicked",)
BITS = (ACTIVITY, Bit(EventMatch(CLICKS)))
"""Of the rows that are looked at: activity, and clicks."""


def prompts(click: tuple[Instant, int], event: Event) -> bool:
    """Whether a click (at, seq) called for this event of the same customer: the specification."""
    return click < (event.at, event.seq) and event.at - click[0] <= PROMPTED_US


def prompted(subject: Counts, at: Counts, click: Flags) -> Flags:
    """The same over rows by (subject, at, seq): whether a click stands before the row, at most a day."""
    rows = np.arange(len(subject))
    last = np.maximum.accumulate(np.where(click, rows, -1)) if len(rows) else rows
    last = np.concatenate([[-1], last[:-1]])[: len(rows)]
    near: Flags = (last >= 0) & (subject[last] == subject) & (at - at[last] <= PROMPTED_US)
    return near


def changes(column: Counts) -> Flags:
    """Where another value begins."""
    return np.concatenate([np.ones(min(len(column), 1), np.bool_), column[1:] != column[:-1]])


def pairs(who: Counts, what: npt.NDArray[np.integer]) -> tuple[Counts, Counts]:
    """The different pairs, ascending."""
    wide = int(what.max(initial=0)) + 1
    found = np.sort(who * wide + what)
    found = found[changes(found)]  # np.unique hashes, which takes ten times as long
    return found // wide, found % wide
