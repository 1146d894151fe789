"""Who comes back in which period, over one sorted stream. Must equal `understand.retention.returns`."""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from hark.history.runs import Ints
from hark.understand.kernels.rows import I64, U64, Bits

START, RETURN = 1, 2
"""The bits of a start event and of a return event."""


@numba.njit(
    [
        types.Tuple((types.int64[::1], types.int64[:, ::1]))(
            I64, I64, U64, I64, *[types.int64] * 3, types.boolean
        )
    ],
    nogil=True,
    cache=True,
)
def cohorts(
    subject: Ints, at: Ints, bits: Bits, starts: Ints, start: int, end: int, until: int, same: bool
) -> tuple[Ints, Ints]:
    """Sizes (cohort) and counts (cohort, periods after) of subjects active.

    `starts`: the periods' first instants, ascending, the first no later than any row. Cohorts begin in
    [start, end); rows after `until` are not known. `same`: one event is both, so that whoever starts is
    active in period 0.
    """
    sizes = np.zeros(len(starts), np.int64)
    active = np.zeros((len(starts), len(starts)), np.int64)
    seen = np.full(len(starts), -1, np.int64)
    cohort = -1
    for row in range(len(subject)):
        if row == 0 or subject[row] != subject[row - 1]:
            cohort = -1
        now = at[row]
        if now > until:
            continue
        if cohort < 0:
            if bits[row] & np.uint64(START) and start <= now < end:
                cohort = np.searchsorted(starts, now, side="right") - 1
                sizes[cohort] += 1
                if same:
                    seen[0] = subject[row]
                    active[cohort, 0] += 1
        elif bits[row] & np.uint64(RETURN):
            after = np.searchsorted(starts, now, side="right") - 1 - cohort
            if seen[after] != subject[row]:
                seen[after] = subject[row]
                active[cohort, after] += 1
    return sizes, active
