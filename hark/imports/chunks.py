"""A file as rows of the log. Every chunk carries the file's digest and its number, and the engine keeps which
it has; so an import may be stopped anywhere and started again, or done twice, and counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from hark.clock import derived_id
from hark.collect import formats
from hark.collect.formats import Refused
from hark.imports.columns import Mapping, UnusableError, Values
from hark.imports.exports import Amplitude, Segment
from hark.imports.people import FILE, ROWS, People
from hark.imports.reading import EXCERPT_BYTES, Row, kind, read
from hark.model import JSON, Instant, Lane
from hark.store import contracts

CHUNK = 500
"""Rows of the file in one row of the log: what live events may have to wait for."""


class Format(Protocol):
    """How rows become calls."""

    def call(self, values: Values, file: str, line: int) -> JSON:
        """A call, or a list of them. Raises UnusableError."""
        ...


EXPORTS: dict[str, Format] = {"segment": Segment(), "amplitude": Amplitude()}
"""Formats that need no mapping, by name."""


class Problem(Struct, frozen=True):
    """A row of the file that can't become an event, and why."""

    line: int
    reason: str
    message: str
    excerpt: bytes = b""


class Chunk(Struct, frozen=True):
    """What becomes one row of the log."""

    file: str
    number: int
    calls: list[JSON]
    problems: list[Problem]
    rows: int
    share: float
    """How much of the file has been read with it, 0 to 1."""
    suppressions: list[JSON] = []
    """Entries for the suppression list."""

    def body(self) -> bytes:
        """The log row's body (docs/architecture.md, kind `import`)."""
        return msgspec.json.encode({"import": {"file": self.file, "chunk": self.number}, "batch": self.calls})


def digest(path: Path, format: Format) -> str:
    """The same file read in the same way has the same digest, wherever it lies."""
    kind(path)
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    given = isinstance(format, Mapping | People)
    way = msgspec.json.encode(format).decode() if given else type(format).__name__
    return derived_id("import", content, way)


def chunks(path: Path, format: Format, name: str, now: Instant) -> Iterator[Chunk]:
    """The file as chunks of calls, in the order of its rows. Raises HarkError for a file it cannot read."""
    rows, number = read(path), 0
    while part := list(islice(rows, ROWS if isinstance(format, People) else CHUNK)):
        number += 1
        if number == 1 and isinstance(format, Mapping):
            _check_columns(part, format)
        yield _chunk(part, format, name, number, now)


def _check_columns(rows: list[Row], format: Mapping) -> None:
    have = {key for row in rows for key in row.values or ()}
    if have:
        format.check(have)


def _chunk(rows: list[Row], format: Format, name: str, number: int, now: Instant) -> Chunk:
    calls: list[tuple[int, JSON]] = []
    problems: list[Problem] = []
    suppressions: list[JSON] = []
    for row in rows:
        if row.values is None:
            problems.append(Problem(row.line, "unreadable", row.reason, row.excerpt))
            continue
        try:
            made = format.call(values := _values(row, format), name, row.line)
            calls += [(row.line, one) for one in (made if isinstance(made, list) else [made])]
            suppressions += format.suppressions(values) if isinstance(format, People) else []
        except UnusableError as error:
            problems.append(Problem(row.line, "unusable", str(error), _excerpt(row.values)))
    refused = _refused([call for _, call in calls], now)
    problems += [Problem(calls[one.member][0], one.reason, one.message, one.excerpt) for one in refused]
    out = {one.member for one in refused}
    good = [call for member, (_, call) in enumerate(calls) if member not in out]
    problems.sort(key=lambda one: one.line)
    return Chunk(name, number, good, problems, len(rows), rows[-1].share, suppressions)


def _values(row: Row, format: Format) -> Values:
    """What the row holds; of lists of people also where it stood."""
    values = row.values or {}
    return {**values, FILE: row.file} if isinstance(format, People) else values


def _refused(calls: list[JSON], now: Instant) -> list[Refused]:
    """What collect would refuse of them: found here, where the line is known."""
    if not calls:
        return []
    body = msgspec.json.encode({"batch": calls})
    row = contracts.Row(0, Lane.BULK, now, "import", "import", body)
    return [one for one in formats.members(row) if isinstance(one, Refused)]


def _excerpt(values: Values) -> bytes:
    return msgspec.json.encode(values, enc_hook=str)[:EXCERPT_BYTES]
