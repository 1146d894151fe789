"""`hark trigger`: start a campaign for one customer, as a call to the server would."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.workspace import History


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
    lines = History(data).trigger(campaign, customer, _object(with_), id)
    if json:
        show.as_json({"lines": lines})
        return
    if not lines:
        show.console.print("Nothing came of it: this id was called before.", style="dim")
    for line in lines:
        show.console.print(line.sentence)


def _object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise HarkError(
            f"--with is no JSON: {error}", "for example '{\"order\": 7}'", "trigger.data"
        ) from None
    if not isinstance(found, dict):
        raise HarkError("--with must be a JSON object", "for example '{\"order\": 7}'", "trigger.data")
    return found
