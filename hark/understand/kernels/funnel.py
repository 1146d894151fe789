"""The funnel over one sorted stream. Must equal `understand.funnel.meaning.attempt`.

With an order, three linear passes over a subject's rows. Forwards, keeping for each step the latest start
that reached it, gives the level. Backwards, keeping for each step the earliest end of the way from there,
gives the earliest start that reaches that level. Forwards again from it, each step's earliest match that
leads there gives the times. Bits are signed integers here: see `rows`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.compiled import Kernel, compiled, inlined
from hark.understand.kernels.rows import I64, OUT, Bits, Stream

NEVER = np.iinfo(np.int64).min


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


@inlined
def _level(
    at: Ints,
    bits: Ints,
    barred: Ints,
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
    for step in range(len(latest)):
        latest[step] = NEVER
    level = 0
    for row in range(low, high):
        now, has = at[row], bits[row]
        if now > until or level == len(latest):
            break
        for step in range(level, 0, -1):
            if has & barred[step]:
                latest[step] = NEVER
            begun = latest[step - 1]
            if begun != NEVER and has >> step & 1 and now - begun <= within:
                latest[step] = begun
                level = level if level > step else step + 1
        if has & barred[0]:
            latest[0] = NEVER
        if has & 1 and start <= now < end:
            latest[0] = now
            level = level if level else 1
    return level


@inlined
def _begin(
    at: Ints,
    bits: Ints,
    barred: Ints,
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
    for step in range(len(earliest)):
        earliest[step] = NEVER
    begun = low
    for row in range(high - 1, low - 1, -1):
        now, has = at[row], bits[row]
        if now > until:
            continue
        if has & 1 and start <= now < end:
            arrives = now if level == 1 else earliest[1]
            if arrives != NEVER and arrives - now <= within:
                begun = row
        for step in range(1, level):
            if has & barred[step - 1]:
                earliest[step] = NEVER
            if has >> step & 1:
                arrives = now if step + 1 == level else earliest[step + 1]
                if arrives != NEVER and (earliest[step] == NEVER or arrives < earliest[step]):
                    earliest[step] = arrives
    return begun


@inlined
def _leads(
    at: Ints, bits: Ints, barred: Ints, level: int, deadline: int, step: int, row: int, high: int
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
    standing = 1 << step
    goal = 1 << (level - 1)
    while standing & goal == 0:
        row += 1
        if row == high or at[row] > deadline:
            return False
        for place in range(level - 1, step, -1):
            before = standing >> (place - 1) & 1
            if bits[row] & barred[place - 1]:
                standing &= ~(1 << (place - 1))
            if before and bits[row] >> place & 1:
                standing |= 1 << place
    return True


@inlined
def _follow(
    at: Ints, bits: Ints, barred: Ints, level: int, deadline: int, begun: int, high: int, found: Ints, to: int
) -> int:
    """Writes from `to` on the times of the attempt that starts at a row, each step at its earliest match.

    Answers its last row. A match counts only if the level can be reached from it: what is barred may close
    the way behind it.
    """
    found[to] = at[begun]
    step, row, last = 1, begun, begun
    while step < level:
        row += 1
        if bits[row] >> step & 1 and _leads(at, bits, barred, level, deadline, step, row, high):
            found[to + step] = at[row]
            last = row
            step += 1
    return last


@compiled(types.int64(*[I64] * 4, *[types.int64] * 4, *[OUT] * 4))
def _ordered(
    subject: Ints,
    at: Ints,
    bits: Ints,
    barred: Ints,
    within: int,
    start: int,
    end: int,
    until: int,
    latest: Ints,
    earliest: Ints,
    found: Ints,
    rows: Ints,
) -> int:
    """Writes each subject's reported attempt one after the other: its times, and its rows begun, first and
    last. Answers how many subjects have one.

    Whoever never began, or came no further than the first step, needs no second pass.
    Long because each column is an argument of its own: compiled code takes no records.
    """
    number = row = 0
    while row < len(subject):
        low = row
        while row < len(subject) and subject[row] == subject[low]:
            row += 1
        while low < row and not (bits[low] & 1 and start <= at[low] < end):
            low += 1
        if low == row or at[low] > until:
            continue
        level = _level(at, bits, barred, latest, low, row, within, start, end, until)
        begun = last = low
        to = number * len(latest)
        found[to] = at[low]
        if level > 1:
            begun = _begin(at, bits, barred, earliest, level, low, row, within, start, end, until)
            deadline = at[begun] + within
            deadline = deadline if deadline < until else until
            last = _follow(at, bits, barred, level, deadline, begun, row, found, to)
        rows[number * 3], rows[number * 3 + 1], rows[number * 3 + 2] = begun, begun, last
        number += 1
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
        asked = rows.subject, rows.at, rows.bits.view(np.int64), barred.view(np.int64), *limits
        count = _kernel(unordered)(*asked, latest, earliest, found, places)
    begun, first, last = places[: count * 3].reshape(count, 3).T
    times = np.asfortranarray(found[: count * steps].reshape(count, steps))
    return Found(times, rows.at[begun], first, last)


def _kernel(unordered: bool) -> Kernel:
    if not unordered:
        return _ordered
    from hark.understand.kernels.unordered import unordered_attempts

    return unordered_attempts
