"""The command that says what customers are worth."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(worth)


def worth(
    event: Annotated[str, typer.Argument(help='The event of a purchase; "A|B" is any of them.')],
    value: Annotated[str | None, typer.Option(help="The property with its value, such as revenue.")] = None,
    ahead: Annotated[int, typer.Option(help="For how many weeks to look ahead.")] = 13,
    held_back: Annotated[int, typer.Option(help="Weeks at the end that the check's model doesn't see.")] = 13,
    at: At = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Who is still a customer, how often they will buy, and for how much."""
    Workspace(data).settle()
    weeks = {"ahead_weeks": ahead, "held_back_weeks": held_back}
    answer: Any = ask(data, {"worth": {"event": event, "value": value, "at": instant_of(at), **weeks}})
    if json:
        show.as_json(answer)
        return
    _said(answer, ahead)
    _check(answer["checks"], held_back)
    rows = [(one["customer"], show.percent(one["alive"]), f"{one['purchases']:.1f}", _money(one["value"]))
            for one in answer["top"]]  # fmt: skip
    show.table(["customer ", "still there", "purchases", "value"], rows, "The best prospects")


def _said(answer: Any, ahead: int) -> None:
    money = "" if answer["expected_value"] is None else f", worth {_money(answer['expected_value'])}"
    show.console.print(
        f"{answer['customers']:,} customers, {answer['repeating']:,} of whom bought again; about"
        f" {answer['alive']:,.0f} are customers still.",
        style="bold",
    )
    show.console.print(f"Next {ahead} weeks: {answer['expected_purchases']:,.0f} purchases{money}.\n")


def _check(checks: Any, held_back: int) -> None:
    if not checks:
        show.console.print(
            f"Too few bought again before the last {held_back} weeks to check it.\n", style="dim"
        )
        return
    rows = [(one["repeats"], f"{one['customers']:,}", f"{one['expected']:.2f}", f"{one['actual']:.2f}")
            for one in checks]  # fmt: skip
    title = (
        f"The check: purchases per customer in the last {held_back} weeks, by a model that had not seen them"
    )
    show.table(["bought again ", "customers", "foretold", "happened"], rows, title)
    show.console.print()


def _money(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
