"""Commands about who is who: merges, unmerge."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.model import JSON
from hark.store.contracts import Joined


def register(app: typer.Typer) -> None:
    app.command()(merges)
    app.command()(unmerge)


def merges(
    customer: Annotated[str | None, typer.Argument(help="Any id of a customer; none: everybody's.")] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Who turned out to be one customer, when and why, and what was undone. Newest first."""
    workspace = Workspace(data)
    workspace.settle()
    subject = None if customer is None else workspace.subject(customer)
    found = workspace.state().joined(subject)
    if json:
        show.as_json({"merges": [_json(one) for one in found]})
        return
    if not found:
        show.console.print("Nobody was merged.", style="dim")
        return
    columns = ["merge", "at (UTC) ", "cause ", "by ", "of ", "into ", "ids it brought ", "undone "]
    show.table(columns, [_row(one) for one in found])


def unmerge(
    merge: Annotated[int, typer.Argument(help="The number of the merge, as `hark merges` shows it.")],
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Undo a merge: ids, events, traits, runs and messages go back to who had them."""
    workspace = Workspace(data)
    workspace.settle()
    if not workspace.state().in_force(merge):
        message = f"there is no merge {merge} that could be undone"
        raise HarkError(message, "`hark merges` shows those in force", "unmerge.unknown")
    workspace.command({"name": "unmerge", "merge": merge, "author": getpass.getuser(), "note": note})
    found = next((one for one in workspace.state().joined(limit=1_000_000) if one.number == merge), None)
    if found is None or found.undone_at is None:
        raise HarkError(f"merge {merge} was not undone", "see `hark check`", "unmerge.refused")
    if json:
        show.as_json(_json(found))
        return
    show.console.print(
        f"Merge {merge} is undone: #{found.younger} and #{found.older} are two customers again."
    )


def _json(one: Joined) -> JSON:
    return {
        "merge": one.number,
        "at": show.when(one.at),
        "cause": one.cause,
        "by": one.by,
        "younger": one.younger,
        "older": one.older,
        "ids": [{"kind": kind, "value": value} for kind, value in one.ids],
        "undone": one.undone_at and {"at": show.when(one.undone_at), "by": one.undone_by, "note": one.note},
    }


def _row(one: Joined) -> tuple[str, ...]:
    undone = f"{show.when(one.undone_at)} by {one.undone_by}" if one.undone_at else ""
    ids = ", ".join(f"{kind} {value}" for kind, value in one.ids)
    said = (str(one.number), show.when(one.at), one.cause, one.by, f"#{one.younger}", f"#{one.older}")
    return (*said, ids, f"{undone} {one.note}".strip())
