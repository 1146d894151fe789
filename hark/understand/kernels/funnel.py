"""The ordered funnel over one sorted stream. Must equal `understand.funnel.attempt`.

Three linear passes over a subject's rows. Forwards, keeping for each step the latest start that reached
it, gives the level. Backwards, keeping for each step the earliest end of the way from there, gives the
earliest start that reaches that level. Forwards again from it, each step's earliest match gives the times.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.rows import I64, OUT, U64, Bits, Stream

NEVER = np.iinfo(np.int64).min


@numba.njit([types.int64(I64, U64, OUT, *[types.int64] * 4)], nogil=True, cache=True)
def _level(at: Ints, bits: Bits, latest: Ints, within: int, start: int, end: int, until: int) -> int:
    """The deepest step that any attempt reaches, counted from 1; 0: there is no attempt."""
    latest[:] = NEVER
    level = 0
    for row in range(len(at)):
        now = at[row]
        if now > until or level == len(latest):
            break
        for step in range(min(level, len(latest) - 1), 0, -1):
            begun = latest[step - 1]
            if bits[row] >> np.uint64(step) & np.uint64(1) and now - begun <= within:
                latest[step] = begun
                level = max(level, step + 1)
        if bits[row] & np.uint64(1) and start <= now < end:
            latest[0] = now
            level = max(level, 1)
    return level


@numba.njit(
    [types.int64(I64, U64, OUT, *[types.int64] * 5)],
    nogil=True,
    cache=True,
)
def _begin(
    at: Ints, bits: Bits, earliest: Ints, level: int, within: int, start: int, end: int, until: int
) -> int:
    """The row of the earliest start whose attempt reaches `level`, which some attempt does."""
    earliest[:] = NEVER
    begun = 0
    for row in range(len(at) - 1, -1, -1):
        now = at[row]
        if now > until:
            continue
        earliest[level] = now
        if bits[row] & np.uint64(1) and start <= now < end:
            arrives = now if level == 1 else earliest[1]
            if arrives != NEVER and arrives - now <= within:
                begun = row
        for step in range(1, level):
            if bits[row] >> np.uint64(step) & np.uint64(1):
                earliest[step] = earliest[step + 1]
    return begun


@numba.njit([types.void(I64, U64, types.int64, OUT)], nogil=True, cache=True)
def _follow(at: Ints, bits: Bits, level: int, found: Ints) -> None:
    """The times of the attempt that starts at the first row, each step at its earliest match."""
    found[0] = at[0]
    step = 1
    for row in range(1, len(at)):
        if step == level:
            break
        if bits[row] >> np.uint64(step) & np.uint64(1):
            found[step] = at[row]
            step += 1


@numba.njit([types.int64(I64, I64, U64, *[types.int64] * 4, OUT, OUT, OUT)], nogil=True, cache=True)
def _times(
    subject: Ints,
    at: Ints,
    bits: Bits,
    within: int,
    start: int,
    end: int,
    until: int,
    latest: Ints,
    earliest: Ints,
    found: Ints,
) -> int:
    """Writes the times of each subject with an attempt one after the other; answers how many subjects."""
    number = row = 0
    while row < len(subject):
        first = row
        while row < len(subject) and subject[row] == subject[first]:
            row += 1
        level = _level(at[first:row], bits[first:row], latest, within, start, end, until)
        if level:
            begun = first + _begin(at[first:row], bits[first:row], earliest, level, within, start, end, until)
            _follow(at[begun:row], bits[begun:row], level, found[number * len(latest) :])
            number += 1
    return number


def times(rows: Stream, steps: int, within: int, start: int, end: int, until: int) -> Ints:
    """(subjects with an attempt, steps): when the reported attempt reached each step, NEVER where not.

    Attempts start in [start, end) and end at most `within` after it; rows after `until` are not known.
    """
    subjects = 1 + int(np.count_nonzero(rows.subject[1:] != rows.subject[:-1]))
    found = np.full(subjects * steps, NEVER, np.int64)
    latest, earliest = np.empty(steps, np.int64), np.empty(steps + 1, np.int64)
    limits = within, start, end, until
    count = _times(rows.subject, rows.at, rows.bits, *limits, latest, earliest, found)
    return found.reshape(subjects, steps)[:count]
