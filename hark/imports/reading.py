"""A file's rows, each with the line it stands on. What can't be read is a row too, with its reason."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import pyarrow as pa
from pyarrow import parquet

from hark.errors import HarkError
from hark.imports.lines import unpacked

EXCERPT_BYTES = 500
PACKED = ("gz", "zst", "zip")
LONGEST_FIELD = 1 << 20
SEPARATORS = ",;\t|"

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_TRUTH = {"true": True, "false": False, "TRUE": True, "FALSE": False, "True": True, "False": False}


class Row(NamedTuple):
    """One row of a file: its values, or why it has none."""

    line: int
    """From 1, as an editor counts; of Parquet the row."""
    values: dict[str, Any] | None
    reason: str = ""
    excerpt: bytes = b""
    share: float = 0.0
    """How much of the file has been read by now."""
    file: str = ""
    """Of a zip, the file within it."""


def kind(path: Path) -> str:
    """csv, jsonl or parquet, by the file's name. HarkError `import.file` for another, or no file."""
    words = [word for word in path.name.lower().split(".")[1:] if word not in PACKED]
    found = KINDS.get(words[-1]) if words else None
    if path.suffix == ".zip" and found is None:
        found = _inside(path)
    if found is None or not path.is_file():
        message = f"cannot import {path}" + ("" if path.is_file() else ": there is no such file")
        hint = f"files that end in {', '.join('.' + name for name in KINDS)}; text also with .gz, .zst, .zip"
        raise HarkError(message, hint=hint, id="import.file")
    return found


def _inside(path: Path) -> str:
    """What a zip holds whose own name does not say it: tables, if its first file is one."""
    try:
        with zipfile.ZipFile(path) as archive:
            first = min((one.filename for one in archive.infolist() if not one.is_dir()), default="")
    except (OSError, zipfile.BadZipFile):
        return "jsonl"
    return "csv" if first.lower().endswith((".csv", ".tsv", ".csv.gz")) else "jsonl"


KINDS = {
    "csv": "csv",
    "tsv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
    "parquet": "parquet",
}


def read(path: Path) -> Iterator[Row]:
    """The file's rows in their order. HarkError `import.broken` where it can't be read on."""
    reader = READERS[kind(path)]
    try:
        yield from reader(path)
    except (pa.ArrowException, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        hint = "what was read before it is in; mend the file and import it again, nothing counts twice"
        raise HarkError(f"{path} broke off: {error}", hint=hint, id="import.broken") from None


def _jsonl(path: Path) -> Iterator[Row]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    line = 0
    with unpacked(path) as file:
        for stream in file.streams():
            for text in stream:
                line += 1
                if not text.isspace():
                    yield _decoded(decode, line, text, file.share)


def _decoded(decode: Callable[[bytes], dict[str, Any]], line: int, text: bytes, share: float) -> Row:
    try:
        return Row(line, decode(text), share=share)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Row(line, None, f"no JSON object: {error}", text[:EXCERPT_BYTES], share)


def _csv(path: Path) -> Iterator[Row]:
    before = 0
    with unpacked(path) as file:
        for stream in file.streams():
            lines = 0
            for row in _table(stream):
                lines = row.line
                yield row._replace(line=before + row.line, share=file.share, file=file.name)
            before += lines


def _table(stream: IO[bytes]) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    first = text.readline()
    separator = max(SEPARATORS, key=first.count)
    names = next(csv.reader([first], delimiter=separator), [])
    reader = csv.reader(text, delimiter=separator)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num + 1, None, f"no row of a table: {error}")
            continue
        if cells:
            yield _cells(reader.line_num + 1, names, cells)


def _cells(line: int, names: list[str], cells: list[str]) -> Row:
    whole = ",".join(cells)
    excerpt = whole[:EXCERPT_BYTES].encode("utf-8", "surrogateescape")
    if len(cells) != len(names):
        return Row(line, None, f"{len(cells)} cells where the head has {len(names)}", excerpt)
    if not whole.isascii() and not _is_unicode(whole):
        return Row(line, None, "not UTF-8", excerpt)
    return Row(line, {name: _value(cell) for name, cell in zip(names, cells, strict=True)})


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _value(cell: str) -> str | int | float | bool | None:
    """What a cell holds: nothing, a number, true or false, or the text. 007 is a text."""
    if not cell:
        return None
    if cell[0] in "-0123456789" and (found := _NUMBER.fullmatch(cell)):
        return float(cell) if found[2] or found[3] else int(cell)
    return _TRUTH.get(cell, cell)


def _parquet(path: Path) -> Iterator[Row]:
    with parquet.ParquetFile(path) as file:
        row, total = 0, max(1, file.metadata.num_rows)
        for batch in file.iter_batches(batch_size=4_096):
            for values in batch.to_pylist():
                row += 1
                yield Row(row, values, share=row / total)


READERS: dict[str, Callable[[Path], Iterator[Row]]] = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
