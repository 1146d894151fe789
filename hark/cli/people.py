"""Lists of people from other products, and the suppression list."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Literal

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.imports import bring
from hark.cli.show import HERE, Data, Json
from hark.decide.reasons import Why
from hark.errors import HarkError

Files = Annotated[list[Path], typer.Argument(help="CSV, JSONL or Parquet; text also as .gz, .zst or .zip.")]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", help="The topic that the list is about; of several, THEIRS=OURS."),
]
Kind = Annotated[Literal["csv", "mailchimp", "customerio"], typer.Option(help="Whose export it is.")]
AllAre = Annotated[
    Literal["in", "out", "bounced", "complained", "team"] | None,
    typer.Option("--all-are", help="What all rows are, where no column says it."),
]


def register(app: typer.Typer) -> None:
    app.command("people")(import_people)
    app.command()(suppressed)
    app.command()(suppress)
    app.command()(unsuppress)


def import_people(
    files: Files,
    format: Annotated[
        Literal["csv", "mailchimp", "customerio"], typer.Option(help="Whose export it is.")
    ] = "csv",
    topic: Topics = None,
    email: Annotated[str, typer.Option(help="Column with the e-mail address.")] = "email",
    customer: Annotated[str, typer.Option(help="Column with the customer's id.")] = "",
    phone: Annotated[str, typer.Option(help="Column with the phone number.")] = "",
    status: Annotated[str, typer.Option(help="Column that says in, out, bounced ...")] = "",
    all_are: AllAre = None,
    at: Annotated[str, typer.Option(help="Column with the time of the status.")] = "",
    zone: Annotated[str | None, typer.Option(help="Zone of times without one.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be, and bring nothing.")
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """People, what they agreed to, and who must not be written to. Nobody who left comes back by it."""
    from hark.imports.people import People, Status

    workspace = Workspace(data, make=not dry_run)
    every: Status = all_are or ""
    ours = _topics(workspace, topic or [], dry_run)
    where = (email, customer, phone, status, every, at, zone or workspace.settings.zone)
    bring(workspace, files, People(format, ours, *where), dry_run, json)


def _topics(workspace: Workspace, given: list[str], dry_run: bool) -> dict[str, str]:
    """By their name for it, our topic. HarkError `topic.unknown` for one that nobody has defined."""
    pairs = [text.rpartition("=") for text in given]
    ours = {theirs: name for theirs, _, name in pairs}
    if not ours or dry_run:
        return ours
    workspace.settle()
    known = [one.name for one in workspace.state().documents() if one.kind == "topic"]
    for name in ours.values():
        if name not in known:
            hint = f"there are: {', '.join(known)}" if known else "apply a `topic` document first"
            raise HarkError(f"there is no topic {name!r}; nothing was imported", hint, "topic.unknown")
    return ours


def suppressed(
    text: Annotated[str, typer.Argument(help="A part of an address.")] = "",
    why: Annotated[str, typer.Option(help="One reason alone.")] = "",
    limit: Annotated[int, typer.Option(help="Entries at most.")] = 200,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Addresses that nobody writes to, newest first."""
    from hark.store.changes import KINDS

    workspace = Workspace(data)
    workspace.settle()
    found = workspace.state().suppressions(text, why, limit=limit)
    rows = [
        {
            "address": one.address,
            "kind": KINDS[one.kind],
            "why": one.why,
            "topic": one.topic,
            "since": show.when(one.since),
            "source": one.source,
            "detail": one.detail,
        }
        for one in found
    ]
    if json:
        show.as_json({"suppressed": rows, "counts": workspace.state().suppression_counts()})
        return
    columns = ("address", "why", "topic", "since", "source", "detail")
    shown = [["(erased)" if row[name] is None else row[name] for name in columns] for row in rows]
    show.table([f"{name} " for name in columns], shown)


def suppress(
    address: Annotated[str, typer.Argument(help="An e-mail address or a phone number.")],
    why: Annotated[Why, typer.Option(help="The reason.")] = Why.TEAM,
    detail: Annotated[str, typer.Option(help="In your words.")] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Write to an address no more, whoever has it."""
    said = {"name": "suppress", "address": address, "why": why.value, "detail": detail}
    _command(data, said, json, f"{address} is not written to any more.")


def unsuppress(
    address: Annotated[str, typer.Argument(help="An e-mail address or a phone number.")],
    data: Data = HERE,
    json: Json = False,
) -> None:
    """An address is good again. What its reader said of topics stands."""
    _command(data, {"name": "unsuppress", "address": address}, json, f"{address} may be written to.")


def _command(data: Path, said: dict[str, str], json: bool, done: str) -> None:
    workspace = Workspace(data)
    workspace.settle()
    row = workspace.command(said | {"author": getpass.getuser()})
    wrong = [one for one in workspace.state().problems() if one.row == row]
    if wrong:
        raise HarkError(wrong[0].detail, "nothing was changed", wrong[0].reason)
    show.as_json({"row": row}) if json else show.console.print(done)
