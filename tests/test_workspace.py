"""`hark.open`, the commands beside it, saved questions and `hark sql`: one history, asked in every way."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import hark
from hark.cli import app
from hark.errors import HarkError
from hark.workspace import History
from tests.history.waiting import Place, event

pytestmark = pytest.mark.xdist_group("workspace")

DOCUMENTS = """
segment: buyers
where: {did: Order Completed}
---
policy: internal
where: {trait: {email: {ends_with: "@us.example"}}}
---
question: first_order
says: Do newcomers buy within two months?
funnel:
  steps: [Signed Up, {not: Left}, {event: Order Completed, where: {revenue: {gte: 10}}}]
  within: 8w
  by: plan
---
question: who_returns
retention: {start: Signed Up, period: month, returned_to: yes}
---
question: who_stays_a_buyer
retention:
  start: {when: {in_segment: buyers}}
  return: {when: {did: {event: Page Read, within: 40d}}}
  period: month
"""
EVENTS = [
    {"who": f"u{n}", "what": what,
     "when": f"2026-0{month}-01T0{n}:00:00Z",
     "plan": "pro" if n % 2 else "free", "revenue": 10 * n,
     "email": f"u{n}@{'us' if n == 5 else 'them'}.example"}
    for n in range(6)
    for month, what in enumerate(("Signed Up", "Order Completed", "Page Read")[: 1 + n], start=1)
]  # fmt: skip
IMPORT = ["--customer", "who", "--event", "what", "--at", "when", "--trait", "email"]


def run(*words: object) -> Any:
    """A command in this process; what it printed."""
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five customers, one of us, and documents."""
    folder = tmp_path_factory.mktemp("workspace")
    file, data, documents = folder / "events.jsonl", folder / "data", folder / "all.yaml"
    file.write_text("\n".join(json.dumps(one) for one in EVENTS))
    documents.write_text(DOCUMENTS)
    run("apply", documents, "--data", data)
    run("import", file, *IMPORT, "--data", data)
    return data


@pytest.fixture(scope="module")
def shop(data: Path) -> History:
    return hark.open(data)


def test_our_own_people_are_in_no_question(shop: History) -> None:
    """Six signed up, one of them ours: every question counts five."""
    assert shop.funnel(["Signed Up"]).steps[0].customers == 5
    assert shop.retention("Signed Up", period="month").cohorts[0].size == 5
    assert shop.paths("Signed Up").tree.customers == 5
    assert shop.sessions().customers == 5
    assert sum(one.new for one in shop.lifecycle("month").periods) == 5
    assert sum(one.count for one in shop.trend("Signed Up").points) == 5
    assert shop.ask({"segment": {"name": "buyers"}})["count"] == 4


def test_retention_by_conditions(shop: History, data: Path) -> None:
    """Who turns into a buyer, and whether they still read after: by Python, command and document."""
    bought, reads = (
        {"when": {"in_segment": "buyers"}},
        {"when": {"did": {"event": "Page Read", "within": "40d"}}},
    )
    found = shop.retention(bought, reads, period="month").to_json()
    (cohort,) = found["cohorts"]
    assert (cohort["cohort"], cohort["size"], cohort["active"]) == ("2026-02", 4, [0, 3])
    asked = [
        "--start",
        "when {in_segment: buyers}",
        "--return",
        "when {did: {event: Page Read, within: 40d}}",
    ]
    printed = run("retention", *asked, "--period", "month", "--json", "--data", data)
    assert json.loads(printed) == found
    assert shop.question("who_stays_a_buyer").to_json() == found


def test_answers_are_tables(shop: History) -> None:
    """Each answer is an Arrow table, a pandas frame and HTML of the same rows."""
    found = shop.funnel(["Signed Up", "Order Completed"], within="8w", by="plan")
    table = found.to_arrow()
    assert table.select(["value", "step", "customers"]).to_pylist()[:2] == [
        {"value": "free", "step": "Signed Up", "customers": 3},
        {"value": "free", "step": "Order Completed", "customers": 2},
    ]
    assert found.to_pandas()["customers"].tolist() == table["customers"].to_pylist()
    assert found._repr_html_().count("<tr>") == 1 + table.num_rows
    others = (
        shop.retention("Signed Up"),
        shop.paths("Signed Up"),
        shop.sessions(),
        shop.lifecycle(),
        shop.trend(),
    )
    assert all(one.to_arrow().num_rows and "<table>" in one._repr_html_() for one in others)


def test_commands_and_python_say_the_same(shop: History, data: Path, tmp_path: Path) -> None:
    """`--json`, `--out` as CSV, Parquet and JSON, and Python are one answer."""
    words = [
        "Signed Up",
        "not: Left",
        "Order Completed where {revenue: {gte: 20}}",
        "--within",
        "8w",
        "--instead",
    ]
    printed = json.loads(run("funnel", *words, "--data", data, "--json"))
    steps = ["Signed Up", {"not": "Left"}, {"event": "Order Completed", "where": {"revenue": {"gte": 20}}}]
    found = shop.funnel(steps, within="8w", instead=True)
    assert printed == found.to_json()
    assert [step["customers"] for step in printed["steps"]] == [5, 3]
    for suffix in (".csv", ".parquet", ".json"):
        run("funnel", *words, "--data", data, "--out", tmp_path / f"funnel{suffix}")
    assert pq.read_table(tmp_path / "funnel.parquet").to_pylist() == found.to_arrow().to_pylist()
    assert json.loads((tmp_path / "funnel.json").read_text()) == printed
    assert (tmp_path / "funnel.csv").read_text().startswith('"place","step","customers"')


