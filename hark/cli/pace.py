"""`hark pace`: how long people take from one event to another."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.definitions.lines import step_of
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import ask
from hark.questions.daily import keep_paces

SHOWN = (10, 25, 50, 75, 90, 95, 99)
"""Percents that are printed; --json has them all."""


def register(app: typer.Typer) -> None:
    app.command()(pace)


def pace(
    start: Annotated[str | None, typer.Argument(help='The first event; "A|B" is any of them.')] = None,
    to: Annotated[str | None, typer.Argument(help="The event that they go on to.")] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="Also of those who did not stay.")] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep today's tables, as a server does daily."),
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """How long people take from one event to another; of those who stayed, unless told otherwise."""
    workspace = Workspace(data)
    workspace.settle()
    if keep:
        found = keep_paces(workspace)
        show.as_json(found) if json else _show_kept(found)
        return
    if start is None or to is None:
        raise HarkError("from what to what?", 'hark pace "Signed Up" "Project Created"', "pace.events")
    asked = {"from": step_of(start), "to": step_of(to), "stayed": not everyone}
    answer: Any = ask(data, {"pace": asked}, workspace.clock)
    show.as_json(answer) if json else _show(answer)


def _show_kept(found: JSON) -> None:
    rows = [
        (one["says"], f"{one['body']['cases']:,}", _by(one["body"].get("waits", []), 50)) for one in found
    ]
    show.table(["how long it takes ", "cases", "half of them"], rows)


def _show(answer: Any) -> None:
    show.console.print(f"{answer['cases']:,} cases {answer['way']}, as of {answer['day']}", style="bold")
    if answer["cases"] < answer["fewest"]:
        show.console.print(f"Under {answer['fewest']} cases conditions do not go by it.", style="dim")
    rows = [(f"{percent} %", _by(answer["waits_s"], percent)) for percent in SHOWN]
    show.table(["went on ", "within"], rows)


def _by(waits: list[float], percent: int) -> str:
    """By when so many had gone on."""
    return show.span(waits[percent - 1]) if percent <= len(waits) else "-"
