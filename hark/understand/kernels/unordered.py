"""The funnel whose steps may come in any order. Must equal `understand.funnel.meaning.attempt`.

Attempts are followed one by one, but only where the window after a start holds matches of more steps than any
attempt before has served.
"""

from __future__ import annotations

from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.compiled import compiled, inlined
from hark.understand.kernels.rows import I64, OUT


@inlined
def _serve(at: Ints, bits: Ints, within: int, until: int, served: Ints) -> int:
    """Which row serves each step of the attempt that starts at the first row (-1: none); how many steps
    from the first on are served."""
    served[:] = -1
    left = len(served)
    for row in range(len(at)):
        if left == 0 or at[row] > until or at[row] - at[0] > within:
            break
        for step in range(len(served)):
            if served[step] < 0 and bits[row] >> step & 1:
                served[step] = row
                left -= 1
                break
    level = 0
    while level < len(served) and served[level] >= 0:
        level += 1
    return level


@inlined
def _possible(counts: Ints) -> int:
    """How many steps from the first on have a match at all."""
    level = 0
    while level < len(counts) and counts[level] > 0:
        level += 1
    return level


@inlined
def _attempt(
    at: Ints,
    bits: Ints,
    within: int,
    start: int,
    end: int,
    until: int,
    served: Ints,
    counts: Ints,
    found: Ints,
    rows: Ints,
) -> int:
    """A subject's reported attempt as `funnel` writes it, and its level, 0 without one.

    `counts` holds the matches of each step within the window.
    Long because each column is an argument of its own: compiled code takes no records.
    """
    best, ahead, steps = 0, 0, len(served)
    any_step = (1 << steps) - 1
    counts[:] = 0
    for row in range(len(at)):
        if at[row] > until:
            break
        while ahead < len(at) and at[ahead] <= until and at[ahead] - at[row] <= within:
            for step in range(steps):
                counts[step] += bits[ahead] >> step & 1
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
            counts[step] -= bits[row] >> step & 1
    return best


@compiled(types.int64(*[I64] * 4, *[types.int64] * 4, *[OUT] * 4))
def unordered_attempts(
    subject: Ints,
    at: Ints,
    bits: Ints,
    _barred: Ints,
    within: int,
    start: int,
    end: int,
    until: int,
    served: Ints,
    counts: Ints,
    found: Ints,
    rows: Ints,
) -> int:
    """Writes each subject's reported attempt one after the other; answers how many subjects have one."""
    number = row = 0
    while row < len(subject):
        first = row
        while row < len(subject) and subject[row] == subject[first]:
            row += 1
        to = found[number * len(served) : (number + 1) * len(served)]
        of = rows[number * 3 : number * 3 + 3]
        if _attempt(at[first:row], bits[first:row], within, start, end, until, served, counts, to, of):
            for place in range(3):
                of[place] += first
            number += 1
    return number
