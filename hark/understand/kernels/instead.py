"""What people did after they stopped, over one sorted stream. Must equal `funnel.meaning._drops`."""

from __future__ import annotations

import numpy as np
from numba import types

from hark.history.runs import Codes, Ints
from hark.understand.kernels.compiled import compiled
from hark.understand.kernels.rows import I32, I64, OUT, U64, Bits, Stream


@compiled(types.void(I64, I64, U64, I32, I64, I64, I64, types.uint64, *[types.int64] * 3, OUT, OUT, OUT, OUT))
def _instead(
    subject: Ints,
    at: Ints,
    bits: Bits,
    name: Codes,
    last: Ints,
    step: Ints,
    since: Ints,
    activity: np.uint64,
    within: int,
    until: int,
    words: int,
    seen: Ints,
    nothing: Ints,
    then: Ints,
    first: Ints,
) -> None:
    """Counts what `instead` answers. `seen` holds for each name the last customer who did it."""
    for place in range(len(last)):
        begun = last[place]
        line = step[place] * words
        idle = True
        for row in range(begun + 1, len(subject)):
            if subject[row] != subject[begun] or at[row] > until or at[row] - at[begun] > within:
                break
            if bits[row] & activity and at[row] >= since[place]:
                if idle:
                    first[line + name[row]] += 1
                    idle = False
                if seen[name[row]] != place:
                    seen[name[row]] = place
                    then[line + name[row]] += 1
        if idle:
            nothing[step[place]] += 1


def instead(
    rows: Stream,
    last: Ints,
    step: Ints,
    steps: int,
    activity: int,
    within: int,
    until: int,
    since: Ints | None = None,
) -> tuple[Ints, Ints, Ints]:
    """By step: customers who did nothing; (steps, words) customers who did each event, and did it first.

    `last` is the row at which each customer stopped, `step` the step it served, `activity` the bit of it;
    with `since` only what they did from an instant on.
    """
    words = len(rows.words)
    nothing, then, first = np.zeros(steps, np.int64), *(np.zeros(steps * words, np.int64) for _ in range(2))
    seen = np.full(words, -1, np.int64)
    after = rows.at[last] if since is None else since
    asked = after, np.uint64(1 << activity), within, until, words
    _instead(rows.subject, rows.at, rows.bits, rows.name, last, step, *asked, seen, nothing, then, first)
    return nothing, then.reshape(steps, words), first.reshape(steps, words)
