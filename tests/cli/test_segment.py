"""Segments asked about: previews, sizes, overlaps, edits and lists, by command and from Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyarrow import csv
from typer.testing import CliRunner

import hark
from hark.cli import app
from hark.clock import unit_hash
from hark.errors import HarkError
from hark.workspace import History

pytestmark = pytest.mark.xdist_group("segment")

DOCUMENTS = """
segment: buyers
where: {did: Order Completed}
---
segment: regulars
where: {did: {event: Order Completed, times: {gte: 2}}}
---
policy: internal
where: {trait: {email: {ends_with: "@us.example"}}}
"""
EVENTS = [
    {"who": f"u{n}", "what": "Order Completed", "when": f"2026-0{month}-10T00:00:00Z",
     "email": f"u{n}@{'us' if n == 6 else 'them'}.example"}
    for n in range(1, 7)
    for month in range(1, 1 + n)
]  # fmt: skip
"""u1 orders in January, u2 in January and February, ...; u6 is one of us."""


def run(*words: object) -> Any:
    """A command in this process; its JSON."""
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segment")
    file, data, documents = folder / "events.jsonl", folder / "data", folder / "all.yaml"
    file.write_text("\n".join(json.dumps(one) for one in EVENTS))
    documents.write_text(DOCUMENTS)
    run("apply", documents, "--data", data)
    words = ["--customer", "who", "--event", "what", "--at", "when", "--trait", "email"]
    run("import", file, *words, "--data", data)
    return data


@pytest.fixture(scope="module")
def shop(data: Path) -> History:
    return hark.open(data)


def test_a_condition_is_asked_without_being_saved(shop: History, data: Path, tmp_path: Path) -> None:
    """Three of five customers ordered three times, by a file as by Python; nothing is saved."""
    where = {"did": {"event": "Order Completed", "times": {"gte": 3}}}
    found = shop.segment_preview(where)
    assert (found["count"], found["sample"]) == (3, ["u3", "u4", "u5"])
    assert found["sentence"] == "did Order Completed at least 3 times"
    for text in ("where: {did: {event: Order Completed, times: {gte: 3}}}", json.dumps(where)):
        (tmp_path / "where.yaml").write_text(text)
        assert run("segment", "--where", tmp_path / "where.yaml", "--data", data) == found
    assert {one.name for one in shop._workspace.state().documents()} == {"buyers", "regulars", "internal"}


def test_an_edit_says_who_comes_and_goes(shop: History, data: Path, tmp_path: Path) -> None:
    """From "at least twice" to "at most four times, ever": u1 comes, u5 goes, three stay."""
    where = {"did": {"event": "Order Completed", "times": {"between": [1, 4]}}}
    found = shop.segment_edit("regulars", where)
    assert (found["before"], found["after"], found["stay"]) == (4, 4, 3)
    assert found["come"] == {"count": 1, "sample": ["u1"]}
    assert found["go"] == {"count": 1, "sample": ["u5"]}
    (tmp_path / "edit.yaml").write_text(json.dumps(where))
    assert run("segment", "regulars", "--where", tmp_path / "edit.yaml", "--data", data) == found


def test_its_size_over_time(shop: History, data: Path) -> None:
    """In each month one customer fewer than in the one before orders for the second time."""
    found = shop.segment_sizes("regulars", "month", since="2026-01-01T00:00:00Z")
    assert [one["count"] for one in found[:6]] == [0, 4, 4, 4, 4, 4]
    assert found[1]["period"] == "2026-02"
    assert run("segment", "regulars", "--sizes", "month", "--data", data)["sizes"][-1]["count"] == 4


def test_two_segments_overlap(shop: History, data: Path) -> None:
    """All regulars are buyers; one buyer is no regular."""
    found = shop.segment_overlap("buyers", "regulars")
    assert [found[key] for key in ("one", "other", "both", "only_one", "only_other")] == [5, 4, 4, 1, 0]
    assert run("segment", "buyers", "--overlap", "regulars", "--data", data) == found


def test_members_are_listed_page_by_page_and_exported(shop: History, data: Path, tmp_path: Path) -> None:
    """Pages of two give every member once, and the file has the same."""
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = shop.ask({"segment_members": {"name": "buyers", "after": after, "limit": 2}})
        seen += [one["customer"] for one in page["members"]]
        after = page["next"]
    assert seen == ["u1", "u2", "u3", "u4", "u5"]
    assert shop.segment_members("buyers")["customer"].to_pylist() == seen
    out = tmp_path / "buyers.csv"
    assert run("segment", "buyers", "--out", out, "--data", data)["customers"] == 5
    assert csv.read_csv(out)["customer"].to_pylist() == seen


def test_as_of_a_date(shop: History) -> None:
    """Nobody had ordered twice the day before the second orders came in; four had the day after."""
    assert shop.segment("regulars", "2026-02-09T00:00:00Z")["count"] == 0
    assert shop.segment("regulars", "2026-02-10T00:00:00Z")["count"] == 4


@pytest.mark.parametrize(
    ("ask", "id"),
    [
        ({"segment_preview": {"where": {"didnt": "A"}}}, "condition.wrong"),
        ({"segment_preview": {"where": {"did": "A", "did_not": "B"}}}, "condition.wrong"),
        ({"segment_edit": {"name": "nobody", "where": {"did": "A"}}}, "segment.unknown"),
        ({"segment_overlap": {"one": "buyers", "other": "nobody"}}, "segment.unknown"),
        ({"segment_members": {"name": "buyers", "limit": 0}}, "question.wrong"),
        ({"segment_sizes": {"name": "buyers", "period": "day", "since": 0}}, "question.wrong"),
    ],
)
def test_what_cannot_be_asked_says_why(shop: History, ask: Any, id: str) -> None:
    """A wrong condition, a segment that is not there and too much at once are refused with an id."""
    with pytest.raises(HarkError) as caught:
        shop.ask(ask)
    assert caught.value.id == id


def test_a_file_without_one_condition_is_refused(data: Path, tmp_path: Path) -> None:
    """Two documents, none, and no file at all are named as such."""
    for text in ("did: A\n---\ndid: B\n", "", None):
        file = tmp_path / "where.yaml"
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        done = CliRunner().invoke(app, ["segment", "--where", str(file), "--data", str(data)])
        assert isinstance(done.exception, HarkError)
        assert done.exception.id == "condition.file"


HELD_OUT = """
policy: attention
global_control: {share: 50%}
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
---
campaign: again
trigger: {enters: regulars}
goal: {event: Order Completed, within: 7d}
control: 50%
topic: news
steps: [{send: {channel: email, template: hello}}]
"""


def test_lists_leave_out_whom_campaigns_leave_alone(data: Path, tmp_path: Path) -> None:
    """Whoever the documented hash puts in the global control, or in that of a campaign which is named or
    which the segment starts, is not on a list; asked for, all are."""
    own = tmp_path / "own"
    shutil.copytree(data, own, ignore=shutil.ignore_patterns("run"))
    (tmp_path / "campaign.yaml").write_text(HELD_OUT)
    run("apply", tmp_path / "campaign.yaml", "--data", own)
    everybody = [f"u{number}" for number in range(1, 6)]
    anywhere = [one for one in everybody if unit_hash("global", f"u:{one}") >= 0.5]
    for_it = [one for one in anywhere if unit_hash("campaign/again/control", f"u:{one}") >= 0.5]
    assert len(for_it) < len(anywhere) < 5
    shop = hark.open(own)
    assert shop.segment_members("buyers")["customer"].to_pylist() == anywhere
    assert shop.segment_members("buyers", campaigns=["again"])["customer"].to_pylist() == for_it
    assert shop.segment_members("buyers", controls=True)["customer"].to_pylist() == everybody
    regulars = [one for one in for_it if one != "u1"]
    assert shop.segment_members("regulars")["customer"].to_pylist() == regulars
    said = run("segment", "buyers", "--out", tmp_path / "out.csv", "--for", "again", "--data", own)
    assert said["customers"] == len(for_it)
    left_out = {"global_control": 5 - len(anywhere), "again": len(anywhere) - len(for_it)}
    assert said["left_out"] == left_out
    with pytest.raises(HarkError, match="no campaign agai"):
        shop.segment_members("buyers", campaigns=["agai"])
