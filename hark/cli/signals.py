"""The command that grades what people do early by what it tells of staying."""

from __future__ import annotations

from typing import Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(signals)


def signals(at: At = None, data: Data = HERE, json: Json = False) -> None:
    """Which of the things people do in their first 28 days tell that they will stay?"""
    Workspace(data).settle()
    answer: Any = ask(data, {"signals": {"at": instant_of(at)}})
    if json:
        show.as_json(answer)
        return
    if not answer["signals"]:
        words = "Nobody began 56 days ago or more: signals can be graded once somebody has."
        show.console.print(words, style="dim")
        return
    rows = [_row(one) for one in answer["signals"]]
    show.table(["event ", "grade ", "did it", "of them stayed", "adds", "(95 %)", "area"], rows)
    show.console.print(
        "\nadds: points more who stayed than among others who were as active. It goes with staying; whether\n"
        "it makes people stay, only a campaign with people left alone can say.",
        style="dim",
    )


def _row(one: Any) -> tuple[str, ...]:
    adds, area = one["adds"], one["area"]
    bounds = f"{100 * adds['low']:+.1f} to {100 * adds['high']:+.1f}" if adds else ""
    return (
        one["event"],
        one["grade"],
        show.percent(one["share"]),
        show.percent(one["precision"]),
        f"{100 * adds['estimate']:+.1f}" if adds else "",
        bounds,
        f"{area['estimate']:.2f}" if area else "",
    )
