"""`hark allocate`: the next batch of campaigns that learn."""

from __future__ import annotations

from typing import Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(allocate)


def allocate(data: Data = HERE, json: Json = False) -> None:
    """Begin the next batch of each campaign with `allocation: learn`. Run it daily."""
    workspace = Workspace(data)
    workspace.settle()
    found: Any = ask(data, {"allocation": {}}, workspace.clock)
    documents = [
        {
            "kind": "allocation",
            "name": name,
            "body": {"allocation": name, "of": one["version"], "shares": one["shares"]},
        }
        for name, one in found.items()
        if sum(one["complete"].values())
    ]
    if documents:
        workspace.command({"name": "define", "documents": documents, "author": "hark", "note": "learned"})
    if json:
        show.as_json(found)
        return
    rows = [
        (name, variant, show.percent(share), f"{one['complete'][variant]:,}")
        for name, one in found.items()
        for variant, share in one["shares"].items()
    ]
    show.table(["campaign ", "variant ", "share", "complete"], rows)
