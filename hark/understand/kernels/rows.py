"""What every kernel begins with: the rows a question looks at, merged into one sorted stream of a bucket.

A question gives each row a set of bits (bit j: it matches step j); rows without a bit are left behind.
Signatures are explicit and results cached on disk, so that a new process does not compile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from msgspec import Struct
from numba import types

from hark.definitions.types import EventMatch
from hark.history.runs import Codes, Flags, Ints, Properties, Run
from hark.understand import operators

Bits = npt.NDArray[np.uint64]
MOST = 64
"""Bits that a row has: no question may have more steps."""


class Stream(NamedTuple):
    """Rows of one bucket by (subject, at, seq), each with the bits it has."""

    subject: Ints
    at: Ints
    seq: Ints
    bits: Bits


class Bit(Struct, frozen=True):
    """When a row has the bit of this place."""

    event: EventMatch | None
    """None: any event."""
    inactive: bool = True
    """Whether rows that are no activity may have it."""


def names_of(bits: Sequence[Bit]) -> frozenset[str] | None:
    """The event names that can have a bit; None: all names."""
    if any(bit.event is None for bit in bits):
        return None
    return frozenset(name for bit in bits if bit.event for name in bit.event.names)


def needs_properties(bits: Sequence[Bit]) -> bool:
    return any(bit.event is not None and bit.event.where for bit in bits)


def stream(runs: Sequence[Run], bits: Sequence[Bit]) -> Stream:
    """The rows of a bucket's runs that have any of the bits, walked together into one order."""
    waiting = sorted((_selected(run, bits) for run in runs), key=_length)
    if not waiting:
        return _EMPTY
    while len(waiting) > 1:
        waiting = sorted([*waiting[2:], _merged(waiting[0], waiting[1])], key=_length)
    return waiting[0]


def _length(stream: Stream) -> int:
    return len(stream.subject)


_EMPTY = Stream(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64))


def _selected(run: Run, bits: Sequence[Bit]) -> Stream:
    of_name = np.array([_of_name(name, bits) for name in run.names], np.uint64)
    of_inactive = sum(1 << place for place, bit in enumerate(bits) if bit.inactive)
    codes, of_value = _of_properties(run.properties, bits)
    rows, found = np.empty(len(run), np.int64), np.empty(len(run), np.uint64)
    places = of_name, np.uint64(of_inactive), run.kept.ravel(), codes, of_value
    count = _select(run.code, run.active, *places, rows, found)
    chosen = rows[:count]
    return Stream(run.subject[chosen], run.at[chosen], run.seq[chosen], found[:count].copy())


def _merged(one: Stream, other: Stream) -> Stream:
    total = _length(one) + _length(other)
    subject, at, seq = (np.empty(total, np.int64) for _ in range(3))
    both = Stream(subject, at, seq, np.empty(total, np.uint64))
    _merge(*one, *other, *both)
    return both


def _of_name(name: str, bits: Sequence[Bit]) -> int:
    return sum(1 << place for place, bit in enumerate(bits) if bit.event is None or name in bit.event.names)


def _of_properties(properties: Properties | None, bits: Sequence[Bit]) -> tuple[Codes, Bits]:
    """The bits that each different text of properties allows: predicates are applied once to each."""
    if properties is None:
        return np.empty(0, np.int32), np.empty(0, np.uint64)
    tests = [_test(bit) for bit in bits]
    allowed = np.zeros(len(properties.values), np.uint64)
    for code in np.unique(properties.codes).tolist():
        value = properties.values[code]
        allowed[code] = sum(1 << place for place, test in enumerate(tests) if test(value))
    return properties.codes, allowed


def _test(bit: Bit) -> Callable[[bytes], bool]:
    if bit.event is None or not bit.event.where:
        return lambda _: True
    return operators.compile(bit.event.where)


def _read_only(type_: types.Type) -> types.Array:
    return types.Array(type_, 1, "C", readonly=True)


I32, I64, U64 = _read_only(types.int32), _read_only(types.int64), _read_only(types.uint64)
_FLAGS = _read_only(types.boolean)
OUT = types.int64[::1]
_OUT_BITS = types.uint64[::1]

# Results are written into arrays that are passed in: allocating them here would double the time to compile.


@numba.njit(
    [types.int64(I32, _FLAGS, U64, types.uint64, I64, I32, U64, OUT, _OUT_BITS)], nogil=True, cache=True
)
def _select(
    code: Codes,
    active: Flags,
    of_name: Bits,
    of_inactive: np.uint64,
    kept: Ints,
    value: Codes,
    of_value: Bits,
    rows: Ints,
    bits: Bits,
) -> int:
    """Writes the rows with any bit, and their bits, and answers how many; `kept` has ranges' ends by turns.

    `value` is empty where no property is asked for.
    """
    count = 0
    for part in range(0, len(kept), 2):
        for row in range(kept[part], kept[part + 1]):
            found = of_name[code[row]]
            if found == 0:
                continue
            if not active[row]:
                found &= of_inactive
            if len(value):
                found &= of_value[value[row]]
            if found:
                rows[count] = row
                bits[count] = found
                count += 1
    return count


_STREAM = (I64, I64, I64, U64)


@numba.njit([types.void(*_STREAM, *_STREAM, OUT, OUT, OUT, _OUT_BITS)], nogil=True, cache=True)
def _merge(
    subject: Ints,
    at: Ints,
    seq: Ints,
    bits: Bits,
    subject_2: Ints,
    at_2: Ints,
    seq_2: Ints,
    bits_2: Bits,
    to_subject: Ints,
    to_at: Ints,
    to_seq: Ints,
    to_bits: Bits,
) -> None:
    """Writes two sorted streams as one."""
    i = j = 0
    for place in range(len(to_subject)):
        first = j == len(subject_2)
        if not first and i < len(subject):
            first = subject[i] < subject_2[j]
            if subject[i] == subject_2[j]:
                first = at[i] < at_2[j] or (at[i] == at_2[j] and seq[i] <= seq_2[j])
        if first:
            to_subject[place], to_at[place], to_seq[place], to_bits[place] = (
                subject[i],
                at[i],
                seq[i],
                bits[i],
            )
            i += 1
        else:
            to_subject[place], to_at[place] = subject_2[j], at_2[j]
            to_seq[place], to_bits[place] = seq_2[j], bits_2[j]
            j += 1
