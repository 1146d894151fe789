"""`hark effects`: what campaigns were found to change, by which messages are ranked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.questions import ask
from hark.questions.daily import keep_effects


def register(app: typer.Typer) -> None:
    app.command()(effects)


def effects(
    keep: Annotated[bool, typer.Option("--keep", help="Rank by it from now on.")] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """What each campaign was found to change, by which messages are ranked. A server keeps it daily."""
    workspace = Workspace(data)
    workspace.settle()
    found: Any = keep_effects(workspace) if keep else ask(data, {"effects": {}}, workspace.clock)
    if json:
        show.as_json(found)
        return
    rows = [
        (name, f"{one['of']}", f"{one['mean']:+.2%}", f"{one['spread']:.2%}", f"{one['worth']:g}",
         f"{one['worth'] * one['mean']:.4f}", f"{one['treated']:,}", f"{one['control']:,}")
        for name, one in sorted(found.items(), key=lambda one: -one[1]["worth"] * one[1]["mean"])
    ]  # fmt: skip
    heads = ["campaign ", "version", "lift", "unsure by", "worth", "rank", "treated", "left alone"]
    show.table(heads, rows)
