"""The command `erase`: forget a customer."""

from __future__ import annotations

import getpass
from typing import Annotated, TypeAlias

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.model import JSON
from hark.store.contracts import Erased

Answer: TypeAlias = dict[str, JSON]


def register(app: typer.Typer) -> None:
    app.command()(erase)


def erase(
    customer: Annotated[
        str | None, typer.Argument(help="A userId, anonymousId or #number; none: what was erased before.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask to type the id again.")] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Forget a customer for good: hidden at once, then removed from every file. Not to be undone."""
    workspace = Workspace(data)
    workspace.settle()
    if customer is not None:
        _refuse_unknown(workspace, customer)
        if not yes and typer.prompt(f"type {customer} again to erase this customer") != customer:
            raise HarkError("the id is another one; nothing was erased", "type it once more", "erase.confirm")
        row = workspace.command({"name": "erase", "customer": customer, "author": getpass.getuser()})
    shown = [one for one in workspace.state().erasures() if customer is None or one.row == row]
    answers = [_answer(one, workspace.settings.log_days) for one in shown]
    if json:
        show.as_json(answers[0] if customer is not None else {"erasures": answers})
    else:
        _show(customer, answers)


def _refuse_unknown(workspace: Workspace, customer: str) -> None:
    if workspace.state().find(customer) is None:
        hint = "give a userId, an anonymousId or #number"
        raise HarkError(f"nobody has the id {customer}", hint, "customer.unknown")


def _answer(one: Erased, log_days: int) -> Answer:
    from hark.store.retention import gone_by

    return {
        "row": one.row,
        "by": one.author,
        "at": show.when(one.at),
        "in_history": one.rewritten_at is None,
        "in_old_files": one.gone_at is None,
        "in_log_until": show.when(gone_by(one.at, log_days))[:10],
    }


def _show(customer: str | None, answers: list[Answer]) -> None:
    if not answers:
        show.console.print("Nobody was erased.", style="dim")
        return
    if customer is not None:
        show.console.print(f"{customer} is erased: from now on in no answer, page or segment.", style="bold")
        show.console.print(
            "The history is written anew now; replaced files and the state are clean within a day, "
            f"the log by {answers[0]['in_log_until']} (UTC), if the server runs."
        )
        return
    rows = [
        (one["at"], one["by"], *map(_state, (one["in_history"], one["in_old_files"])), one["in_log_until"])
        for one in answers
    ]
    show.table(["erased at (UTC) ", "by ", "history ", "old files ", "in the log until "], rows)


def _state(held: JSON) -> str:
    return "to come" if held else "clean"
