"""The command that grades what people do early by what it tells of staying."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask
from hark.questions.daily import keep_grades


def register(app: typer.Typer) -> None:
    app.command()(signals)


def signals(
    at: At = None,
    times: Annotated[int, typer.Option(help="Done so often or more.")] = 1,
    days: Annotated[int, typer.Option(help="In so many days of their first 28.")] = 28,
    last: Annotated[bool, typer.Option("--last", help="In the last of them, not the first.")] = False,
    moments: Annotated[
        bool, typer.Option("--moments", help="Of several ways, the one that tells most of each event.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep today's grades, as a server does daily.")
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Which of the things people do in their first 28 days tell that they will stay?"""
    workspace = Workspace(data)
    workspace.settle()
    if keep:
        keep_grades(workspace)
    how = {} if moments else {"times": times, "days": days, "last": last}
    answer: Any = ask(data, {"moments" if moments else "signals": {"at": instant_of(at), **how}})
    if json:
        show.as_json(answer)
    elif not answer["signals"]:
        words = "Nobody began 56 days ago or more: signals can be graded once somebody has."
        show.console.print(words, style="dim")
    else:
        _shown(_named(answer))


def _named(answer: Any) -> list[tuple[str, Any]]:
    """What is shown of each, and its figures."""
    if "moments" in answer:
        return [(one["says"], one["signal"]) for one in answer["moments"]]
    return [(one["event"], one) for one in answer["signals"]]


def _shown(lines: list[tuple[str, Any]]) -> None:
    columns = [
        "event ",
        "grade ",
        "did it",
        "of them stayed",
        "of who stayed",
        "lift",
        "adds",
        "(95 %)",
        "area (95 %)",
    ]
    show.table(columns, [_row(*line) for line in lines])
    show.console.print(
        "\nadds: points more who stayed than among others who were as active. It goes with staying; whether\n"
        "it makes people stay, only a campaign with people left alone can say.",
        style="dim",
    )


def _row(says: str, one: Any) -> tuple[str, ...]:
    adds, area = one["adds"], one["area"]
    bounds = f"{100 * adds['low']:+.1f} to {100 * adds['high']:+.1f}" if adds else ""
    return (
        says,
        one["grade"],
        show.percent(one["share"]),
        show.percent(one["precision"]),
        show.percent(one["recall"]),
        f"{one['lift']:.2f}" if one["lift"] else "",
        f"{100 * adds['estimate']:+.1f}" if adds else "",
        bounds,
        f"{area['estimate']:.2f} ({area['low']:.2f} to {area['high']:.2f})" if area else "",
    )
