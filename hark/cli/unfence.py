"""The command `unfence`: this directory is the one that sends."""

from __future__ import annotations

import getpass

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json


def register(app: typer.Typer) -> None:
    app.command()(unfence)


def unfence(data: Data = HERE, json: Json = False) -> None:
    """Let this data directory send again, after a restore or a long silence.

    Only where no other copy of it sends: else customers would hear everything twice.
    """
    workspace = Workspace(data)
    workspace.command({"name": "unfence", "author": getpass.getuser()})
    if json:
        show.as_json({"fenced": False})
    else:
        show.console.print("Messages that wait are sent again from here.")
