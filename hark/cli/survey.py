"""`hark survey`: what customers answered."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.questions import ask

BAR = 30


def register(app: typer.Typer) -> None:
    app.command()(survey)


def survey(
    name: Annotated[str, typer.Argument(help="A survey; worth_it: was it worth their time?")],
    period: Annotated[str, typer.Option(help="day, week or month.")] = "week",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """What customers answered to a survey: the score, over time, in their own words."""
    Workspace(data).settle()
    answer: Any = ask(data, {"survey": {"name": name, "period": period}})
    if json:
        show.as_json(answer)
        return
    title = f"{answer['asks']}  {answer['answers']:,} answers of {answer['customers']:,} customers"
    show.table(["score", "95 % interval"], [_score(answer)] if answer["score"] is not None else [], title)
    options = [
        (one["label"], f"{one['count']:,}", "█" * round(one["share"] * BAR), show.percent(one["share"]))
        for one in answer["options"]
    ]
    show.table(["answer ", "customers", " ", "share"], options)
    rows = [(one["period"], f"{one['answers']:,}", *_score(one)) for one in answer["periods"]]
    show.table([f"{period} ", "answers", "score", "95 % interval"], rows)
    for one in answer["texts"][:20]:
        show.console.print(f"{one['option']:>4}  {one['text']}", markup=False)


def _score(found: Any) -> tuple[str, str]:
    if found["score"] is None:
        return "", ""
    interval = "too few" if found["low"] is None else f"{found['low']:.1f} to {found['high']:.1f}"
    return f"{found['score']:.1f}", interval
