"""`hark backtest`: what a campaign would have done, before anybody is written to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.cli.write import read_files
from hark.clock import moment
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import ask

What = Annotated[
    str, typer.Argument(metavar="CAMPAIGN|FILE", help="A campaign in force, or a file with one.")
]
From = Annotated[str | None, typer.Option("--from", help='Entries from this date on: "2026-01-01".')]
To = Annotated[str | None, typer.Option("--to", help="Entries before this date.")]


def register(app: typer.Typer) -> None:
    app.command()(backtest)


def backtest(what: What, begin: From = None, end: To = None, data: Data = HERE, json: Json = False) -> None:
    """What a campaign would have done: who enters, what is withheld, what it could show. Writes to nobody."""
    workspace = Workspace(data)
    workspace.settle()
    asked = question_of(workspace, what) | {"since": begin, "until": end}
    found: Any = ask(data, {"backtest": asked})
    if json:
        show.as_json(found)
    else:
        _show(found)


def question_of(workspace: Workspace, what: str) -> dict[str, JSON]:
    """The question about a campaign in force, or about the one campaign of a file.

    Raises HarkError `backtest.which` for a file with none or several, DefinitionError for a wrong one.
    """
    if not Path(what).suffix:
        return {"campaign": what, "documents": []}
    wanted = read_files(workspace, [Path(what)])
    campaigns = [one.name for one in wanted if one.kind == "campaign"]
    if len(campaigns) != 1:
        message = f"{what} has {len(campaigns) or 'no'} campaign{'s' if len(campaigns) > 1 else ''}"
        raise HarkError(message, "give a file with one, or apply it and name one", "backtest.which")
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in wanted]
    return {"campaign": campaigns[0], "documents": documents}


def _show(found: Any) -> None:
    for sentence in found["sentences"]:
        show.console.print(sentence)
    show.console.print()
    rows = [(f"{one['weeks']}", f"{one['customers']:,}", _points(one["lift"])) for one in found["detectable"]]
    show.table(["weeks", "customers", "smallest rise found"], rows)
    counted = [(reason, f"{count:,}") for reason, count in found["withheld"].items()]
    if counted:
        show.console.print()
        show.table(["refused or withheld ", "times"], counted)
    if found["messages"]:
        show.console.print()
        most = max(found["by_hour"])
        hours = [(f"{hour}:00", f"{n:,}", show.bar(n / most)) for hour, n in enumerate(found["by_hour"]) if n]
        show.table(["hour", "messages", " "], hours, title=_busiest(found))


def _busiest(found: Any) -> str:
    days = found["by_day"]
    most = max(days, key=lambda one: one["entries"])
    until = moment(found["until"])
    return (
        f"{found['messages']:,} messages; {most['entries']:,} entries on the busiest day ({most['day']});"
        f" the history goes to {until:%Y-%m-%d}"
    )


def _points(lift: float | None) -> str:
    return "none" if lift is None else f"{lift * 100:.1f} points"
