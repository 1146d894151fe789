"""Commands that ask what customers do: funnel, retention, paths, sessions, lifecycle, trend, sql."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.definitions.lines import step_of
from hark.model import JSON
from hark.questions import ask

Step = typer.Argument(help='An event; "A|B" is any of two; "A where {revenue: {gte: 50}}" has a predicate.')
Period: TypeAlias = Literal["day", "week", "month"]
ByPeriod = Annotated[Period, typer.Option("--period", help="How time is cut.")]
By = Annotated[str | None, typer.Option("--by", help="Split by a property, trait:NAME or segment:NAME.")]
Since = Annotated[str | None, typer.Option("--since", help="From this date, or time with a zone.")]
Until = Annotated[str | None, typer.Option("--until", help="Up to this date, without it.")]
Among = Annotated[str | None, typer.Option("--among", help="Only the members of this segment.")]
Subject = Annotated[
    str | None,
    typer.Option("--subject", help="Ask about groups of this type (account) in place of customers."),
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Write the answer to a .csv, .parquet or .json file.")
]


def register(app: typer.Typer) -> None:
    for command in (funnel, retention, paths, sessions, lifecycle, trend, question, sql):
        app.command()(command)


def limits(since: str | None, until: str | None, among: str | None, subject: str | None) -> dict[str, JSON]:
    """The range of a question, and whom it is about; None: no limit, customers."""
    whom = None if subject in (None, "customer") else {"group": subject}
    return {"since": since, "until": until, "among": among, "subject": whom}


def funnel(
    steps: Annotated[list[str], Step],
    within: Annotated[
        str | None, typer.Option(help="From the first step to the last: 30m, 6h, 7d, 2w.")
    ] = None,
    order: Annotated[
        Literal["ordered", "strict", "unordered"], typer.Option(help="How steps may follow each other.")
    ] = "ordered",
    by: By = None,
    instead: Annotated[
        bool, typer.Option("--instead", help="Also: what those who stopped did then.")
    ] = False,
    over: Annotated[Period | None, typer.Option("--trend", help="Also: the funnel of each period.")] = None,
    stopped: Annotated[
        int | None, typer.Option(help="Instead: who reached this step (from 1) and no further.")
    ] = None,
    since: Since = None,
    until: Until = None,
    among: Among = None,
    subject: Subject = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """How many go down the path, and how quickly. "not: EVENT" between two steps: not in between."""
    asked: JSON = {"steps": [step_of(one) for one in steps], "within": within, "order": order, "by": by}
    asked |= {
        "instead": instead,
        "trend": over,
        **limits(since, until, among, subject),
    }
    if stopped is not None:
        _stopped(data, asked, stopped, json)
    elif answer := _answer(data, "funnel", asked, out, json):
        _show_funnel(answer)


def _show_funnel(answer: Any) -> None:
    show.table(
        ["step ", "customers", " ", "of the first", "median time"], [_step(one) for one in answer["steps"]]
    )
    if not answer["steps"][0]["customers"]:
        show.console.print(f"Nobody has done {answer['steps'][0]['step']} yet.", style="dim")
    if answer["open"]["customers"]:
        count = answer["open"]["customers"]
        show.console.print(f"{count:,} more may still go on; they are not counted.", style="dim")
    for group in answer["groups"]:
        show.table(
            ["step ", "customers", " ", "of the first", "median time"],
            [_step(one) for one in group["steps"]],
            group["value"],
        )
    for drop in answer["instead"]:
        rows = [(one["event"], f"{one['customers']:,}", f"{one['first']:,}") for one in drop["then"]]
        title = f"{drop['customers']:,} stopped after {drop['step']}; {drop['nothing']:,} of them did nothing"
        show.table(["then ", "customers", "as the first thing"], rows, title)
    rows = [(one["period"], *(f"{count:,}" for count in one["customers"])) for one in answer["trend"]]
    if rows:
        show.table(["began ", *(step["step"] for step in answer["steps"])], rows)


def _step(one: Any) -> tuple[str, ...]:
    bar, share = show.bar(one["rate_from_first"]), show.percent(one["rate_from_first"])
    return one["step"], f"{one['customers']:,}", bar, share, show.span(one["median_s"])


def _stopped(data: Path, asked: JSON, step: int, json: bool) -> None:
    _settle(data)
    answer: Any = _asked(data, {"stopped": {"funnel": asked, "step": step}})
    if json:
        show.as_json(answer)
        return
    show.console.print(f"{answer['count']:,} customers", style="bold")
    for one in answer["customers"][:20]:
        show.console.print(f"  {one}")


def retention(
    start: Annotated[
        str, typer.Option(help='The event that begins ("A|B": any of them), or "when CONDITION".')
    ],
    returning: Annotated[
        str | None, typer.Option("--return", help='The event of a return, or "when CONDITION"; default: any.')
    ] = None,
    period: ByPeriod = "week",
    cohorts: Annotated[
        Literal["first", "first_time", "recurring"],
        typer.Option(help="By the first start in the range, the first ever, or every one."),
    ] = "first",
    on_or_after: Annotated[bool, typer.Option("--on-or-after", help="Back in the period or later.")] = False,
    returned_to: Annotated[
        bool, typer.Option("--returned-to", help="Also: what they came back to do.")
    ] = False,
    by: By = None,
    since: Since = None,
    until: Until = None,
    among: Among = None,
    subject: Subject = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """Do they come back? One line for each cohort, one column for each period after."""
    asked = {"start": step_of(start), "return": step_of(returning), "period": period, "cohorts": cohorts}
    asked |= {"on_or_after": on_or_after, "returned_to": returned_to, "by": by}
    answer = _answer(
        data,
        "retention",
        asked | limits(since, until, among, subject),
        out,
        json,
    )
    if answer and not answer["cohorts"]:
        show.console.print(f"Nobody has done {start} yet.", style="dim")
    elif answer:
        _show_retention(answer, period)


def _show_retention(answer: Any, period: str) -> None:
    longest = max((len(one["active"]) for one in answer["cohorts"]), default=0)
    for group in [{"value": "", "cohorts": answer["cohorts"]}, *answer["groups"]]:
        rows = [_cohort(one, longest) for one in group["cohorts"]]
        title = group["value"] or f"percent active in each {period} after"
        show.table(["cohort ", "size", *map(str, range(longest))], rows, title)
    rows = [(one["event"], f"{one['customers']:,}", f"{one['first']:,}") for one in answer["returned_to"]]
    if rows:
        show.table(["came back to ", "customers", "first"], rows, f"{answer['returned']:,} came back")


def _cohort(one: Any, longest: int) -> tuple[str, ...]:
    shares = [f"{100 * count / one['size']:.1f}" for count in one["active"]]
    return one["cohort"], f"{one['size']:,}", *shares, *[""] * (longest - len(shares))


def paths(
    origin: Annotated[str | None, typer.Option("--from", help="Forward from the first such event.")] = None,
    target: Annotated[
        str | None, typer.Option("--to", help="Alone: backward from it. With --from: where paths end.")
    ] = None,
    depth: Annotated[int, typer.Option(help="How many steps.")] = 3,
    gap: Annotated[str, typer.Option(help="A gap that ends a session and the path; none.")] = "30m",
    repeats: Annotated[bool, typer.Option("--repeats", help="Repeats of an event are steps too.")] = False,
    facts: Annotated[bool, typer.Option("--facts", help="What Hark did to them is a step too.")] = False,
    top: Annotated[int, typer.Option(help="Branches of a step, and whole paths, that are listed.")] = 20,
    rare: Annotated[float, typer.Option(help="Branches of a smaller share of all are folded.")] = 0.01,
    since: Since = None,
    until: Until = None,
    among: Among = None,
    subject: Subject = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """What people do next after an event, or did before it."""
    asked = {
        "from": step_of(origin),
        "to": step_of(target),
        "depth": depth,
        "gap": gap,
        "collapse": not repeats,
    }
    asked |= {
        "facts": facts,
        "top": top,
        "rare": rare,
        **limits(since, until, among, subject),
    }
    if answer := _answer(data, "paths", asked, out, json):
        rows = list(_branches(answer["tree"], answer["tree"]["customers"], 0))
        show.table([" ", "customers", " ", "of all"], rows, f"{answer['paths']:,} different paths")


def _branches(node: Any, whole: int, depth: int) -> Any:
    share = node["customers"] / whole if whole else 0.0
    name = f"{node['event']} ({node['branches']} branches)" if node["branches"] > 1 else node["event"]
    yield "  " * depth + name, f"{node['customers']:,}", show.bar(share), show.percent(share)
    for one in node["next"]:
        yield from _branches(one, whole, depth + 1)


def sessions(
    gap: Annotated[str, typer.Option(help="As long without activity ends a session.")] = "30m",
    period: ByPeriod = "week",
    since: Since = None,
    until: Until = None,
    among: Among = None,
    subject: Subject = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """How often people are there, and for how long."""
    asked = {
        "gap": gap,
        "period": period,
        **limits(since, until, among, subject),
    }
    if answer := _answer(data, "sessions", asked, out, json):
        length = f", half of them longer than {show.span(answer['median_s'])}" if answer["sessions"] else ""
        show.console.print(f"{answer['sessions']:,} sessions of {answer['customers']:,} customers{length}")
        _columns(["period ", "sessions", "customers"], answer["periods"])


def lifecycle(
    period: ByPeriod = "week",
    since: Since = None,
    until: Until = None,
    among: Among = None,
    subject: Subject = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """Who is new, returning, resurrected and dormant in each period."""
    asked = {"period": period, **limits(since, until, among, subject)}
    if answer := _answer(data, "lifecycle", asked, out, json):
        _columns(["period ", "new", "returning", "resurrected", "dormant"], answer["periods"])


def trend(
    event: Annotated[str | None, typer.Argument(help="An event; none: any activity.")] = None,
    period: ByPeriod = "day",
    of: Annotated[str | None, typer.Option("--sum", help="The numeric property that is added up.")] = None,
    by: By = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Beside as many periods before --since.")
    ] = False,
    since: Since = None,
    until: Until = None,
    among: Among = None,
    subject: Subject = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """How often an event happens, to how many, and what its property adds up to."""
    asked = {"event": step_of(event), "period": period, "of": of, "by": by, "compare": compare}
    if answer := _answer(
        data,
        "trend",
        asked | limits(since, until, among, subject),
        out,
        json,
    ):
        names = ["period ", "count", *(["before"] if compare else []), "customers", "change"]
        names += ["sum", "mean", "p50", "p90"] if of else []
        for line in answer["groups"] or [{"value": "", **answer}]:
            _columns(names, _beside(line["points"], line["before"]), line["value"])


def _beside(points: Sequence[Any], before: Sequence[Any]) -> list[Any]:
    """Points, each with the count that stood as many periods before."""
    if not before:
        return list(points)
    return [now | {"before": then["count"]} for now, then in zip(points, before, strict=True)]


def question(
    name: str,
    version: Annotated[int | None, typer.Option(help="An older version of it.")] = None,
    data: Data = HERE,
    out: Out = None,
    json: Json = False,
) -> None:
    """The answer to a saved question (a `question:` document)."""
    from hark.workspace import ANSWERS

    _settle(data)
    answer: Any = _asked(data, {"question": {"name": name, "version": version}})
    (kind,) = ANSWERS.keys() & answer["question"].keys()
    if out:
        _write(out, kind, answer)
    elif json:
        show.as_json(answer)
    else:
        rows = [dict(row) for row in msgspec.convert(answer, ANSWERS[kind]).rows()]
        _columns([*rows[0]] if rows else [], rows, name)


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over events, customers and merges.")],
    data: Data = HERE,
    out: Annotated[Path | None, typer.Option("--out", help="Write a .csv or .parquet file.")] = None,
    json: Json = False,
) -> None:
    """Read-only SQL over the history, by DuckDB. Columns: hark sql 'DESCRIBE events'."""
    from hark.sql import query as run
    from hark.understand.tabular import write_table

    workspace = _settle(data)
    found = run(data, workspace.state(), query)
    if out:
        write_table(found, out)
    elif json:
        show.as_json(found.to_pylist())
    else:
        show.table(found.column_names, [list(row.values()) for row in found.to_pylist()])


def _settle(data: Path) -> Workspace:
    workspace = Workspace(data)
    workspace.settle()
    return workspace


def _asked(data: Path, question: JSON) -> JSON:
    with show.waiting() as told:
        return ask(data, question, told=told)


def _answer(data: Path, kind: str, asked: JSON, out: Path | None, json: bool) -> Any:
    """The answer, if it is for a person; else it is written or printed here."""
    _settle(data)
    answer = _asked(data, {kind: asked})
    if out:
        _write(out, kind, answer)
    elif json:
        show.as_json(answer)
    elif asked.get("subject"):
        group = asked["subject"]["group"]
        show.console.print(
            f"Of groups of type {group}: they are counted where it says customers.", style="dim"
        )
    return None if out or json else answer


def _write(path: Path, kind: str, answer: JSON) -> None:
    from hark.workspace import ANSWERS

    found = {key: value for key, value in answer.items() if key != "question"}
    msgspec.convert(found, ANSWERS[kind]).write(path)


def _columns(names: Sequence[str], rows: Sequence[Any], title: str = "") -> None:
    shown = [[_cell(row[name.strip()], name) for name in names] for row in rows]
    show.table(names, shown, title)


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    if name == "change":
        return f"{100 * value:+.1f} %"
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.2f}"
        if isinstance(value, float)
        else str(value)
    )
