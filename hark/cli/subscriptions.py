"""`hark subscriptions`: how long they last."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(subscriptions)


def subscriptions(
    start: Annotated[str, typer.Argument(help='The event that begins one; "A|B" is any of them.')],
    end: Annotated[str, typer.Argument(help="The event that ends one.")],
    period: Annotated[int, typer.Option(help="Days between renewals.")] = 30,
    ahead: Annotated[int, typer.Option(help="For how many periods to look ahead.")] = 12,
    held_back: Annotated[int, typer.Option(help="Periods at the end, for the check.")] = 3,
    at: At = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """How long subscriptions last: who renews in each period. Seen and by a model, with its check."""
    Workspace(data).settle()
    periods = {"period_days": period, "ahead": ahead, "held_back": held_back}
    question = {"start": start, "end": end, "at": instant_of(at), **periods}
    answer: Any = ask(data, {"subscriptions": question})
    if json:
        show.as_json(answer)
        return
    rows = [
        (one["period"], f"{one['there']:,}", show.percent(one["renewed"]), show.percent(one["expected"]),
         show.percent(one["survival"]))
        for one in answer["periods"]
    ]  # fmt: skip
    title = f"{answer['subscribers']:,} subscribed, {answer['there']:,} are there"
    show.table(["period ", "there", "renewed", "by the model", "of all who began"], rows, title)
    show.console.print(f"A new subscriber stays {answer['expected']:.1f} of the next {ahead} periods.")
    if answer["check"]:
        check = answer["check"]
        foretold = f"{check['expected']:,.0f} were foretold to stay, {check['actual']:,} did"
        show.console.print(f"Of {check['there']:,} there {held_back} periods ago {foretold}.")
