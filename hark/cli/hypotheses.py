"""`hark hypotheses`: what was believed, tested and found."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.backtest import question_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(hypotheses)


def hypotheses(
    search: Annotated[str, typer.Argument(metavar="[WORDS]", help="Only those with all these words.")] = "",
    like: Annotated[
        str,
        typer.Option(metavar="CAMPAIGN|FILE", help="Only those tested by campaigns that are like this one."),
    ] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """What was believed, which campaigns test it, what they found, and what is believed now."""
    workspace = Workspace(data)
    workspace.settle()
    about: dict[str, Any] = {"campaign": "", "documents": []}
    if like:
        about = question_of(workspace, like)
    asked = {"search": search, "like": about["campaign"], "documents": about["documents"]}
    found: Any = ask(data, {"hypotheses": asked})
    if json:
        show.as_json(found)
        return
    for one in found["hypotheses"]:
        _entry(one)
    if not found["hypotheses"]:
        show.console.print("None.", style="dim")


def _entry(one: Any) -> None:
    show.console.print(f"{one['name']}: {one['standing']}", style="bold")
    show.console.print(one["belief"])
    seen = " ".join(filter(None, (one["seen"], f"({one['question']})" if one["question"] else "")))
    rows = [
        ("seen", seen),
        ("situation", one["situation"] or ""),
        *((test["campaign"], test["sentence"]) for test in one["tests"]),
        ("now", one["now"]),
        ("like it in", ", ".join(one["because"])),
    ]
    show.table([" ", " "], [row for row in rows if row[1]])
    show.console.print()
