"""`hark allocate`: the next batch of campaigns that learn."""

from __future__ import annotations

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.questions.daily import next_batch


def register(app: typer.Typer) -> None:
    app.command()(allocate)


def allocate(data: Data = HERE, json: Json = False) -> None:
    """Begin the next batch of each campaign with `allocation: learn`. A running server does it daily."""
    workspace = Workspace(data)
    workspace.settle()
    found = next_batch(workspace)
    if json:
        show.as_json(found)
        return
    rows = [
        (name, variant, show.percent(share), f"{one['complete'][variant]:,}")
        for name, one in found.items()
        for variant, share in one["shares"].items()
    ]
    show.table(["campaign ", "variant ", "share", "complete"], rows)
