"""`hark migrate`: move a campaign's live runs to another version, after a look at what that would do."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.questions import ask

To = Annotated[int | None, typer.Option(help="The version; the newest, if not said.")]
Steps = Annotated[list[str] | None, typer.Option("--step", help="A wait that has another id now, OLD=NEW.")]
Yes = Annotated[bool, typer.Option("--yes", help="Move them; without it nothing is changed.")]


def register(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(
    campaign: Annotated[str, typer.Argument(help="Whose live runs are moved.")],
    to: To = None,
    step: Steps = None,
    yes: Yes = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Move live runs to another version of their campaign; says which move, and why others stay."""
    workspace = Workspace(data)
    workspace.settle()
    steps = _pairs(step or [])
    found: Any = ask(data, {"migration": {"campaign": campaign, "to": to, "steps": steps}})
    if yes and found["moves"]:
        said = {"campaign": campaign, "to": found["to"], "steps": steps}
        workspace.command({"name": "migrate", "author": getpass.getuser(), **said})
    if json:
        show.as_json({**found, "moved": yes})
    else:
        _show(found, yes)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not old or not new for old, _, new in pairs):
        raise HarkError("--step takes two ids", "for example --step pause=second_pause", "migrate.step")
    return {old: new for old, _, new in pairs}


def _show(found: Any, moved: bool) -> None:
    rows = [
        (
            f"{one['version']}",
            one["variant"],
            one["step"],
            one["to_step"] or "stays",
            f"{one['runs']:,}",
            _note(one),
        )
        for one in found["groups"]
    ]
    if rows:
        heads = ["from version", "variant ", "waits at ", "goes to ", "runs", "note "]
        show.table(heads, rows, title=f"{found['campaign']}, to version {found['to']}")
    moves, stays = found["moves"], found["stays"]
    if not moves:
        show.console.print(f"There is nothing to move ({stays:,} would stay).", style="dim")
    elif moved:
        show.console.print(f"Moved {moves:,}; {stays:,} stay as they are.")
    else:
        show.console.print(f"{moves:,} would move, {stays:,} stay. Nothing was changed; to move them: --yes")


def _note(one: Any) -> str:
    notes = [one["says"]] if one["says"] else []
    if one["at_once"]:
        notes.append(f"{one['at_once']:,} go on at once")
    if one["done"]:
        notes.append(f"{one['done']:,} leave out what they did already")
    return "; ".join(notes)
