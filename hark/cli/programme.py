"""`hark programme`: what all messages of a programme, or all messaging together, change."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import by_situation
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(programme)


def programme(
    name: Annotated[
        str, typer.Argument(help="A programme; none: all messaging, by the global control.")
    ] = "",
    goal: Annotated[str, typer.Option(help="The event looked at; a programme has its own.")] = "",
    within: Annotated[str, typer.Option(help="How long after the draw it counts.")] = "28d",
    value: Annotated[str, typer.Option(help="The property with its value, such as revenue.")] = "",
    by_level: Annotated[
        str, typer.Option("--by-level", help="Also at each level of this engagement definition; or purchase.")
    ] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """What a programme, or all messaging together, changes: its control against everybody else."""
    Workspace(data).settle()
    own = {"event": goal, "within": within, **({"value": value} if value else {})} if goal else None
    found: Any = ask(data, {"programme": {"programme": name, "goal": own, "by_level": by_level}})
    if json:
        show.as_json(found)
        return
    arms = [(arm, f"{count:,}") for arm, count in found["entered"].items()]
    show.table(["arm ", "drawn"], arms, title=name or "all messaging")
    for sentence in found["sentences"]:
        show.console.print(sentence)
    if found["levels"]:
        by_situation("at the level when drawn ", found["levels"], found["levels"]["levels"])
