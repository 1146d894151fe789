"""`hark authors`: how good each author's forecasts were."""

from __future__ import annotations

from typing import Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(authors)


def authors(data: Data = HERE, json: Json = False) -> None:
    """How good the authors' forecasts were. Of campaigns with `expects` whose verdict is known."""
    Workspace(data).settle()
    answer: Any = ask(data, {"authors": {}})
    if json:
        show.as_json(answer)
        return
    rows = [
        (one["author"], one["forecasts"], f"{one['inside']} of {one['forecasts']}", _points(one["bias"]),
         f"{100 * one['error']:.1f}", ", ".join(one["campaigns"]))
        for one in answer
    ]  # fmt: skip
    columns = ["author ", "forecasts", "allowed by the verdict", "bias in points", "off by", "campaigns"]
    show.table(columns, rows, "Forecasts, the least far off first")


def _points(bias: float) -> str:
    return f"{100 * bias:+.1f}"
