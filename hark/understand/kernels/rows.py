"""What every kernel begins with: the rows a question looks at, merged into one sorted stream of a bucket.

A question gives each row a set of bits (bit j: it matches step j); rows without a bit are left behind.
Signatures are explicit and results cached on disk, so that a new process does not compile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
"""Bits that a row has: no question may have more of steps and what is barred between them."""
_NO_CODES = np.empty(0, np.int32)


@dataclass(frozen=True)
class Stream:
    """Rows of one bucket by (subject, at, seq), each with the bits it has."""

    subject: Ints
    at: Ints
    seq: Ints
    bits: Bits
    name: Codes = field(default_factory=lambda: _NO_CODES)
    """Into `words`, the name of each row's event; empty unless asked for, as also `text`."""
    text: Codes = field(default_factory=lambda: _NO_CODES)
    """Into `texts`, each row's properties."""
    words: tuple[str, ...] = ()
    texts: Sequence[bytes] = ()

    def __len__(self) -> int:
        return len(self.subject)


class Bit(Struct, frozen=True):
    """When a row has the bit of this place."""

    event: EventMatch | None
    """None: any event."""
    inactive: bool = True
    """Whether rows that are no activity may have it."""


ACTIVITY = Bit(None, inactive=False)


def names_of(bits: Sequence[Bit]) -> frozenset[str] | None:
    """The event names that can have a bit; None: all names."""
    if any(bit.event is None for bit in bits):
        return None
    return frozenset(name for bit in bits if bit.event for name in bit.event.names)


def needs_properties(bits: Sequence[Bit]) -> bool:
    return any(bit.event is not None and bit.event.where for bit in bits)


def stream(runs: Sequence[Run], bits: Sequence[Bit], named: bool = False, texts: bool = False) -> Stream:
    """The rows of a bucket's runs that have any of the bits, walked together into one order.

    With `named` each row keeps its event's name, with `texts` its properties (which the runs must have).
    """
    words = tuple(dict.fromkeys(word for run in runs for word in run.names)) if named else ()
    values: list[bytes] = []
    parts = []
    for run in runs:
        parts.append(_selected(run, bits, words, len(values) if texts else None))
        if texts and run.properties:
            values += run.properties.values
    waiting = sorted(parts, key=len)
    while len(waiting) > 1:
        waiting = sorted([*waiting[2:], _merged(waiting[0], waiting[1])], key=len)
    whole = waiting[0] if waiting else _EMPTY
    return Stream(whole.subject, whole.at, whole.seq, whole.bits, whole.name, whole.text, words, values)


_EMPTY = Stream(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64))


def _selected(run: Run, bits: Sequence[Bit], words: tuple[str, ...], shift: int | None) -> Stream:
    of_name = np.array([_of_name(name, bits) for name in run.names], np.uint64)
    of_inactive = np.uint64(sum(1 << place for place, bit in enumerate(bits) if bit.inactive))
    codes, of_value = _of_properties(run.properties, bits)
    asked = of_name, of_inactive, run.kept.ravel(), codes, of_value
    # As much room as there are rows, of which the machine gives only what is written to.
    subject, at, seq = (np.empty(len(run), np.int64) for _ in range(3))
    found = np.empty(len(run), np.uint64)
    recode = np.array([words.index(name) for name in run.names], np.int32) if words else _NO_CODES
    name = np.empty(len(run) if words else 0, np.int32)
    texts = run.properties.codes if shift is not None and run.properties else _NO_CODES
    text = np.empty(len(run) if len(texts) else 0, np.int32)
    keys = run.subject, run.at, run.seq, subject, at, seq
    rows = np.empty(len(run) + 1, np.int64)
    extra = recode, texts, np.int64(shift or 0), name, text, rows
    count = _select(run.code, run.active, *asked, *keys, found, *extra)
    return Stream(subject[:count], at[:count], seq[:count], found[:count], name[:count], text[:count])


def _merged(one: Stream, other: Stream) -> Stream:
    total = len(one) + len(other)
    subject, at, seq = (np.empty(total, np.int64) for _ in range(3))
    name = np.empty(total if len(one.name) or len(other.name) else 0, np.int32)
    text = np.empty(total if len(one.text) or len(other.text) else 0, np.int32)
    both = Stream(subject, at, seq, np.empty(total, np.uint64), name, text)
    _merge(*_columns(one), *_columns(other), *_columns(both))
    return both


def _columns(rows: Stream) -> tuple[Ints, Ints, Ints, Bits, Codes, Codes]:
    return rows.subject, rows.at, rows.seq, rows.bits, rows.name, rows.text


