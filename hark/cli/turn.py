"""How far a campaign is live: `hark start`, `hark rehearse`, `hark pause`, `hark end`."""

from __future__ import annotations

from typing import Annotated

import typer

from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.definitions.plan import Change
from hark.workspace import History


def register(app: typer.Typer) -> None:
    for command in (start, rehearse, pause, end):
        app.command()(command)


def start(
    campaign: str,
    ramp: Annotated[str, typer.Option(help='Let in only this share of people, such as "5%".')] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Let people into a campaign, also after a pause: everybody, or first a share of them."""
    _told(History(data).start(campaign, ramp), json)


def rehearse(campaign: str, data: Data = HERE, json: Json = False) -> None:
    """Rehearse a campaign: live in everything but handing messages off."""
    _told(History(data).rehearse(campaign), json)


def pause(
    campaign: str,
    keep_timers: Annotated[bool, typer.Option(help="Whoever is on the way stands still.")] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Pause a campaign: nobody enters, and nothing is sent."""
    _told(History(data).pause(campaign, keep_timers=keep_timers), json)


def end(campaign: str, data: Data = HERE, json: Json = False) -> None:
    """End a campaign: nobody enters any more, and who is in it walks to the end."""
    _told(History(data).end(campaign), json)


def _told(changes: list[Change], json: bool) -> None:
    if json:
        show.as_json({"changes": changes})
        return
    [change] = changes
    same = change.what == "same"
    show.console.print(f"{change.name}: {'as it was' if same else 'from now on'}, version {change.version}")
