"""What every kernel begins with: the rows a question looks at, merged into one sorted stream of a bucket.

A question gives each row a set of bits (bit j: it matches step j); rows without a bit are left behind.
Kernels see bits as signed integers: with one type of integer there is much less to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from numba import types

from hark.definitions.types import EventMatch
from hark.history.reader import NOTHING
from hark.history.runs import Codes, Flags, Ints, Run
from hark.history.values import Unreadable, Value, Values, Wanted, joined
from hark.model import JSON
from hark.understand import operators
from hark.understand.kernels.compiled import compiled, read_only

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
    """Into `words`, the name of each row's event; empty unless asked for."""
    words: tuple[str, ...] = ()
    values: Mapping[str, Values] = field(default_factory=dict)
    """By path, what each row has there, of the paths that were asked for."""

    def __len__(self) -> int:
        return len(self.subject)

    def only(self, rows: Flags) -> Stream:
        """Some of the rows, of a stream without names and values."""
        return Stream(self.subject[rows], self.at[rows], self.seq[rows], self.bits[rows])


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


def wanted(bits: Sequence[Bit], told: Wanted = NOTHING) -> Wanted:
    """What predicates look at, and what else is `told` of rows: by path the names of the events."""
    found = dict(told)
    for bit in bits:
        for path in (bit.event.where or {}) if bit.event else {}:
            before = found.get(path, frozenset())
            found[path] = None if before is None else before | frozenset(bit.event.names if bit.event else ())
    return found


def stream(runs: Sequence[Run], bits: Sequence[Bit], named: bool = False, told: Sequence[str] = ()) -> Stream:
    """The rows of a bucket's runs that have any of the bits, walked together into one order.

    With `named` each row keeps its event's name, and what it has under the paths `told` (the runs must have
    these, and what the predicates look at: `wanted`).
    """
    words = tuple(dict.fromkeys(word for run in runs for word in run.names)) if named else ()
    parts = [_selected(run, bits, words, told) for run in runs]
    waiting = sorted(parts, key=len)
    while len(waiting) > 1:
        waiting = sorted([*waiting[2:], _merged(waiting[0], waiting[1])], key=len)
    whole = waiting[0] if waiting else replace(_EMPTY, values={path: joined([]) for path in told})
    return replace(whole, words=words)


def marks(subject: Ints, at: Ints, seq: int, bit: int) -> Stream:
    """Rows that stand for no event, each with one bit."""
    order = np.lexsort((at, subject))
    bits = np.full(len(subject), 1 << bit, np.uint64)
    return Stream(subject[order], at[order], np.full(len(subject), seq, np.int64), bits)


def mixed(rows: Stream, marks: Stream) -> Stream:
    """The rows with those marks among them; a mark has nothing under any path, and no name of its own."""
    names = np.zeros(len(marks) if len(rows.words) else 0, np.int32)
    nothing = {path: Values(np.zeros(len(marks), np.int32), [None]) for path in rows.values}
    return replace(_merged(rows, replace(marks, name=names, values=nothing)), words=rows.words)


_EMPTY = Stream(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64))


def _selected(run: Run, bits: Sequence[Bit], words: tuple[str, ...], told: Sequence[str]) -> Stream:
    of_name = np.array([_of_name(name, bits) for name in run.names], np.uint64)
    of_inactive = np.uint64(sum(1 << place for place, bit in enumerate(bits) if bit.inactive))
    codes, of_value = _of_values(run, bits)
    asked = _signed(of_name), of_inactive.view(np.int64), run.kept.ravel(), codes, _signed(of_value)
    # As much room as there are rows, of which the machine gives only what is written to.
    subject, at, seq, rows = (np.empty(len(run) + 1, np.int64) for _ in range(4))
    found = np.empty(len(run), np.uint64)
    keys = run.subject, run.at, run.seq, subject, at, seq
    count = _select(run.code, run.active, *asked, *keys, _signed(found), rows)
    name, chosen = _NO_CODES, rows[:count]
    if words:
        name = np.array([words.index(name) for name in run.names], np.int32)[run.code[chosen]]
    values = {path: run.values[path].take(chosen) for path in told}
    return Stream(subject[:count], at[:count], seq[:count], found[:count], name, values=values)


def _merged(one: Stream, other: Stream) -> Stream:
    total = len(one) + len(other)
    subject, at, seq = (np.empty(total, np.int64) for _ in range(3))
    bits = np.empty(total, np.uint64)
    told = len(one.name) + len(other.name) > 0 or bool(one.values)
    order = np.empty(total if told else 0, np.int64)
    _merge(*_columns(one), *_columns(other), subject, at, seq, _signed(bits), order)
    names = len(one.name) + len(other.name)
    name = np.concatenate([one.name, other.name])[order] if names else _NO_CODES
    values = {path: joined([one.values[path], other.values[path]]).take(order) for path in one.values}
    return Stream(subject, at, seq, bits, name, values=values)


