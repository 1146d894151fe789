"""A file of events becomes calls, each row once, whatever the format."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from hark.errors import HarkError
from hark.importer import CHUNK, Mapping, chunks, digest

ROWS = [
    {"who": 7, "what": "Signed Up", "when": "2026-01-02T03:04:05Z", "plan": "pro", "seats": 3},
    {"who": 8, "what": "Signed Up", "when": "2026-01-02T04:04:05Z", "plan": "free", "seats": 1},
    {"who": 7, "what": "Project Created", "when": "2026-01-03T03:04:05Z", "plan": "pro", "seats": 3},
]
MAPPING = Mapping("who", "when", event="what", traits=("plan",))


def written(folder: Path, ending: str) -> Path:
    path, table = folder / f"events.{ending}", pa.Table.from_pylist(ROWS)
    if ending == "parquet":
        parquet.write_table(table, path)
    elif ending.startswith("csv"):
        csv.write_csv(table, folder / "plain.csv")
        content = (folder / "plain.csv").read_bytes()
        path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    else:
        content = "\n".join(json.dumps(row) for row in ROWS).encode()
        path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    return path


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_format_gives_the_same_calls(tmp_path: Path, ending: str) -> None:
    """CSV, JSONL and Parquet, packed or not, say the same thing."""
    (chunk,) = chunks(written(tmp_path, ending), MAPPING)
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


def test_reading_twice_gives_the_same_ids(tmp_path: Path) -> None:
    """Ids come from the file's content and the row, so a second import repeats the first one's."""
    path = written(tmp_path, "jsonl")
    first, again = list(chunks(path, MAPPING)), list(chunks(path.rename(tmp_path / "moved.jsonl"), MAPPING))
    assert first == again
    assert len({call["messageId"] for call in first[0].calls}) == len(ROWS)


def test_another_mapping_is_another_import(tmp_path: Path) -> None:
    """The same file read another way is not the same events."""
    path = written(tmp_path, "jsonl")
    assert digest(path, MAPPING) != digest(path, Mapping("who", "when", event_name="Seen"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"who": None, "what": "A", "when": "2026-01-01T00:00:00Z"}, "no customer in who"),
        ({"who": "", "what": "A", "when": "2026-01-01T00:00:00Z"}, "no customer in who"),
        ({"who": 1, "what": None, "when": "2026-01-01T00:00:00Z"}, "no event in what"),
        ({"who": 1, "what": "A", "when": "yesterday"}, "no time in when: 'yesterday'"),
        ({"who": 1, "what": "A", "when": None}, "no time in when: None"),
    ],
)
def test_a_row_that_cannot_be_an_event_says_why(tmp_path: Path, row: dict[str, object], reason: str) -> None:
    """Such a row is left out with its number and reason; the others are kept."""
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (ROWS[0], row)))
    (chunk,) = chunks(path, Mapping("who", "when", event="what"))
    assert [(one.row, one.reason) for one in chunk.problems] == [(2, reason)]
    assert len(chunk.calls) == 1


def test_times_without_a_zone_are_read_in_the_given_one(tmp_path: Path) -> None:
    """09:00 in Berlin in July is 07:00 UTC, in January 08:00."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"who": 1, "when": "2026-07-01 09:00"}\n{"who": 1, "when": "2026-01-01 09:00"}')
    (chunk,) = chunks(path, Mapping("who", "when", event_name="A", zone="Europe/Berlin"))
    assert [call["timestamp"] for call in chunk.calls] == ["2026-07-01T07:00:00Z", "2026-01-01T08:00:00Z"]


def test_chunks_have_the_same_rows_in_every_format(tmp_path: Path) -> None:
    """A stopped import can go on by chunk number, since chunks are cut by rows alone."""
    rows = [{"who": str(number), "when": "2026-01-01T00:00:00Z"} for number in range(2 * CHUNK + 5)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "e.parquet", row_group_size=777)
    found = list(chunks(tmp_path / "e.parquet", Mapping("who", "when", event_name="A")))
    assert [(chunk.number, chunk.rows) for chunk in found] == [(1, CHUNK), (2, CHUNK), (3, 5)]
    assert [call["userId"] for chunk in found for call in chunk.calls] == [row["who"] for row in rows]


@pytest.mark.parametrize(("name", "id"), [("nothing.csv", "import.file"), ("events.xlsx", "import.file")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, id: str) -> None:
    """No such file, or a format we do not read: one clear error with a hint."""
    (tmp_path / "events.xlsx").write_bytes(b"PK")
    with pytest.raises(HarkError) as found:
        list(chunks(tmp_path / name, MAPPING))
    assert found.value.id == id


def test_a_missing_column_lists_those_there_are(tmp_path: Path) -> None:
    """The error names the missing column, the hint what the file has."""
    with pytest.raises(HarkError, match="no column shop") as found:
        list(chunks(written(tmp_path, "csv"), Mapping("shop", "when", event="what")))
    assert "plan, seats, what, when, who" in found.value.hint


def test_a_file_that_breaks_off_says_so(tmp_path: Path) -> None:
    """Damage in the middle is an error, and what came before it can stay."""
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(ROWS[0]) + '\n{"who": ')
    with pytest.raises(HarkError) as found:
        list(chunks(path, MAPPING))
    assert found.value.id == "import.broken"
