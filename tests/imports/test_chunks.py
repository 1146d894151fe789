"""A file of events becomes calls, each row once, whatever the format and the packing."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from hark.clock import instant
from hark.errors import HarkError
from hark.imports.chunks import CHUNK, Chunk, Format, chunks, digest
from hark.imports.columns import Mapping

NOW = instant("2026-03-01T00:00:00Z")
ROWS: list[dict[str, Any]] = [
    {"who": 7, "what": "Signed Up", "when": "2026-01-02T03:04:05Z", "plan": "pro", "seats": 3},
    {"who": 8, "what": "Signed Up", "when": "2026-01-02T04:04:05Z", "plan": "free", "seats": 1},
    {"who": 7, "what": "Project Created", "when": "2026-01-03T03:04:05Z", "plan": "pro", "seats": 3},
]
MAPPING = Mapping("who", "when", event="what", traits=("plan",))


def zstandard(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, "zstd", asbytes=True)
    return packed


def zipped(content: bytes) -> bytes:
    """As Amplitude does it: a zip file of gzip files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        lines = content.splitlines(keepends=True)
        archive.writestr("app/2.json.gz", gzip.compress(b"".join(lines[1:])))
        archive.writestr("app/1.json.gz", gzip.compress(lines[0]))
    return out.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstandard}


def table(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    csv.write_csv(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def written(folder: Path, ending: str) -> Path:
    path = folder / f"events.{ending}"
    kind, dot, packing = ending.partition(".")
    if kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        path.write_bytes(PACKINGS[dot + packing]((table if kind == "csv" else lines)(ROWS)))
    return path


def read(path: Path, format: Format) -> list[Chunk]:
    return list(chunks(path, format, digest(path, format), NOW))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "jsonl.zst", "parquet"])
def test_every_format_gives_the_same_calls(tmp_path: Path, ending: str) -> None:
    """CSV, JSONL and Parquet, packed or not, say the same thing."""
    (chunk,) = read(written(tmp_path, ending), MAPPING)
    said = [
        {key: call[key] for key in ("userId", "event", "timestamp", "properties", "context")}
        for call in chunk.calls
    ]
    assert said == [
        {"userId": "7", "event": "Signed Up", "timestamp": "2026-01-02T03:04:05Z",
         "properties": {"seats": 3}, "context": {"traits": {"plan": "pro"}}},
        {"userId": "8", "event": "Signed Up", "timestamp": "2026-01-02T04:04:05Z",
         "properties": {"seats": 1}, "context": {"traits": {"plan": "free"}}},
        {"userId": "7", "event": "Project Created", "timestamp": "2026-01-03T03:04:05Z",
         "properties": {"seats": 3}, "context": {"traits": {"plan": "pro"}}},
    ]  # fmt: skip
    assert chunk.share == 1.0


@pytest.mark.parametrize("name", ["export.zip", "100_2026-01-02_3#0.json.gz"])
def test_a_zip_of_gzip_files_is_read_by_name_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    """Amplitude's export is a zip of gzip files, in the order of their names, also where it is called .gz."""
    path = tmp_path / name
    path.write_bytes(zipped(lines(ROWS)))
    (chunk,) = read(path, MAPPING)
    assert [call["userId"] for call in chunk.calls] == ["7", "8", "7"]


def test_reading_twice_gives_the_same_ids(tmp_path: Path) -> None:
    """Ids come from the file's content and the row, so a second import repeats the first one's."""
    path = written(tmp_path, "jsonl")
    first, again = read(path, MAPPING), read(path.rename(tmp_path / "moved.jsonl"), MAPPING)
    assert first == again
    assert len({call["messageId"] for call in first[0].calls}) == len(ROWS)


def test_another_mapping_is_another_import(tmp_path: Path) -> None:
    """The same file read another way is not the same events."""
    path = written(tmp_path, "jsonl")
    assert digest(path, MAPPING) != digest(path, Mapping("who", "when", event_name="Seen"))


def test_a_column_may_hold_the_message_ids(tmp_path: Path) -> None:
    """Then two files that overlap name the same events."""
    path = tmp_path / "events.csv"
    path.write_text("who,when,order\na,2026-01-01T00:00:00Z,17\nb,2026-01-01T00:00:00Z,\n")
    (chunk,) = read(path, Mapping("who", "when", event_name="Paid", id="order"))
    given, made = (call["messageId"] for call in chunk.calls)
    assert given == "17"
    assert len(made) == 32
    assert "order" not in chunk.calls[0]["properties"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"who": None, "what": "A", "when": "2026-01-01T00:00:00Z"}, "no customer in who"),
        ({"who": "", "what": "A", "when": "2026-01-01T00:00:00Z"}, "no customer in who"),
        ({"who": 1, "what": None, "when": "2026-01-01T00:00:00Z"}, "no event in what"),
        ({"who": 1, "what": "A", "when": "yesterday"}, "no time in when: 'yesterday'"),
        ({"who": 1, "what": "A", "when": None}, "no time in when: None"),
        (
            {"who": 1, "what": "Message Sent", "when": 1},
            "'Message Sent' is written by Hark itself; choose another name",
        ),
    ],
)
def test_a_row_that_cannot_be_an_event_says_why(tmp_path: Path, row: dict[str, object], reason: str) -> None:
    """Such a row is left out with its line and reason; the others are kept."""
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (ROWS[0], row, ROWS[1])))
    (chunk,) = read(path, Mapping("who", "when", event="what"))
    assert [(one.line, one.message) for one in chunk.problems] == [(2, reason)]
    assert len(chunk.calls) == 2


