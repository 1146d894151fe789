"""`hark trigger`: start a campaign for one customer, as a call to the server would."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import versions_of
from hark.cli.show import HERE, Data, Json
from hark.collect.formats import TRIGGER
from hark.collect.triggers import event
from hark.decide.why import Line, explain
from hark.definitions.parse import definition
from hark.definitions.types import Campaign
from hark.errors import HarkError
from hark.model import Lane, row_of

SOURCE = "hark"


def register(app: typer.Typer) -> None:
    app.command()(trigger)


def trigger(
    campaign: Annotated[str, typer.Argument(help="A campaign with `trigger: {api: yes}`.")],
    customer: Annotated[str, typer.Argument(help="The customer's userId.")],
    with_: Annotated[str, typer.Option("--with", help="What the run refers to, a JSON object.")] = "{}",
    id: Annotated[str, typer.Option(help="Your id of this call: the same one again counts once.")] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Start a campaign for one customer; says what came of it."""
    workspace = Workspace(data)
    workspace.settle()
    _refuse_others(workspace, campaign)
    body = event(campaign, customer, None, id or None, _object(with_))
    with workspace.appending() as log:
        row = log.append(Lane.LIVE, TRIGGER, SOURCE, body)
    workspace.settle(row)
    subject = workspace.state().find(customer)
    told = explain(workspace.snapshot().subject_events(subject), campaign) if subject else []
    lines = [line for line in told if line.campaign == campaign and row_of(line.seq) == row]
    _show(lines, row, json)


def _show(lines: list[Line], row: int, json: bool) -> None:
    if json:
        show.as_json({"row": row, "lines": lines})
        return
    if not lines:
        show.console.print("Nothing came of it: this id was called before.", style="dim")
    for line in lines:
        show.console.print(line.sentence)


def _refuse_others(workspace: Workspace, name: str) -> None:
    """HarkError for a campaign that nothing but its own trigger starts."""
    versions_of(workspace, name)
    document = next(
        one for one in workspace.state().documents() if (one.kind, one.name) == ("campaign", name)
    )
    found = definition(document, workspace.settings.zone)
    if not (isinstance(found, Campaign) and found.trigger.api):
        hint = "write trigger: {api: yes}"
        raise HarkError(f"{name} is not started by calls; nothing was done", hint, "trigger.other")


def _object(text: str) -> bytes:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise HarkError(
            f"--with is no JSON: {error}", "for example '{\"order\": 7}'", "trigger.data"
        ) from None
    if not isinstance(found, dict):
        raise HarkError("--with must be a JSON object", "for example '{\"order\": 7}'", "trigger.data")
    return text.encode()
