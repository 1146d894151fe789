"""Who comes back in which period, over one sorted stream. Must equal `understand.retention.returns`."""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.rows import I64, OUT, U64, Bits, Stream

START, RETURN = 1, 2
"""The bits of a start event and of a return event."""


@numba.njit([types.int64(I64, I64, U64, *[types.int64] * 3, OUT)], nogil=True, cache=True)
def _begun(subject: Ints, at: Ints, bits: Bits, start: int, end: int, until: int, rows: Ints) -> int:
    """Writes the rows that `begun` answers; answers how many."""
    count = 0
    for row in range(len(subject)):
        if not bits[row] & np.uint64(START) or not start <= at[row] < end or at[row] > until:
            continue
        if count == 0 or subject[rows[count - 1]] != subject[row]:
            rows[count] = row
            count += 1
    return count


def begun(rows: Stream, start: int, end: int, until: int) -> Ints:
    """The row of each subject's first start event in [start, end) that is known at `until`."""
    found = np.empty(len(rows.subject), np.int64)
    count = _begun(rows.subject, rows.at, rows.bits, start, end, until, found)
    return found[:count].copy()


@numba.njit([types.void(I64, I64, U64, *[I64] * 4, types.int64, OUT)], nogil=True, cache=True)
def _active(
    subject: Ints,
    at: Ints,
    bits: Bits,
    begun: Ints,
    period: Ints,
    line: Ints,
    starts: Ints,
    until: int,
    found: Ints,
) -> None:
    """Counts what `active` answers, line after line."""
    for place in range(len(begun)):
        first = begun[place]
        counted = -1
        now = period[place]
        for row in range(first + 1, len(subject)):
            if subject[row] != subject[first] or at[row] > until:
                break
            if bits[row] & np.uint64(RETURN):
                while now + 1 < len(starts) and starts[now + 1] <= at[row]:
                    now += 1
                if now != counted:
                    found[line[place] * len(starts) + now - period[place]] += 1
                    counted = now


def active(rows: Stream, begun: Ints, period: Ints, line: Ints, lines: int, starts: Ints, until: int) -> Ints:
    """(lines, periods): subjects with a return in the k-th period after that in which they began.

    `starts` are the first instants of the periods, ascending; `period` is that of each row in `begun`, and
    `line` the line of the result in which it counts.
    """
    found = np.zeros(lines * len(starts), np.int64)
    _active(rows.subject, rows.at, rows.bits, begun, period, line, starts, until, found)
    return found.reshape(lines, len(starts))