def _columns(rows: Stream) -> tuple[Ints, Ints, Ints, Ints]:
    return rows.subject, rows.at, rows.seq, _signed(rows.bits)


def _signed(bits: Bits) -> Ints:
    return bits.view(np.int64)


def _of_name(name: str, bits: Sequence[Bit]) -> int:
    return sum(1 << place for place, bit in enumerate(bits) if bit.event is None or name in bit.event.names)


def _of_values(run: Run, bits: Sequence[Bit]) -> tuple[Codes, Bits]:
    """A code for each row, and the bits that rows of each code may have by their values.

    A predicate is applied once to each different value of a path. Few sets of bits come of it, whatever the
    number of values, so the sets of several paths are small enough to be taken together.
    """
    codes, allowed = _NO_CODES, np.empty(0, np.uint64)
    for path in wanted(bits):
        values = run.values[path]
        different, of_value = np.unique(_allowed(path, values.values, bits), return_inverse=True)
        place = of_value.astype(np.int32)[values.codes]
        codes = place if not len(allowed) else codes * np.int32(len(different)) + place
        allowed = different if not len(allowed) else np.bitwise_and.outer(allowed, different).ravel()
    return codes, allowed


def _allowed(path: str, values: Sequence[Value], bits: Sequence[Bit]) -> Bits:
    """The bits that each of the values under a path allows."""
    tests = list(_tests(path, bits))
    others = (1 << len(bits)) - 1 - sum(1 << place for place, _ in tests)
    found = [
        others
        + (0 if isinstance(value, Unreadable) else sum(1 << place for place, test in tests if test(value)))
        for value in values
    ]
    return np.array(found, np.uint64)


def _tests(path: str, bits: Sequence[Bit]) -> Iterator[tuple[int, Callable[[JSON], bool]]]:
    """The places of the bits whose predicate names the path, and what it asks of a value."""
    for place, bit in enumerate(bits):
        if bit.event and path in (bit.event.where or {}):
            yield place, operators.test_of(bit.event.where[path])


I32, I64, U64 = read_only(types.int32), read_only(types.int64), read_only(types.uint64)
_FLAGS = read_only(types.boolean)
OUT = types.int64[::1]
_ASKED = (I32, _FLAGS, I64, types.int64, I64, I32, I64)


@compiled(types.int64(*_ASKED, I64, I64, I64, OUT, OUT, OUT, OUT, OUT))
def _select(
    code: Codes,
    active: Flags,
    of_name: Ints,
    of_inactive: int,
    kept: Ints,
    value: Codes,
    of_value: Ints,
    subject: Ints,
    at: Ints,
    seq: Ints,
    to_subject: Ints,
    to_at: Ints,
    to_seq: Ints,
    to_bits: Ints,
    rows: Ints,
) -> int:
    """Writes the rows with any bit, and their places into `rows`; answers how many.

    `kept` has ranges' ends by turns; `value` is empty where no property is asked for. Which rows have a name
    that is asked for is found first, without a branch: it is as good as random, and a wrong guess of the
    processor costs more than the rest.
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
            rows[count] = row
            count += 1
    return count


@compiled(types.void(*[I64] * 8, *[OUT] * 5))
def _merge(
    subject: Ints,
    at: Ints,
    seq: Ints,
    bits: Ints,
    subject_2: Ints,
    at_2: Ints,
    seq_2: Ints,
    bits_2: Ints,
    to_subject: Ints,
    to_at: Ints,
    to_seq: Ints,
    to_bits: Ints,
    order: Ints,
) -> None:
    """Writes two sorted streams as one; into `order`, unless it is empty, where each row stood if the second
    came behind the first."""
    i = j = 0
    for place in range(len(to_subject)):
        first = j == len(subject_2)
        if not first and i < len(subject):
            first = subject[i] < subject_2[j]
            if subject[i] == subject_2[j]:
                first = at[i] < at_2[j] or (at[i] == at_2[j] and seq[i] <= seq_2[j])
        if len(order):
            order[place] = i if first else len(subject) + j
        if first:
            to_subject[place], to_at[place], to_seq[place] = subject[i], at[i], seq[i]
            to_bits[place] = bits[i]
            i += 1
        else:
            to_subject[place], to_at[place], to_seq[place] = subject_2[j], at_2[j], seq_2[j]
            to_bits[place] = bits_2[j]
            j += 1
