"""Who did things in an order. Must equal `InSequence.holds` of `understand.conditions.sequence`."""

from __future__ import annotations

import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.conditions.base import InOrder
from hark.understand.kernels.compiled import compiled, inlined
from hark.understand.kernels.rows import I64, OUT, Stream

NEVER = np.iinfo(np.int64).min


@inlined
def _began(reached: Ints, begun: Ints, within: Ints, step: int, when: int) -> int:
    """When the attempt began that comes to a step now; NEVER where there is none."""
    if step == 0:
        return when
    before = reached[step - 1]
    if before == NEVER or (within[step] >= 0 and when > before + within[step]):
        return NEVER
    start: int = begun[step - 1]
    return start


@inlined
def _waiting(ends: Ints, head: int, tail: int, span: int, when: int) -> int:
    """The first of the attempts at the end that could still be undone at a moment."""
    while span >= 0 and head < tail and ends[head] + span < when:
        head += 1
    return head


@compiled(types.int64(*[I64] * 4, *[types.int64] * 4, *[OUT] * 5))
def _met(
    subject: Ints,
    at: Ints,
    bits: Ints,
    within: Ints,
    never: int,
    span: int,
    since: int,
    now: int,
    reached: Ints,
    begun: Ints,
    ends: Ints,
    starts: Ints,
    met: Ints,
) -> int:
    """Writes the subjects of whom an attempt fits; answers how many there are.

    For each step its latest match is kept, with the start of its attempt: neither ever goes back. So the
    attempts at the end that may still be undone are a queue, of which the first are over first.
    Long because each column is an argument of its own: compiled code takes no records.
    """
    count, number, row = len(within), 0, 0
    while row < len(subject):
        low, done, head, tail = row, NEVER, 0, 0
        reached[:] = NEVER
        while row < len(subject) and subject[row] == subject[low]:
            when, has = at[row], bits[row]
            row += 1
            over = _waiting(ends, head, tail, span, when)
            done = starts[over - 1] if over > head else done
            head = tail if never and has >> 2 * count & 1 else over
            for step in range(count - 1, -1, -1):
                start = _began(reached, begun, within, step, when) if has >> step & 1 else NEVER
                if step + 1 < count and has >> (count + step + 1) & 1:
                    reached[step] = NEVER
                if start != NEVER:
                    reached[step], begun[step] = when, start
                    if step + 1 == count:
                        ends[tail], starts[tail] = when, start
                        tail += 1
        over = tail if not never or span < 0 else _waiting(ends, head, tail, span, now)
        done = starts[over - 1] if over > head else done
        if done != NEVER and done > since:
            met[number] = subject[low]
            number += 1
    return number


def met(rows: Stream, bits: Ints, order: InOrder, now: int) -> Ints:
    """The subjects, ascending, of whom an attempt fits at `now`; no row is later."""
    count, most = len(order.within), len(rows) + 1
    since = NEVER if order.since is None else order.since
    span = -1 if order.span is None else order.span
    reached, begun, ends, starts, found = (
        np.empty(size, np.int64) for size in (count, count, most, most, most)
    )
    asked = rows.subject, rows.at, bits, order.within, int(order.never), span, since, now
    return found[: _met(*asked, reached, begun, ends, starts, found)]
