"""How customers go from level to level, week by week: how often, and how long it takes to rise.

What is seen are the levels at the ends of weeks; who rose and fell between two of them has stayed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from hark.history.runs import Ints
from hark.understand.conditions.base import Flags
from hark.understand.engagement import Standing
from hark.understand.pace import went_on

NOT_HERE = -1
_CLOSE = 1e-9
"""Shares that differ by no more are the same number, added up in another order."""


class Stay(Struct, frozen=True):
    """Those who came to a level within the weeks looked at."""

    level: int
    """Its place from 1; 0 below all."""
    began: int
    """Times that somebody came to it; the same customer may come again."""
    rose: int
    """Of them, those who left it upwards."""
    fell: int
    """Downwards. The others are still there."""
    weeks: int | None
    """By then half had risen (Kaplan and Meier; who fell or is still there is censored); None: fewer do."""


def matrix(standings: Sequence[Standing]) -> Ints:
    """A row for each customer, a column for each moment (ascending); NOT_HERE before the first event."""
    parts = []
    for bucket, everybody in enumerate(standings[-1].subjects):
        rows = np.full((len(everybody), len(standings)), NOT_HERE, np.int64)
        for place, one in enumerate(standings):
            rows[np.searchsorted(everybody, one.subjects[bucket]), place] = one.levels[bucket]
        parts.append(rows)
    return np.concatenate([np.empty((0, len(standings)), np.int64), *parts])


def transitions(rows: Ints, levels: int) -> Ints:
    """How often somebody stood at one level (row) at a week's end, and at another (column) at the next."""
    table = np.zeros((levels + 1, levels + 1), np.int64)
    before, after = rows[:, :-1], rows[:, 1:]
    here = before != NOT_HERE
    np.add.at(table, (before[here], after[here]), 1)
    return table


def stays(rows: Ints, levels: int) -> list[Stay]:
    """Of each level, the weakest first, how long those stay who came to it."""
    until = _until(rows)
    began = np.zeros(rows.shape, np.bool_)
    began[:, 1:] = rows[:, 1:] != rows[:, :-1]
    return [_stay(level, rows, until, began & (rows == level)) for level in range(levels + 1)]


def _until(rows: Ints) -> Ints:
    """For each week the first later one with another level; the number of weeks where there is none."""
    last = rows.shape[1]
    until = np.full(rows.shape, last, np.int64)
    for week in range(last - 2, -1, -1):
        same = rows[:, week] == rows[:, week + 1]
        until[:, week] = np.where(same, until[:, week + 1], week + 1)
    return until


def _stay(level: int, rows: Ints, until: Ints, began: Flags) -> Stay:
    who, week = np.nonzero(began)
    ends = until[who, week]
    left = ends < rows.shape[1]
    then = rows[who, np.minimum(ends, rows.shape[1] - 1)]
    rose, fell = left & (then > level), left & (then < level)
    return Stay(level, len(who), int(rose.sum()), int(fell.sum()), _median(_waited(ends, week, left), rose))


def _waited(ends: Ints, week: Ints, left: Flags) -> Ints:
    """Weeks until the change, or so far: the last week of who is still there was seen, too."""
    return np.where(left, ends - week, ends - 1 - week)


def _median(waits: Ints, rose: Flags) -> int | None:
    times, shares = went_on(waits, rose)
    place = int(np.searchsorted(shares + _CLOSE, 0.5))
    return int(times[place]) if place < len(times) else None
