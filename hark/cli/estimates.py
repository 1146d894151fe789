"""`hark estimates`: tells histories what the models say of their customers, as a server does daily."""

from __future__ import annotations

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json


def register(app: typer.Typer) -> None:
    app.command()(estimates)


def estimates(data: Data = HERE, json: Json = False) -> None:
    """Refresh the computed traits that a model estimates. A running server does it every day."""
    from hark.questions.daily import tell_estimates

    workspace = Workspace(data)
    workspace.settle()
    found = tell_estimates(workspace)
    workspace.settle()
    if json:
        show.as_json({name: {**one, "told": len(one["told"])} for name, one in found.items()})
        return
    rows = [
        (name, f"{one['customers']:,}", f"{len(one['told']):,}", one["why"]) for name, one in found.items()
    ]
    show.table(["trait ", "customers", "told anew", "why not"], rows, "Estimated traits")
