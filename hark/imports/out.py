"""Events out of a workspace, as files that Hark and others read: calls in Segment's form, JSONL or Parquet.

What `hark import --format segment` reads back. Who the customer is stands in every line, as ids of today; the
first line of each customer names all their ids (`knownAs`), so that an import brings the same customers.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec
import pyarrow as pa
from msgspec import Raw, Struct
from pyarrow import parquet

from hark.clock import moment
from hark.errors import HarkError
from hark.model import Event, Instant, Kind

BATCH = 8_192
REMEMBERED = 100_000
"""Customers whose ids are held."""
TYPES = {
    Kind.TRACK: "track",
    Kind.IDENTIFY: "identify",
    Kind.PAGE: "page",
    Kind.SCREEN: "screen",
    Kind.GROUP: "group",
    Kind.ALIAS: "alias",
}
COLUMNS = (
    *("type", "event", "userId", "anonymousId", "knownAs", "messageId", "timestamp", "receivedAt", "source"),
    *("properties", "traits", "context"),
)
TABLE = pa.schema([pa.field(name, pa.string()) for name in COLUMNS])
_OBJECTS = ("knownAs", "properties", "traits", "context")


class Which(Struct, frozen=True):
    """Which events are wanted; by default all but the facts that Hark writes itself."""

    since: Instant | None = None
    until: Instant | None = None
    names: tuple[str, ...] = ()

    def has(self, event: Event) -> bool:
        return (
            event.kind in TYPES
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )


class Identities(Protocol):
    """Who a subject is (`store.contracts.StateReader`)."""

    def ids(self, subject: int) -> list[tuple[str, str]]: ...


class Who:
    """The ids of customers, as calls name them."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._known: dict[int, dict[str, Any]] = {}

    def of(self, subject: int) -> dict[str, Any]:
        """The fields of a call that say who it was; those of a customer's first event name all ids, and later
        ones again where more customers than are remembered came between."""
        known = self._known.get(subject)
        if known is not None:
            return known
        ids = [one for one in self._identities.ids(subject) if one[0] in ("user", "anonymous")]
        ids.sort(key=lambda one: one[0] != "user")
        first: dict[str, Any] = {"userId" if ids[0][0] == "user" else "anonymousId": ids[0][1]} if ids else {}
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[subject] = first
        return {**first, "knownAs": ids} if len(ids) > 1 else first


def calls(events: Iterator[Event], which: Which, who: Who) -> Iterator[dict[str, Any]]:
    """The wanted events as calls; objects are raw JSON. What belongs to nobody who has ids is left out."""
    for event in events:
        if which.has(event):
            named = who.of(event.subject)
            if named:
                yield _call(event, named)


def _call(event: Event, named: dict[str, Any]) -> dict[str, Any]:
    identify = event.kind in (Kind.IDENTIFY, Kind.GROUP)
    context = _inactive(event.context) if not event.active else event.context
    return {
        "type": "track" if event.kind == Kind.TRACK else TYPES[Kind(event.kind)],
        **({"event": event.name} if event.kind == Kind.TRACK else {}),
        **named,
        "messageId": event.message_id,
        "timestamp": moment(event.at).isoformat(),
        "receivedAt": moment(event.received_at).isoformat(),
        "source": event.source,
        "traits" if identify else "properties": Raw(event.properties),
        **({"context": Raw(context)} if context != b"{}" else {}),
    }


def _inactive(context: bytes) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(context), "active": False})


def write(path: Path, found: Iterator[dict[str, Any]], told: Callable[[int], None]) -> int:
    """Write a file whole, or none; how many lines. By its name: .parquet, .jsonl, .jsonl.gz, .jsonl.zst.

    Memory: one batch of 8,192 events. Raises HarkError `export.file` for another name.
    """
    writer = _writer(path)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        count = writer(fresh, found, told)
        fresh.replace(path)
    except OSError as error:
        raise HarkError(f"cannot write {path}: {error}", "nothing was written", "export.file") from None
    finally:
        fresh.unlink(missing_ok=True)
    return count


def _writer(path: Path) -> Callable[[Path, Iterator[dict[str, Any]], Callable[[int], None]], int]:
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _parquet
    for ending, opened in OPENERS.items():
        if name.endswith((f".jsonl{ending}", f".ndjson{ending}")):
            return lambda fresh, found, told: _jsonl(opened, fresh, found, told)
    hint = "a file that ends in .parquet, .jsonl, .jsonl.gz or .jsonl.zst"
    raise HarkError(f"cannot export events to {path}", hint, "export.file")


def _jsonl(opened: Any, path: Path, found: Iterator[dict[str, Any]], told: Callable[[int], None]) -> int:
    count = 0
    with opened(path) as file:
        for batch in _batches(found):
            file.write(b"".join(msgspec.json.encode(call) + b"\n" for call in batch))
            count += len(batch)
            told(count)
    return count


def _parquet(path: Path, found: Iterator[dict[str, Any]], told: Callable[[int], None]) -> int:
    count = 0
    with parquet.ParquetWriter(path, TABLE, compression="zstd") as file:
        for batch in _batches(found):
            columns = [[_cell(call.get(name), name) for call in batch] for name in COLUMNS]
            file.write_table(pa.table(columns, schema=TABLE))
            count += len(batch)
            told(count)
    return count


def _cell(value: Any, name: str) -> str | None:
    if value is None:
        return None
    return msgspec.json.encode(value).decode() if name in _OBJECTS else str(value)


def _batches(found: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for call in found:
        batch.append(call)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def _plain(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        yield file


@contextmanager
def _gzip(path: Path) -> Iterator[IO[bytes]]:
    with gzip.open(path, "wb", compresslevel=6) as file:
        yield file  # type: ignore[misc]


@contextmanager
def _zstandard(path: Path) -> Iterator[IO[bytes]]:
    with pa.OSFile(str(path), "wb") as raw, pa.CompressedOutputStream(raw, "zstd") as file:
        yield file


OPENERS = {"": _plain, ".gz": _gzip, ".zst": _zstandard}
