"""What rows have under a path of their properties: one code a row, and each different value once.

Predicates, breakdowns and sums look at values, never at texts: each is read once, however many rows have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hark.model import JSON

Codes: TypeAlias = npt.NDArray[np.int32]
Small: TypeAlias = npt.NDArray[np.integer[Any]]
Wanted: TypeAlias = Mapping[str, "frozenset[str] | None"]
"""By dotted path, the names of the events of which it is wanted (None: of all)."""


class Unreadable:
    """Stands for a value that no number can hold, which is in no predicate and under no heading."""


UNREADABLE: Final = Unreadable()
Value: TypeAlias = JSON | Unreadable


@dataclass(frozen=True)
class Values:
    """The values of a run's rows under one path. Code 0 stands for none: absent, null, or not asked for."""

    codes: Small
    values: Sequence[Value]

    def take(self, rows: npt.NDArray[np.int64]) -> Values:
        """Those of some rows."""
        return Values(self.codes[rows], self.values)

    @property
    def held_bytes(self) -> int:
        """Memory of the codes."""
        return int(self.codes.nbytes)


class Reader:
    """Gathers the values of one path over consecutive parts of a run."""

    def __init__(self, path: str) -> None:
        self._raw = raw_at(path)
        self._places: dict[bytes, int] = {b"": 0, b"null": 0}
        self._values: list[Value] = [None]
        self._codes: list[Codes] = []

    def add(self, codes: Codes, texts: pa.Array, rows: npt.NDArray[np.bool_] | None = None) -> None:
        """The next part: a code for each row into the texts of properties; only these rows, if given."""
        seen = np.zeros(len(texts), np.bool_)
        seen[codes if rows is None else codes[rows]] = True
        used = np.flatnonzero(seen)
        of_text = np.zeros(len(texts), np.int32)
        found = texts.take(pa.array(used)).cast(pa.binary()).to_pylist()
        of_text[used] = [self._place(self._raw(text)) for text in found]
        self._codes.append(of_text[codes] if len(texts) else np.zeros(len(codes), np.int32))

    def _place(self, raw: bytes) -> int:
        """The code of a value as it is written."""
        place = self._places.get(raw)
        if place is None:
            place = self._places[raw] = len(self._values)
            self._values.append(_decoded(raw))
        return place

    def values(self) -> Values:
        """Everything that was added, in codes as small as can be."""
        codes = np.concatenate([np.empty(0, np.int32), *self._codes])
        return Values(codes.astype(np.min_scalar_type(len(self._values))), self._values)


def of_texts(path: str, codes: Codes, texts: Sequence[bytes]) -> Values:
    """The values of rows whose properties are at hand."""
    reader = Reader(path)
    reader.add(codes, pa.array(texts, pa.binary()))
    return reader.values()


def joined(parts: Iterable[Values]) -> Values:
    """Consecutive parts as one."""
    codes, values = [np.empty(0, np.int32)], list[Value]()
    for part in parts:
        codes.append(part.codes.astype(np.int32) + np.int32(len(values)))
        values.extend(part.values)
    return Values(np.concatenate(codes), values)


def value_of(path: str, properties: bytes) -> Value:
    """The value under a path of raw properties."""
    raw = raw_at(path)(properties)
    return _decoded(raw) if raw else None


def _decoded(raw: bytes) -> Value:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return UNREADABLE


@cache
def raw_at(path: str) -> Callable[[bytes], bytes]:
    """From a raw JSON object to what is written under a dotted path; b"" where nothing is."""
    decoders = [_member(name) for name in path.split(".")]

    def found(raw: bytes) -> bytes:
        for decode in decoders:
            try:
                member = decode(raw).member
            except msgspec.DecodeError:
                return b""
            raw = bytes(member)
            if not raw:
                break
        return raw

    return found


@cache
def _member(name: str) -> Callable[[bytes], Any]:
    """Decodes one member of a JSON object, as it is written; no other is built."""
    wanted = msgspec.defstruct(
        "Member", [("member", msgspec.Raw, msgspec.Raw())], rename={"member": name}, gc=False
    )
    return msgspec.json.Decoder(wanted).decode
