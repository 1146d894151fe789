"""The funnel over one sorted stream. Must equal `understand.funnel.meaning.attempt`.

With an order, three linear passes over a subject's rows. Forwards, keeping for each step the latest start
that reached it, gives the level. Backwards, keeping for each step the earliest end of the way from there,
gives the earliest start that reaches that level. Forwards again from it, each step's earliest match that
leads there gives the times. Without an order, attempts are followed one by one, but only where the window
after a start holds matches of more steps than any attempt before has served.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.rows import I64, OUT, U64, Bits, Stream

NEVER = np.iinfo(np.int64).min
_SUBJECT = (I64, U64, U64)
_LIMITS = (types.int64,) * 4
_PART = (types.int64,) * 2


@dataclass(frozen=True)
class Found:
    """The reported attempt of each subject that has one."""

    times: Ints
    """(subjects, steps): when each step was reached, NEVER where it was not."""
    begun: Ints
    """When the attempt began."""
    first: Ints
    """The row that served the first step."""
    last: Ints
    """The row that served the last step reached."""


@numba.njit([types.int64(*_SUBJECT, OUT, *_PART, *_LIMITS)], nogil=True, cache=True)
def _level(
    at: Ints,
    bits: Bits,
    barred: Bits,
    latest: Ints,
    low: int,
    high: int,
    within: int,
    start: int,
    end: int,
    until: int,
) -> int:
    """The deepest step that any attempt within the rows reaches, counted from 1; 0: there is no attempt.

    `barred[j]` are the bits that must not occur between step j and the next.
    """
    latest[:] = NEVER
    level = 0
    one = np.uint64(1)
    for row in range(low, high):
        now, has = at[row], bits[row]
        if now > until or level == len(latest):
            break
        for step in range(min(level, len(latest) - 1), 0, -1):
            if has & barred[step]:
                latest[step] = NEVER
            begun = latest[step - 1]
            if begun != NEVER and has >> np.uint64(step) & one and now - begun <= within:
                latest[step] = begun
                level = max(level, step + 1)
        if has & barred[0]:
            latest[0] = NEVER
        if has & one and start <= now < end:
            latest[0] = now
            level = max(level, 1)
    return level


@numba.njit([types.int64(*_SUBJECT, OUT, types.int64, *_PART, *_LIMITS)], nogil=True, cache=True)
def _begin(
    at: Ints,
    bits: Bits,
    barred: Bits,
    earliest: Ints,
    level: int,
    low: int,
    high: int,
    within: int,
    start: int,
    end: int,
    until: int,
) -> int:
    """The row of the earliest start whose attempt reaches `level`, which some attempt does.

    `earliest[j]` is the earliest end of a way that goes on with step j after the row looked at.
    """
    earliest[:] = NEVER
    begun = low
    one = np.uint64(1)
    for row in range(high - 1, low - 1, -1):
        now, has = at[row], bits[row]
        if now > until:
            continue
        if has & one and start <= now < end:
            arrives = now if level == 1 else earliest[1]
            if arrives != NEVER and arrives - now <= within:
                begun = row
        for step in range(1, level):
            if has & barred[step - 1]:
                earliest[step] = NEVER
            if has >> np.uint64(step) & one:
                arrives = now if step + 1 == level else earliest[step + 1]
                if arrives != NEVER and (earliest[step] == NEVER or arrives < earliest[step]):
                    earliest[step] = arrives
    return begun


@numba.njit([types.boolean(*_SUBJECT, *[types.int64] * 5)], nogil=True, cache=True)
def _leads(
    at: Ints, bits: Bits, barred: Bits, level: int, deadline: int, step: int, row: int, high: int
) -> bool:
    """Whether the level is reached in time by somebody whose match of `step` is this row.

    A set of bits holds the steps at which ways from there stand; where nothing is barred the first match
    always leads on, so that this is not asked.
    """
    free = True
    for gap in range(step, level - 1):
        free = free and barred[gap] == 0
    if free:
        return True
    one = np.uint64(1)
    standing = one << np.uint64(step)
    goal = one << np.uint64(level - 1)
    while standing & goal == 0:
        row += 1
        if row == high or at[row] > deadline:
            return False
        for place in range(level - 1, step, -1):
            before = standing >> np.uint64(place - 1) & one
            if bits[row] & barred[place - 1]:
                standing &= ~(one << np.uint64(place - 1))
            if before and bits[row] >> np.uint64(place) & one:
                standing |= one << np.uint64(place)
    return True


@numba.njit([types.int64(*_SUBJECT, *[types.int64] * 4, OUT)], nogil=True, cache=True)
def _follow(
    at: Ints, bits: Bits, barred: Bits, level: int, deadline: int, begun: int, high: int, found: Ints
) -> int:
    """The times of the attempt that starts at a row, each step at its earliest match; its last row.

    A match counts only if the level can be reached from it: what is barred may close the way behind it.
    """
    found[0] = at[begun]
    step, row, last, one = 1, begun, begun, np.uint64(1)
    while step < level:
        row += 1
        if bits[row] >> np.uint64(step) & one and _leads(at, bits, barred, level, deadline, step, row, high):
            found[step] = at[row]
            last = row
            step += 1
    return last


@numba.njit([types.int64(*_SUBJECT, *_PART, *_LIMITS, OUT, OUT, OUT, OUT)], nogil=True, cache=True)
def _ordered(
    at: Ints,
    bits: Bits,
    barred: Bits,
    low: int,
    high: int,
    within: int,
    start: int,
    end: int,
    until: int,
    latest: Ints,
    earliest: Ints,
    found: Ints,
    rows: Ints,
) -> int:
    """The reported attempt within a subject's rows: its times, and its rows begun, first and last.

    Answers its level. Whoever never began, or came no further than the first step, needs no second pass.
    """
    while low < high and not (bits[low] & np.uint64(1) and start <= at[low] < end):
        low += 1
    if low == high or at[low] > until:
        return 0
    level: int = _level(at, bits, barred, latest, low, high, within, start, end, until)
    if level == 1:
        rows[0] = rows[1] = rows[2] = low
        found[0] = at[low]
    else:
        begun = _begin(at, bits, barred, earliest, level, low, high, within, start, end, until)
        deadline = min(at[begun] + within, until)
        rows[0] = rows[1] = begun
        rows[2] = _follow(at, bits, barred, level, deadline, begun, high, found)
    return level


@numba.njit([types.int64(I64, U64, types.int64, types.int64, OUT)], nogil=True, cache=True)
def _serve(at: Ints, bits: Bits, within: int, until: int, served: Ints) -> int:
    """Which row serves each step of the attempt that starts at the first row (-1: none); how many steps
    from the first on are served."""
    served[:] = -1
    left = len(served)
    for row in range(len(at)):
        if left == 0 or at[row] > until or at[row] - at[0] > within:
            break
        for step in range(len(served)):
            if served[step] < 0 and bits[row] >> np.uint64(step) & np.uint64(1):
                served[step] = row
                left -= 1
                break
    level = 0
    while level < len(served) and served[level] >= 0:
        level += 1
    return level


@numba.njit([types.int64(OUT)], nogil=True, cache=True)
def _possible(counts: Ints) -> int:
    """How many steps from the first on have a match at all."""
    level = 0
    while level < len(counts) and counts[level] > 0:
        level += 1
    return level


@numba.njit([types.int64(*_SUBJECT, *_LIMITS, OUT, OUT, OUT, OUT)], nogil=True, cache=True)
def _unordered(
    at: Ints,
    bits: Bits,
    _barred: Bits,
    within: int,
    start: int,
    end: int,
    until: int,
    served: Ints,
    counts: Ints,
    found: Ints,
    rows: Ints,
) -> int:
    """As `_ordered`, for steps in any order. `counts` holds the matches of each step within the window."""
    best, ahead, steps = 0, 0, len(served)
    any_step = (np.uint64(1) << np.uint64(steps)) - np.uint64(1)
    counts[:] = 0
    for row in range(len(at)):
        if at[row] > until:
            break
        while ahead < len(at) and at[ahead] <= until and at[ahead] - at[row] <= within:
            for step in range(steps):
                counts[step] += np.int64(bits[ahead] >> np.uint64(step) & np.uint64(1))
            ahead += 1
        if bits[row] & any_step and start <= at[row] < end and _possible(counts[:steps]) > best:
            level = _serve(at[row:], bits[row:], within, until, served)
            if level > best:
                best = level
                rows[0], rows[1], rows[2] = row, row + served[0], row
                for step in range(level):
                    rows[2] = max(rows[2], row + served[step])
                    found[step] = at[rows[2]]
        for step in range(steps):
            counts[step] -= np.int64(bits[row] >> np.uint64(step) & np.uint64(1))
    return best


_WHOLE = types.int64(I64, *_SUBJECT, *_LIMITS, types.boolean, OUT, OUT, OUT, OUT)


@numba.njit([_WHOLE], nogil=True, cache=True)
def _attempts(
    subject: Ints,
    at: Ints,
    bits: Bits,
    barred: Bits,
    within: int,
    start: int,
    end: int,
    until: int,
    unordered: bool,
    latest: Ints,
    earliest: Ints,
    found: Ints,
    rows: Ints,
) -> int:
    """Writes each subject's reported attempt one after the other; answers how many subjects have one."""
    number = row = 0
    while row < len(subject):
        first = row
        while row < len(subject) and subject[row] == subject[first]:
            row += 1
        to = found[number * len(latest) : (number + 1) * len(latest)]
        of, limits = rows[number * 3 : number * 3 + 3], (within, start, end, until)
        if unordered:
            part = at[first:row], bits[first:row], barred
            level = _unordered(*part, *limits, latest, earliest, to, of)
            if level:
                of += first
        else:
            level = _ordered(at, bits, barred, first, row, *limits, latest, earliest, to, of)
        number += level > 0
    return number


def attempts(
    rows: Stream, barred: Bits, within: int, start: int, end: int, until: int, unordered: bool = False
) -> Found:
    """The reported attempts; `barred` has one entry for each step.

    Attempts start in [start, end) and end at most `within` after it; rows after `until` are not known.
    """
    steps = len(barred)
    subjects = 1 + int(np.count_nonzero(rows.subject[1:] != rows.subject[:-1])) if start < end else 0
    found, places = np.full(subjects * steps, NEVER, np.int64), np.empty(subjects * 3, np.int64)
    count = 0
    if subjects:
        latest, earliest = np.empty(steps, np.int64), np.empty(steps + 1, np.int64)
        limits = within, start, end, until
        asked = rows.subject, rows.at, rows.bits, barred, *limits, unordered
        count = _attempts(*asked, latest, earliest, found, places)
    begun, first, last = places[: count * 3].reshape(count, 3).T
    times = np.asfortranarray(found[: count * steps].reshape(count, steps))
    return Found(times, rows.at[begun], first, last)