def test_lines_that_are_no_json_are_named_and_the_others_read(tmp_path: Path) -> None:
    """A broken line costs itself, and the lines after it keep their numbers."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(ROWS[:1]) + b'\n{"who": \n\n[1]\n{"who": "\xff"}\n' + lines(ROWS[1:2]) + b"\n")
    (chunk,) = read(path, MAPPING)
    assert [(one.line, one.reason) for one in chunk.problems] == [
        (2, "unreadable"),
        (4, "unreadable"),
        (5, "unreadable"),
    ]
    assert chunk.problems[0].excerpt == b'{"who": \n'
    assert [call["userId"] for call in chunk.calls] == ["7", "8"]


def test_a_table_as_spreadsheets_write_it(tmp_path: Path) -> None:
    """A mark at the start, semicolons, quotes, a line break within a cell, a row too short, bytes of Latin-1:
    rows keep the line on which they end, numbers are numbers, and 007 stays a text."""
    path = tmp_path / "events.csv"
    path.write_bytes(
        '\ufeffwho;when;note;sum;code\n"7";2026-01-01;"a ""b""\nc; d";1.5;007\n8;2026-01-01\n'.encode()
        + b"9;2026-01-01;caf\xe9;2;1\n10;2026-01-01;;-3;true\n"
    )
    (chunk,) = read(path, Mapping("who", "when", event_name="Paid"))
    assert [(call["userId"], call["properties"]) for call in chunk.calls] == [
        ("7", {"note": 'a "b"\nc; d', "sum": 1.5, "code": "007"}),
        ("10", {"sum": -3, "code": True}),
    ]
    assert [(one.line, one.message) for one in chunk.problems] == [
        (4, "2 cells where the head has 5"),
        (5, "not UTF-8"),
    ]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("2026-01-01T09:00:00+01:00", "2026-01-01T08:00:00Z"),
        (1_767_254_400, "2026-01-01T08:00:00Z"),
        (1_767_254_400.5, "2026-01-01T08:00:00.500000Z"),
        (1_767_254_400_000, "2026-01-01T08:00:00Z"),
        (20_260_101, "2026-01-01T00:00:00Z"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
    ],
)
def test_times_in_every_usual_form(tmp_path: Path, value: object, meant: str) -> None:
    """ISO with a zone, seconds, milliseconds, and dates with and without dashes."""
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps({"who": 1, "when": value}))
    (chunk,) = read(path, Mapping("who", "when", event_name="A"))
    assert [call["timestamp"] for call in chunk.calls] == [meant]


def test_times_without_a_zone_are_read_in_the_given_one(tmp_path: Path) -> None:
    """09:00 in Berlin in July is 07:00 UTC, in January 08:00."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"who": 1, "when": "2026-07-01 09:00"}\n{"who": 1, "when": "2026-01-01 09:00"}')
    (chunk,) = read(path, Mapping("who", "when", event_name="A", zone="Europe/Berlin"))
    assert [call["timestamp"] for call in chunk.calls] == ["2026-07-01T07:00:00Z", "2026-01-01T08:00:00Z"]


def test_chunks_have_the_same_rows_in_every_format(tmp_path: Path) -> None:
    """A stopped import can go on by chunk number, since chunks are cut by rows alone."""
    rows = [{"who": str(number), "when": "2026-01-01T00:00:00Z"} for number in range(2 * CHUNK + 5)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "e.parquet", row_group_size=777)
    found = read(tmp_path / "e.parquet", Mapping("who", "when", event_name="A"))
    assert [(chunk.number, chunk.rows) for chunk in found] == [(1, CHUNK), (2, CHUNK), (3, 5)]
    assert [call["userId"] for chunk in found for call in chunk.calls] == [row["who"] for row in rows]


@pytest.mark.parametrize(("name", "id"), [("nothing.csv", "import.file"), ("events.xlsx", "import.file")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, id: str) -> None:
    """No such file, or a format we do not read: one clear error with a hint."""
    (tmp_path / "events.xlsx").write_bytes(b"PK")
    with pytest.raises(HarkError) as found:
        read(tmp_path / name, MAPPING)
    assert found.value.id == id


def test_a_missing_column_lists_those_there_are(tmp_path: Path) -> None:
    """The error names the missing column, the hint what the file has."""
    with pytest.raises(HarkError, match="no column shop") as found:
        read(written(tmp_path, "csv"), Mapping("shop", "when", event="what"))
    assert "plan, seats, what, when, who" in found.value.hint


@pytest.mark.parametrize("ending", ["jsonl.gz", "jsonl.zst", "parquet"])
def test_a_file_that_breaks_off_says_so(tmp_path: Path, ending: str) -> None:
    """A packed file that is cut short is an error, and what came before it can stay."""
    path = written(tmp_path, ending)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HarkError) as found:
        read(path, MAPPING)
    assert found.value.id == "import.broken"