def _of_name(name: str, bits: Sequence[Bit]) -> int:
    return sum(1 << place for place, bit in enumerate(bits) if bit.event is None or name in bit.event.names)


def _of_properties(properties: Properties | None, bits: Sequence[Bit]) -> tuple[Codes, Bits]:
    """The bits that each different text of properties allows: predicates are applied once to each."""
    if properties is None or not needs_properties(bits):
        return _NO_CODES, np.empty(0, np.uint64)
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
OUT_CODES = types.int32[::1]
_OUT_BITS = types.uint64[::1]
_ASKED = (I32, _FLAGS, U64, types.uint64, I64, I32, U64)

# Results are written into arrays that are passed in: allocating them here would double the time to compile.


@numba.njit(
    [
        types.int64(
            *_ASKED, I64, I64, I64, OUT, OUT, OUT, _OUT_BITS, I32, I32, types.int64, OUT_CODES, OUT_CODES, OUT
        )
    ],
    nogil=True,
    cache=True,
)
def _select(
    code: Codes,
    active: Flags,
    of_name: Bits,
    of_inactive: np.uint64,
    kept: Ints,
    value: Codes,
    of_value: Bits,
    subject: Ints,
    at: Ints,
    seq: Ints,
    to_subject: Ints,
    to_at: Ints,
    to_seq: Ints,
    to_bits: Bits,
    recode: Codes,
    texts: Codes,
    shift: int,
    to_name: Codes,
    to_text: Codes,
    rows: Ints,
) -> int:
    """Writes the rows with any bit and answers how many; `kept` has ranges' ends by turns.

    `value` is empty where no property is asked for. Which rows have a name that is asked for is found first,
    without a branch: it is as good as random, and a wrong guess of the processor costs more than the rest.
    Long because each column is an argument of its own: compiled code takes no records.
    """
    count = named = 0
    for part in range(0, len(kept), 2):
        for row in range(kept[part], kept[part + 1]):
            rows[named] = row
            named += of_name[code[row]] != 0
    for place in range(named):
        row = rows[place]
        found = of_name[code[row]]
        if not active[row]:
            found &= of_inactive
        if len(value):
            found &= of_value[value[row]]
        if found:
            to_subject[count], to_at[count], to_seq[count] = subject[row], at[row], seq[row]
            to_bits[count] = found
            if len(recode):
                to_name[count] = recode[code[row]]
            if len(texts):
                to_text[count] = texts[row] + shift
            count += 1
    return count


@numba.njit([types.boolean(*[types.int64] * 6)], nogil=True, cache=True, inline="always")
def _first(subject: int, at: int, seq: int, subject_2: int, at_2: int, seq_2: int) -> bool:
    """Whether a row stands before another, or with it."""
    if subject != subject_2:
        return subject < subject_2
    return at < at_2 or (at == at_2 and seq <= seq_2)


_STREAM = (I64, I64, I64, U64, I32, I32)


@numba.njit(
    [types.void(*_STREAM, *_STREAM, OUT, OUT, OUT, _OUT_BITS, OUT_CODES, OUT_CODES)], nogil=True, cache=True
)
def _merge(
    subject: Ints,
    at: Ints,
    seq: Ints,
    bits: Bits,
    name: Codes,
    text: Codes,
    subject_2: Ints,
    at_2: Ints,
    seq_2: Ints,
    bits_2: Bits,
    name_2: Codes,
    text_2: Codes,
    to_subject: Ints,
    to_at: Ints,
    to_seq: Ints,
    to_bits: Bits,
    to_name: Codes,
    to_text: Codes,
) -> None:
    """Writes two sorted streams as one."""
    i = j = 0
    for place in range(len(to_subject)):
        if j == len(subject_2) or (
            i < len(subject) and _first(subject[i], at[i], seq[i], subject_2[j], at_2[j], seq_2[j])
        ):
            to_subject[place], to_at[place], to_seq[place] = subject[i], at[i], seq[i]
            to_bits[place] = bits[i]
            if len(to_name):
                to_name[place] = name[i]
            if len(to_text):
                to_text[place] = text[i]
            i += 1
        else:
            to_subject[place], to_at[place], to_seq[place] = subject_2[j], at_2[j], seq_2[j]
            to_bits[place] = bits_2[j]
            if len(to_name):
                to_name[place] = name_2[j]
            if len(to_text):
                to_text[place] = text_2[j]
            j += 1
