"""The steps after an anchor, or before it, over one sorted stream. Must equal `understand.paths.path`."""

from __future__ import annotations

import numpy as np
from numba import types

from hark.history.runs import Codes, Ints
from hark.understand.kernels.compiled import compiled
from hark.understand.kernels.rows import I32, I64, OUT, U64, Bits, Stream

TARGET = 2
"""The bit of the event at which a path ends, if there is one."""


@compiled(
    types.void(I64, I64, U64, I32, I64, *[types.int64] * 2, *[types.boolean] * 2, *[types.int64] * 2, OUT)
)
def _walked(
    subject: Ints,
    at: Ints,
    bits: Bits,
    name: Codes,
    anchors: Ints,
    depth: int,
    direction: int,
    collapse: bool,
    ends: bool,
    gap: int,
    until: int,
    found: Ints,
) -> None:
    """Writes what `walked` answers, path after path."""
    for place in range(len(anchors)):
        before = anchors[place]
        row, steps = before + direction, 0
        while steps < depth and 0 <= row < len(subject) and subject[row] == subject[before]:
            if at[row] > until or abs(at[row] - at[before]) >= gap:
                break
            if not (collapse and name[row] == name[before]):
                found[place * depth + steps] = name[row]
                steps += 1
                if ends and bits[row] & np.uint64(TARGET):
                    break
            before = row
            row += direction


def walked(
    rows: Stream, anchors: Ints, depth: int, forward: bool, collapse: bool, ends: bool, gap: int, until: int
) -> Ints:
    """(anchors, depth): the names after each anchor row (before it, if not forward), -1 behind the last.

    A path ends where nothing follows within less than `gap`, and with `ends` after a row with the bit TARGET.
    """
    found = np.full(len(anchors) * depth, -1, np.int64)
    limits = depth, 1 if forward else -1, collapse, ends, gap, until
    _walked(rows.subject, rows.at, rows.bits, rows.name, anchors, *limits, found)
    return found.reshape(-1, depth)
