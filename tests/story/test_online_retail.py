"""A real shop's year: 18,536 orders, posted by the official client and imported from a file."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
import segment.analytics as segment
from pyarrow import parquet

from hark.app import Workspace
from hark.decide.why import line_of
from hark.model import Kind
from hark.replay import replay
from tests.cast import hark, serving
from tests.data import shared
from tests.retail import DECEMBER_2010, LINES, ORDERS, lines, orders

pytestmark = pytest.mark.xdist_group("retail")

CAMPAIGN = Path(__file__).parent / "retail.yaml"
Story = list[tuple[str, int, str, Any]]


def story(data: Path) -> Story:
    """(customer, at, event, properties) of every event that is not a fact, in order."""
    workspace = Workspace(data)
    state = workspace.state()
    users: dict[int, str] = {}
    found = []
    for event in workspace.snapshot().events():
        if event.kind != Kind.FACT:
            user = users.get(event.subject) or dict(state.ids(event.subject))["user"]
            users[event.subject] = user
            found.append((user, event.at, event.name, json.loads(event.properties)))
    return sorted(found, key=lambda told: (*told[:2], told[3]["invoice"], told[3].get("line", 0)))


def import_all(folder: Path, rows: pa.Table) -> Path:
    """A workspace with campaigns live, into which the rows were imported from a file, twice."""
    data = folder / "data"
    parquet.write_table(rows, folder / "rows.parquet")
    hark(data, "apply", str(CAMPAIGN))
    words = ["import", str(folder / "rows.parquet"), "--customer", "customer", "--at", "at"]
    words += ["--event-name", "Order Completed", "--trait", "country", "--trait", "email"]
    assert hark(data, *words)["imported"] == rows.num_rows
    again = hark(data, *words)
    assert (again["imported"], again["before"]) == (0, rows.num_rows)
    return data


def post_all(data: Path, rows: pa.Table) -> Path:
    """A workspace to which Segment's Python client posted the same rows over HTTP."""
    with serving(data) as server:
        key = hark(data, "source", "add", "shop")["write_key"]
        client = segment.Client(key, host=server.url, max_queue_size=rows.num_rows + 1, gzip=True)
        for row in rows.to_pylist():
            at = row.pop("at").replace(tzinfo=UTC)
            customer, traits = str(row.pop("customer")), {key: row.pop(key) for key in ("country", "email")}
            client.track(customer, "Order Completed", row, timestamp=at, context={"traits": traits})
        client.shutdown()
    Workspace(data).settle()
    return data


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_all(tmp_path_factory.mktemp("imported"), orders())


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return post_all(tmp_path_factory.mktemp("posted"), orders())


@pytest.mark.torture
def test_every_line_by_two_roads(tmp_path: Path) -> None:
    """All 397,924 lines, not only the orders: both roads give the same history and the published cohort."""
    (tmp_path / "one").mkdir()
    one, other = import_all(tmp_path / "one", lines()), post_all(tmp_path / "other", lines())
    told = story(one)
    assert len(told) == LINES
    assert told == story(other)
    test_the_december_cohort_is_the_published_one(one)


def test_client_and_file_make_the_same_history(imported: Path, posted: Path) -> None:
    """Whether the orders came by HTTP or from a file, the history is the same."""
    one, other = story(imported), story(posted)
    assert len(one) == ORDERS
    assert one == other


def test_the_december_cohort_is_the_published_one(imported: Path) -> None:
    """Monthly retention of the customers of December 2010 is the table of the data README."""
    answer = hark(
        imported,
        "retention",
        "--start",
        "Order Completed",
        "--return",
        "Order Completed",
        "--period",
        "month",
    )
    first = answer["cohorts"][0]
    assert (first["cohort"], first["size"]) == ("2010-12", 885)
    assert first["active"] == DECEMBER_2010


def test_importing_starts_no_run(imported: Path) -> None:
    """Imported events make history and segments, and start no campaign."""
    names = {
        event.name for event in Workspace(imported).snapshot().events(facts=True) if event.kind == Kind.FACT
    }
    assert not {name for name in names if name.startswith(("Campaign", "Message"))}


def test_replay_explains_every_decision(imported: Path) -> None:
    """Replaying the year with a campaign runs to the end, twice alike, and each decision has a reason."""
    once = hark(imported, "replay")
    assert once["facts"]["Campaign Entered"] > 100
    workspace, state = Workspace(imported), Workspace(imported).state()
    again = replay(workspace.snapshot(), state.documents(), key=state.key)
    assert json.loads(msgspec.json.encode(again.summary())) == once
    facts = again.facts
    assert len(facts) == sum(once["facts"].values())
    assert all((line := line_of(fact)) and line.sentence for fact in facts)


BACKTEST = """
campaign: quiet_for_long
trigger: {enters: slowing_down}
topic: news
goal: {event: Order Completed, within: 14d}
reenter: always
steps:
  - send: {channel: email, template: whats_new}
"""
QUIET = """
with orders as (
  select CustomerID as who, InvoiceNo, min(InvoiceDate) as made from read_parquet(?)
  where Quantity > 0 and CustomerID is not null group by all),
numbered as (
  select who, made, row_number() over (partition by who order by made, InvoiceNo) as n,
    lead(made) over (partition by who order by made, InvoiceNo) as next from orders),
entered as (
  select who, made + interval 45 days as since from numbered, (select max(made) as last from orders)
  where n >= 2 and made + interval 45 days <= last and (next is null or next > made + interval 45 days)),
judged as (
  select since + interval 15 days < (select max(made) from orders) as over,
    exists (select 1 from orders o where o.who = entered.who and o.made > since
            and o.made <= since + interval 14 days) as goal
  from entered)
select count(*), count(*) filter (not over), count(*) filter (over), count(*) filter (over and goal)
from judged
"""
"""Two orders or more, then 45 days without one: entries, windows open and over, and goals in those."""


def test_the_back_test_of_the_year_is_duckdbs(imported: Path, tmp_path: Path) -> None:
    """Entries, incomplete windows and base rate are those of a query over the file itself."""
    entries, open_, over, goals = duckdb.execute(
        QUIET, [str(shared("online_retail/online_retail_lines.parquet"))]
    ).fetchall()[0]
    (tmp_path / "new.yaml").write_text(BACKTEST)
    found = hark(imported, "backtest", str(tmp_path / "new.yaml"))
    assert (found["entries"], found["incomplete"], found["complete"]) == (entries, open_, over)
    assert found["base_rate"]["estimate"] == goals / over
    assert entries > 3_000
    assert sum(one["entries"] for one in found["by_day"]) == entries == found["messages"]
