"""Importing a file of events: CSV, JSONL (both also .gz) or Parquet, by columns, once.

A file goes into the log's bulk lane in chunks. Every chunk carries the file's digest and its number, and
the engine keeps which it has; so an import may be stopped and started, or done twice, and counts once.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
from msgspec import Struct
from pyarrow import csv, parquet

from hark.clock import derived_id, instant, moment
from hark.errors import HarkError
from hark.model import JSON

CHUNK = 1000
"""Rows of the file in one row of the log."""

Rows: TypeAlias = list[dict[str, Any]]


class Mapping(Struct, frozen=True):
    """Which column is what. `event` names a column, `event_name` one name for all rows."""

    customer: str
    at: str
    event: str | None = None
    event_name: str | None = None
    traits: tuple[str, ...] = ()
    zone: str = "UTC"
    """Read times without a zone in this one."""


class Problem(Struct, frozen=True):
    """A row of the file (from 1) that cannot become an event, and why."""

    row: int
    reason: str


class Chunk(Struct, frozen=True):
    """What becomes one row of the log."""

    file: str
    number: int
    calls: list[JSON]
    problems: list[Problem]
    rows: int

    def body(self) -> bytes:
        """The log row's body (docs/architecture.md, kind `import`)."""
        return msgspec.json.encode({"import": {"file": self.file, "chunk": self.number}, "batch": self.calls})


def digest(path: Path, mapping: Mapping) -> str:
    """The same file read by the same mapping has the same digest, wherever it lies."""
    _reader(path)
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return derived_id("import", content, msgspec.json.encode(mapping).decode())


def chunks(path: Path, mapping: Mapping) -> Iterator[Chunk]:
    """The file as chunks of calls, in the order of its rows. Raises HarkError for a file it cannot read."""
    name, number, row = digest(path, mapping), 1, 0
    for rows in read(path):
        if number == 1:
            _check_columns(rows, mapping)
        results = [call(values, mapping, name, row + index) for index, values in enumerate(rows, start=1)]
        calls = [result for result in results if not isinstance(result, Problem)]
        problems = [result for result in results if isinstance(result, Problem)]
        yield Chunk(name, number, calls, problems, len(rows))
        number, row = number + 1, row + len(rows)


def call(values: dict[str, Any], mapping: Mapping, file: str, row: int) -> JSON | Problem:
    """One row as a track call with an id made of file and row; or why it cannot be one."""
    customer, when = values.get(mapping.customer), values.get(mapping.at)
    event = mapping.event_name or values.get(mapping.event or "")
    if customer is None or customer == "":
        return Problem(row, f"no customer in {mapping.customer}")
    if event is None or event == "":
        return Problem(row, f"no event in {mapping.event}")
    at = _instant(when, mapping.zone)
    if at is None:
        return Problem(row, f"no time in {mapping.at}: {when!r}")
    taken = {mapping.customer, mapping.at, mapping.event, *mapping.traits}
    traits = {key: values[key] for key in mapping.traits if values.get(key) is not None}
    return {
        "type": "track",
        "userId": _text(customer),
        "event": str(event),
        "timestamp": moment(at).isoformat().replace("+00:00", "Z"),
        "messageId": derived_id(file, row),
        "properties": {key: value for key, value in values.items() if key not in taken and value is not None},
    } | ({"context": {"traits": traits}} if traits else {})


def _text(customer: Any) -> str:
    """Ids that a file holds as 17850.0 were whole numbers before a spreadsheet met a missing one."""
    return str(int(customer)) if isinstance(customer, float) and customer.is_integer() else str(customer)


def _instant(value: Any, zone: str) -> int | None:
    """An instant from what a column holds: time, date, ISO text or seconds since 1970."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return round(value * 1_000_000)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    except (ValueError, TypeError, AttributeError):
        return None


def _check_columns(rows: Rows, mapping: Mapping) -> None:
    wanted = [mapping.customer, mapping.at, *mapping.traits] + ([mapping.event] if mapping.event else [])
    have = {key for row in rows for key in row}
    missing = [column for column in wanted if column not in have]
    if missing:
        hint = f"its columns are {', '.join(sorted(have))}"
        raise HarkError(
            f"the file has no column {missing[0]}; nothing was imported", hint=hint, id="import.column"
        )


def count(path: Path) -> int | None:
    """How many rows the file has, where that is known without reading it (Parquet)."""
    return parquet.ParquetFile(path).metadata.num_rows if path.suffix == ".parquet" else None


def read(path: Path) -> Iterator[Rows]:
    """The file's rows as dictionaries, at most CHUNK at a time."""
    try:
        yield from _reader(path)(path)
    except (pa.ArrowInvalid, msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        hint = "what was read before it is in; mend the file and import it again, nothing counts twice"
        raise HarkError(f"{path} broke off: {error}", hint=hint, id="import.broken") from None


def _reader(path: Path) -> Callable[[Path], Iterator[Rows]]:
    reader = READERS.get(path.name.removesuffix(".gz").rsplit(".", 1)[-1].lower())
    if reader is None or not path.exists():
        message = f"cannot import {path}" + ("" if path.exists() else ": there is no such file")
        hint = f"give a file that ends in {', '.join('.' + name for name in READERS)} (text also with .gz)"
        raise HarkError(message, hint=hint, id="import.file")
    return reader


def _read_csv(path: Path) -> Iterator[Rows]:
    with csv.open_csv(path) as reader:  # pyarrow unpacks .gz by its name
        yield from _sized(batch.to_pylist() for batch in reader)


def _read_jsonl(path: Path) -> Iterator[Rows]:
    with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as lines:
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        yield from _sized([decode(line)] for line in lines if line.strip())


def _read_parquet(path: Path) -> Iterator[Rows]:
    batches = parquet.ParquetFile(path).iter_batches(batch_size=CHUNK)
    yield from _sized(batch.to_pylist() for batch in batches)


def _sized(parts: Iterable[Rows]) -> Iterator[Rows]:
    """The same rows in lists of exactly CHUNK, so that chunks have the same numbers at every reading."""
    waiting: Rows = []
    for part in parts:
        waiting.extend(part)
        while len(waiting) >= CHUNK:
            yield waiting[:CHUNK]
            del waiting[:CHUNK]
    if waiting:
        yield waiting


READERS: dict[str, Callable[[Path], Iterator[Rows]]] = {
    "csv": _read_csv,
    "jsonl": _read_jsonl,
    "ndjson": _read_jsonl,
    "parquet": _read_parquet,
}
