"""Who comes back in which period, over one sorted stream. Must equal `understand.retention.entries` and
`active_in`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import types

from hark.definitions.asked import Cohorts
from hark.history.runs import Ints
from hark.understand.kernels.compiled import compiled
from hark.understand.kernels.rows import I64, OUT, U64, Bits, Stream

NEVER = np.iinfo(np.int64).min
START, RETURN = 1, 2
"""The bits of a start event and of a return event."""


@compiled(types.int64(I64, I64, U64, *[types.int64] * 3, OUT))
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


@compiled(types.int64(I64, I64, U64, I64, *[types.int64] * 3, OUT))
def _recurring(
    subject: Ints, at: Ints, bits: Bits, starts: Ints, start: int, end: int, until: int, rows: Ints
) -> int:
    """Writes the first row with START of each subject in each period; answers how many."""
    count, period, last = 0, -1, -1
    for row in range(len(subject)):
        if not bits[row] & np.uint64(START) or not start <= at[row] < end or at[row] > until:
            continue
        if last < 0 or subject[row] != subject[last]:
            period, last = 0, -1
        before = period
        while period + 1 < len(starts) and starts[period + 1] <= at[row]:
            period += 1
        if last < 0 or period != before:
            rows[count] = row
            count += 1
        last = row
    return count


def entries(rows: Stream, cohorts: Cohorts, starts: Ints, start: int, end: int, until: int) -> Ints:
    """The rows by which subjects belong to cohorts: `first`, `first_time` or `recurring` ones.

    `starts` are the first instants of the periods, ascending.
    """
    if cohorts == "recurring":
        found = np.empty(len(rows), np.int64)
        return found[: _recurring(rows.subject, rows.at, rows.bits, starts, start, end, until, found)].copy()
    inside = begun(rows, start, end, until)
    if cohorts == "first":
        return inside
    ever: Ints = begun(rows, NEVER, until + 1, until)
    return ever[np.isin(ever, inside)]


@dataclass(frozen=True)
class Found:
    """What became of the members of cohorts."""

    active: Ints
    """(lines, periods): members with a return in the k-th period after that in which they began."""
    last: Ints
    """The last such period of each member, -1 without any."""


@compiled(types.void(I64, I64, U64, *[I64] * 4, types.boolean, types.int64, OUT, OUT))
def _active(
    subject: Ints,
    at: Ints,
    bits: Bits,
    begun: Ints,
    period: Ints,
    line: Ints,
    starts: Ints,
    on_or_after: bool,
    until: int,
    last: Ints,
    found: Ints,
) -> None:
    """Counts what `active` answers, line after line."""
    for place in range(len(begun)):
        first = begun[place]
        counted = -1
        now = period[place]
        to = line[place] * len(starts) - now
        for row in range(first + 1, len(subject)):
            if subject[row] != subject[first] or at[row] > until:
                break
            if bits[row] & np.uint64(RETURN):
                while now + 1 < len(starts) and starts[now + 1] <= at[row]:
                    now += 1
                if now != counted:
                    found[to + now] += not on_or_after
                    counted = now
        last[place] = counted - period[place] if counted >= 0 else -1
        for after in range(period[place], counted + 1 if on_or_after else 0):
            found[to + after] += 1


def active(
    rows: Stream,
    begun: Ints,
    period: Ints,
    line: Ints,
    lines: int,
    starts: Ints,
    on_or_after: bool,
    until: int,
) -> Found:
    """What became of those who began at these rows; `on_or_after` counts a return for every period up to it.

    `starts` are the first instants of the periods, ascending; `period` is that of each row in `begun`, and
    `line` the line of the result in which it counts.
    """
    found, last = np.zeros(lines * len(starts), np.int64), np.empty(len(begun), np.int64)
    asked = begun, period, line, starts, on_or_after, until
    _active(rows.subject, rows.at, rows.bits, *asked, last, found)
    return Found(found.reshape(lines, len(starts)), last)
