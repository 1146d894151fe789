"""`hark digest`: what the last whole week was like."""

from __future__ import annotations

from typing import Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask
from hark.questions.letter import lines


def register(app: typer.Typer) -> None:
    app.command()(digest)


def digest(at: At = None, data: Data = HERE, json: Json = False) -> None:
    """The last whole week: who was here, verdicts, steps that lost people or time, what was changed."""
    Workspace(data).settle()
    answer: Any = ask(data, {"digest": {"at": instant_of(at)}})
    if json:
        show.as_json(answer)
        return
    for heading, said in lines(answer):
        show.console.print(heading, style="bold")
        for line in said:
            show.console.print(f"  {line}")