def test_every_command_prints_for_people(data: Path) -> None:
    """Each question is a readable table too."""
    assert "Signed Up" in run(
        "funnel", "Signed Up", "Page Read", "--instead", "--trend", "month", "--data", data
    )
    assert "Page Read" in run("retention", "--start", "Signed Up", "--returned-to", "--data", data)
    assert "Order Completed" in run("paths", "--from", "Signed Up", "--gap", "none", "--data", data)
    assert "sessions of 5 customers" in run("sessions", "--data", data)
    assert "resurrected" in run("lifecycle", "--period", "month", "--data", data)
    assert "30.00" in run("trend", "Order Completed", "--sum", "revenue", "--by", "plan", "--data", data)
    assert "4 customers" not in run("funnel", "Signed Up", "Page Read", "--stopped", "1", "--data", data)


def test_a_saved_question_runs_by_its_name(shop: History, data: Path, tmp_path: Path) -> None:
    """A `question:` document is asked by name, in its newest or an older version."""
    printed = json.loads(run("question", "first_order", "--data", data, "--json"))
    assert [step["customers"] for step in printed["steps"]] == [5, 4]
    assert {group["value"] for group in printed["groups"]} == {"free", "pro"}
    assert (printed["version"], printed["question"]["funnel"]["within"]) == (1, "8w")
    newer = tmp_path / "newer.yaml"
    newer.write_text("question: first_order\ntrend: {event: Signed Up}\n")
    run("apply", newer, "--data", data)
    assert shop.question("first_order").to_arrow()["count"].to_pylist() == [5]
    assert shop.question("first_order", 1).to_json() == {
        key: value for key, value in printed.items() if key not in ("question", "version")
    }
    assert "came back" in run("retention", "--start", "Signed Up", "--returned-to", "--data", data)
    with pytest.raises(HarkError, match=r"question\.unknown"):
        shop.question("nothing")


def test_who_stopped_is_a_list_and_a_segment(shop: History) -> None:
    """The customers of a drop come with a condition that holds for the same people."""
    asked = {"funnel": {"steps": ["Signed Up", "Order Completed", "Page Read"]}, "step": 2}
    found = shop.ask({"stopped": asked})
    assert found == {
        "count": 1,
        "customers": ["u1"],
        "left_alone": [],
        "segment": {
            "all": [
                {"did": {"event": "Signed Up"}},
                {"did": {"event": "Order Completed"}},
                {"did_not": {"event": "Page Read"}},
            ]
        },
    }


@pytest.mark.parametrize(
    ("question", "id"),
    [
        ({"funnel": {"steps": ["A", {"not": "B"}]}}, "question.wrong"),
        ({"funnel": {"steps": ["A", "B"], "order": "random"}}, "question.wrong"),
        ({"funnel": {"steps": ["A", {"not": "C"}, "B"], "order": "unordered"}}, "question.wrong"),
        ({"funnel": {"steps": ["A"], "since": "yesterday"}}, "question.wrong"),
        ({"funnel": {"steps": ["A"], "by": "segment:nobody"}}, "segment.unknown"),
        ({"paths": {"depth": 3}}, "question.wrong"),
        ({"trend": {"event": "A", "among": "nobody"}}, "segment.unknown"),
        ({"stopped": {"funnel": {"steps": ["A"]}, "step": 2}}, "question.wrong"),
    ],
)
def test_wrong_questions_say_what_is_wrong(shop: History, question: Any, id: str) -> None:
    """A question that makes no sense is refused by a stable id, with a hint."""
    with pytest.raises(HarkError) as error:
        shop.ask(question)
    assert error.value.id == id
    assert error.value.hint


def test_sql_reads_the_same_history(shop: History) -> None:
    """Events, ids and properties as documented, sealed or waiting."""
    found = shop.sql(
        "select event, count(*) as n, sum((properties->>'$.revenue')::int) as revenue from events "
        "where event = 'Order Completed' group by all"
    )
    assert found.to_pylist() == [{"event": "Order Completed", "n": 5, "revenue": 150}]
    ids = shop.sql(
        "select id from customers join events using (subject) "
        "where customers.kind = 'user' and event = 'Page Read'"
    )
    assert sorted(ids["id"].to_pylist()) == ["u2", "u3", "u4", "u5"]
    first = shop.sql('select min("at") as first from events')["first"][0].as_py()
    assert first.astimezone(UTC) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "id"),
    [
        ("drop view events", "sql.reads"),
        ("copy events to '/tmp/out.csv'", "sql.reads"),
        ("select 1; select 2", "sql.reads"),
        ("select * from read_csv('/etc/passwd')", "sql.wrong"),
        ("select nothing from events", "sql.wrong"),
        ("selec", "sql.wrong"),
    ],
)
def test_sql_only_reads(shop: History, query: str, id: str) -> None:
    """Whatever would write, or read something else, is refused."""
    with pytest.raises(HarkError) as error:
        shop.sql(query)
    assert error.value.id == id


def test_the_table_opens_elsewhere(tmp_path: Path) -> None:
    """The snippets of docs/questions.md, run as they stand, count the sealed events in each library."""
    place = Place(tmp_path)
    place.waiting.add([event(row, row % 7, row * 1_000_000) for row in range(40)])
    place.seal()
    page = (Path(__file__).parents[1] / "docs" / "questions.md").read_text()
    snippets = dict(re.findall(r"```python\n# (DuckDB|Polars|deltalake)\n(.*?)```", page, re.DOTALL))
    assert set(snippets) == {"DuckDB", "Polars", "deltalake"}
    for name, snippet in snippets.items():
        found: dict[str, Any] = {"FOLDER": str(tmp_path / "history")}
        exec(snippet, found)
        assert found["count"] == 40, name
