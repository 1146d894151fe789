"""How long people take, by command, from Python, in a segment and on a customer's page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hark
from hark.app import Workspace
from tests.cli.test_segment import run

SLOW = """
segment: slow
where: {pace: {from: Signed Up, to: Built, slower_than: 0.5, stayed: no}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 people who signed up in January, u1 built after one hour, u2 after two ...; `late` never did."""
    folder = tmp_path_factory.mktemp("pace")
    file, data, documents = folder / "events.jsonl", folder / "data", folder / "all.yaml"
    lines = [{"who": "late", "what": "Signed Up", "when": "2026-01-05T00:00:00Z"}]
    for number in range(1, 61):
        lines.append({"who": f"u{number}", "what": "Signed Up", "when": "2026-01-01T00:00:00Z"})
        built = f"2026-01-{1 + number // 24:02}T{number % 24:02}:00:00Z"
        lines.append({"who": f"u{number}", "what": "Built", "when": built})
    file.write_text("\n".join(map(json.dumps, lines)))
    documents.write_text(SLOW)
    run("import", file, "--customer", "who", "--event", "what", "--at", "when", "--data", data)
    run("apply", documents, "--data", data)
    return data


def test_the_median_of_who_built(data: Path) -> None:
    """Of 61 people 31, more than half, had built after 31 hours; of those who stayed there are none."""
    found = run("pace", "Signed Up", "Built", "--everyone", "--data", data)
    assert (found["cases"], found["waits_s"][49]) == (61, 31 * 3600)
    assert hark.open(data).pace("Signed Up", "Built", stayed=False) == found
    assert run("pace", "Signed Up", "Built", "--data", data)["cases"] == 0


def test_a_table_that_is_kept_puts_who_waits_into_the_live_segment(data: Path) -> None:
    """Without one nobody is slow live; with it `late` is, and the segment's sentence names the limit."""
    workspace = Workspace(data)
    subject = workspace.state().find("late")
    assert subject is not None
    record = workspace.state().record(subject)
    assert record is not None and "slow" not in record.members
    (kept,) = run("pace", "--keep", "--data", data)
    assert kept["says"] == "from Signed Up to Built"
    workspace.settle()
    record = workspace.state().record(subject)
    assert record is not None and "slow" in record.members
    live = hark.open(data).segment("slow")
    assert live["sample"] == ["late"]
    assert "(1.29 days on " in live["sentence"]
