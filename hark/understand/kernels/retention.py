"""Who comes back in which period, over one sorted stream. Must equal `understand.retention.returns`."""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.rows import I64, U64, Bits

START, RETURN = 1, 2
"""The bits of a start event and of a return event."""


@numba.njit([types.int64[::1](I64, I64, U64, *[types.int64] * 3)], nogil=True, cache=True)
def begun(subject: Ints, at: Ints, bits: Bits, start: int, end: int, until: int) -> Ints:
    """The row of each subject's first start event in [start, end) that is known at `until`."""
    rows = np.empty(len(subject), np.int64)
    count = 0
    for row in range(len(subject)):
        if not bits[row] & np.uint64(START) or not start <= at[row] < end or at[row] > until:
            continue
        if count == 0 or subject[rows[count - 1]] != subject[row]:
            rows[count] = row
            count += 1
    return rows[:count].copy()


@numba.njit([types.int64[:, ::1](I64, I64, U64, *[I64] * 4, types.int64)], nogil=True, cache=True)
def active(
    subject: Ints, at: Ints, bits: Bits, begun: Ints, period: Ints, line: Ints, starts: Ints, until: int
) -> Ints:
    """(lines, periods): subjects with a return in the k-th period after that in which they began.

    `starts` are the first instants of the periods, ascending; `period` is that of each row in `begun`, and
    `line` the line of the result in which it counts.
    """
    found = np.zeros((line.max() + 1 if len(line) else 0, len(starts)), np.int64)
    for place in range(len(begun)):
        first = begun[place]
        last_after = -1
        for row in range(first + 1, len(subject)):
            if subject[row] != subject[first] or at[row] > until:
                break
            if bits[row] & np.uint64(RETURN):
                after = np.searchsorted(starts, at[row], side="right") - 1 - period[place]
                if after > last_after:
                    found[line[place], after] += 1
                    last_after = after
    return found
