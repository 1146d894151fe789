"""A question is the same in an address, in a form, in a document, on the command line and in Python."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import hark
from hark.clock import WallClock
from hark.console.asking import DEFAULTS, FIELDS, query, read, written
from hark.console.sharing import share
from hark.definitions.lines import line_of, step_of
from hark.definitions.parse import parse
from hark.definitions.questions import read_question
from hark.definitions.types import Question
from hark.model import JSON

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

names = st.sampled_from(["Signed Up", "Order Completed", "Product Viewed", "a|b", "Order Completed|Cart"])
where = st.sampled_from(
    [" where {revenue: {gte: 50}}", ' where {plan: "pro plan", n: {in: [1, 2.5, "3"]}}', ""]
)
steps = st.builds(str.__add__, names, where)
texts: dict[str, st.SearchStrategy[str]] = {
    "steps": st.lists(steps, min_size=1, max_size=4).map("\n".join),
    **dict.fromkeys(("from", "to", "event"), steps),
    "start": steps,
    "return": steps | st.sampled_from(["when {in_segment: gone_quiet}", "when {not: {did: Cart}}"]),
    **dict.fromkeys(("within", "gap"), st.sampled_from(["7d", "30m", "2w"])),
    **dict.fromkeys(("period", "trend"), st.sampled_from(["day", "week", "month"])),
    "order": st.sampled_from(["ordered", "strict", "unordered"]),
    "cohorts": st.sampled_from(["first", "first_time", "recurring"]),
    "by": st.sampled_from(["plan", "trait:country.name", "segment:gone_quiet"]),
    **dict.fromkeys(("depth", "top"), st.integers(1, 9).map(str)),
    "rare": st.sampled_from(["0.5", "0.02"]),
    **dict.fromkeys(("on_or_after", "repeats", "facts", "compare"), st.just("yes")),
    **dict.fromkeys(("since", "until"), st.sampled_from(["2026-01-31", "2026-02-01T00:00:00Z"])),
    "among": st.just("gone_quiet"),
    "subject": st.sampled_from(["account", "customer"]),
    "of": st.just("revenue"),
}
NEEDED = {"funnel": {"steps"}, "retention": {"start"}, "paths": {"from"}}


@st.composite
def addresses(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A kind of question, and the texts of some of its parameters."""
    kind = draw(st.sampled_from(sorted(FIELDS)))
    chosen = draw(st.sets(st.sampled_from(sorted(FIELDS[kind])))) | NEEDED.get(kind, set())
    chosen |= {"since"} if "compare" in chosen else set()
    return kind, {name: draw(texts[name]) for name in sorted(chosen)}


@given(addresses())
def test_an_address_and_its_document_say_the_same(asked: tuple[str, dict[str, str]]) -> None:
    """Address to question to address, and question to document to question, lose nothing."""
    kind, typed = asked
    ask = read(kind, typed)
    assert ask.body is not None
    assert read(kind, dict(parse_qsl(ask.query))) == ask
    assert written(kind, ask.body).query == ask.query == query(kind, typed)
    shared = share(ask)
    assert shared
    (document,) = parse(shared.document)
    assert isinstance(document.definition, Question)
    assert document.definition.asks == read_question(kind, ask.body, "UTC")


@given(steps)
def test_a_step_in_one_line_is_read_as_it_was_written(line: str) -> None:
    """The line of a step means the step, however often it goes to and fro."""
    assert step_of(line_of(step_of(line))) == step_of(line)
    assert step_of(line_of({"not": step_of(line)})) == {"not": step_of(line)}


ASKED = [
    "/funnel?steps=Signed+Up%0Anot%3A+Nothing%0AOrder+Completed+where+%7Brevenue%3A+%7Bgte%3A+40%7D%7D&within=7d&by=sku&trend=month",
    "/funnel?steps=Product+Viewed%0AOrder+Completed&order=strict&since=2026-01-05&among=gone_quiet",
    "/retention?start=Signed+Up&return=Order+Completed%7CProduct+Viewed&period=month&cohorts=recurring&on_or_after=yes",
    "/retention?start=when+%7Bin_segment%3A+gone_quiet%7D&return=when+%7Bdid%3A+Order+Completed%7D&by=trait:first_name",
    "/paths?from=Signed+Up&depth=5&repeats=yes&gap=none&rare=0.1",
    "/paths?to=Order+Completed",
    "/lifecycle?period=month&until=2026-02-10",
    "/trend?event=Order+Completed&period=week&of=revenue&by=trait:first_name",
    "/trend?event=Order+Completed&period=week&compare=yes&since=2026-02-02",
    "/trend",
    "/sessions?gap=1h",
]


