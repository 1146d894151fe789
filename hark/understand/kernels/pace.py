"""How long each subject took from one event to another. Must equal `understand.pace.cases`."""

from __future__ import annotations

import numpy as np
from numba import types

from hark.history.runs import Flags, Ints
from hark.understand.kernels.compiled import compiled
from hark.understand.kernels.rows import I64, OUT, Stream

NEVER = np.iinfo(np.int64).min


@compiled(types.int64(*[I64] * 3, *[types.int64] * 5, *[OUT] * 2))
def _cases(
    subject: Ints,
    at: Ints,
    bits: Ints,
    cut: int,
    until: int,
    after: int,
    before: int,
    stayed: int,
    waits: Ints,
    gone: Ints,
) -> int:
    """Writes each subject's wait, and whether it is over; answers how many there are.

    Bit 0 is the start, bit 1 where it goes to, bit 2 activity.
    Long because each column is an argument of its own: compiled code takes no records.
    """
    number = row = 0
    while row < len(subject):
        low, begun, came, there = row, NEVER, NEVER, False
        while row < len(subject) and subject[row] == subject[low]:
            now, has = at[row], bits[row]
            row += 1
            if now > until:
                continue
            if begun != NEVER:
                if has & 2 and came == NEVER:
                    came = now
                if has & 4 and after < now - begun <= before:
                    there = True
            if has & 1 and now <= cut:
                begun, came, there = now, NEVER, False
        if begun != NEVER and (there or not stayed):
            waits[number] = (until if came == NEVER else came) - begun
            gone[number] = came != NEVER
            number += 1
    return number


def cases(rows: Stream, cut: int, until: int, after: int, before: int, stayed: bool) -> tuple[Ints, Flags]:
    """(how long, whether that was all) of each subject's latest start up to `cut`, as of `until`; of those
    only, if `stayed`, who were active between `after` and `before` (us) later."""
    subjects = 1 + int(np.count_nonzero(rows.subject[1:] != rows.subject[:-1])) if len(rows) else 0
    waits, gone = np.empty(subjects, np.int64), np.empty(subjects, np.int64)
    asked = rows.subject, rows.at, rows.bits.view(np.int64), cut, until, after, before, int(stayed)
    count = _cases(*asked, waits, gone)
    return waits[:count], gone[:count] != 0