@pytest.fixture(scope="module")
def copied(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that commands may settle."""
    copy = tmp_path_factory.mktemp("asked") / "shop"
    shutil.copytree(shop, copy, ignore=shutil.ignore_patterns("run"))
    return copy


@pytest.fixture
def today(copied: Path, application: object) -> Iterator[Path]:
    """The console on the wall clock, as commands and Python are."""
    from django.conf import settings

    from hark.console.source import Source

    before = settings.HARK_SOURCE
    settings.HARK_SOURCE = Source(copied, WallClock(), "http://testserver")
    yield copied
    settings.HARK_SOURCE = before


@pytest.mark.parametrize("path", ASKED)
def test_command_and_python_give_the_page_s_answer(ann: Client, today: Path, path: str) -> None:
    """What the page offers to copy has, run as it stands, the very answer that the page shows."""
    from hark.cli import app

    kind, _, asked = path.removeprefix("/").partition("?")
    shared = share(read(kind, dict(parse_qsl(asked))))
    assert shared
    shown = answer(ann, path)
    words = [*shlex.split(shared.command)[1:], "--json", "--data", str(today)]
    printed = CliRunner().invoke(app, words)
    assert msgspec.json.decode(printed.stdout) == shown
    expression = shared.python.replace("hark-data", str(today))
    assert eval(expression, {"hark": hark}).to_json() == shown


def answer(client: Client, path: str) -> Any:
    """The answer that a page shows, from its twin."""
    page: Any = msgspec.json.decode(client.get(path + ("&" if "?" in path else "?") + "format=json").content)
    return page["answer"]


@pytest.mark.parametrize("path", ASKED)
def test_an_answer_comes_as_json_csv_and_parquet(ann: Client, path: str) -> None:
    """The files have the rows that the typed answer has, under a name that says what they are."""
    import io

    from pyarrow import csv, parquet

    kind = path.removeprefix("/").partition("?")[0]
    between = "&" if "?" in path else "?"
    files = {form: ann.get(f"{path}{between}format={form}") for form in ("answer", "csv", "parquet")}
    assert f'filename="{kind}.parquet"' in files["parquet"]["Content-Disposition"]
    rows = list(typed_answer(kind, msgspec.json.decode(files["answer"].content)).rows())
    assert parquet.read_table(io.BytesIO(files["parquet"].content)).to_pylist() == rows
    assert csv.read_csv(io.BytesIO(files["csv"].content)).num_rows == len(rows)


def typed_answer(kind: str, found: JSON) -> Any:
    from hark.workspace import ANSWERS

    return msgspec.convert(found, ANSWERS[kind])


def test_what_is_the_default_is_in_no_address() -> None:
    """Filled-in defaults make no address longer."""
    for kind, defaults in DEFAULTS.items():
        assert query(kind, defaults) == ""


def test_streams_of_paths_lose_nobody(ann: Client) -> None:
    """In the figure as many flow out of every step as into it, and all who began are in the first."""
    from hark.console import figures
    from hark.understand.paths import PathsAnswer

    for path, forward in (("/paths?from=Signed+Up&depth=4", True), ("/paths?to=Order+Completed", False)):
        found = msgspec.convert(answer(ann, path), PathsAnswer)
        links = figures.paths(found, forward)["data"][0]["link"]
        begins, ends = ("source", "target") if forward else ("target", "source")
        out, into = totals(links, begins), totals(links, ends)
        assert out[0] == found.tree.customers
        assert all(into[node] == flow for node, flow in out.items() if node)


def totals(links: JSON, end: str) -> dict[int, int]:
    """Customers by the node at this end of the streams."""
    found: dict[int, int] = {}
    for node, customers in zip(links[end], links["value"], strict=True):
        found[node] = found.get(node, 0) + customers
    return found
