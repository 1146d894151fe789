"""Commands that change what is in force: apply and plan."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError

if TYPE_CHECKING:
    from hark.definitions.document import Document
    from hark.definitions.parse import Parsed
    from hark.definitions.plan import Change
    from hark.definitions.problems import Problem

Files = Annotated[list[Path], typer.Argument(help="YAML files, one or many documents each.")]
Note = Annotated[str, typer.Option(help="Why, for the record.")]


def register(app: typer.Typer) -> None:
    app.command()(apply)
    app.command("plan")(plan_files)


def plan_files(files: Files, data: Data = HERE, json: Json = False) -> None:
    """What `apply` would change; changes nothing."""
    workspace = Workspace(data)
    wanted, changes = _changes(workspace, files)
    _show_changes(changes, _doubts(workspace, wanted), json)


def apply(files: Files, data: Data = HERE, note: Note = "", json: Json = False) -> None:
    """Put definitions into force, all of them or, if one is wrong, none."""
    from hark.definitions.plan import command
    from hark.questions.proposals import with_controls

    workspace = Workspace(data, make=True)
    wanted, changes = _changes(workspace, files)
    doubts = _doubts(workspace, wanted)
    if any(change.what != "same" for change in changes):
        wanted = with_controls(workspace.data, wanted, changes)
        workspace.command(command(wanted, author=getpass.getuser(), note=note))
    _show_changes(changes, doubts, json)


def read_files(workspace: Workspace, files: list[Path]) -> list[Parsed]:
    """The documents of files, checked with those in force. Raises DefinitionError, HarkError."""
    from hark.definitions.parse import read
    from hark.speak.checking import Checking
    from hark.speak.places import Allowed

    texts = [(str(file), _text(file)) for file in files]
    current: list[Document] = workspace.state().documents()
    settings = workspace.settings
    return read(texts, current, settings.zone, Checking(Allowed.of(settings.outbound_allow)))


def _changes(workspace: Workspace, files: list[Path]) -> tuple[list[Parsed], list[Change]]:
    from hark.definitions.plan import plan

    workspace.settle()
    wanted = read_files(workspace, files)
    return wanted, plan(workspace.state().documents(), wanted)


def _doubts(workspace: Workspace, wanted: list[Parsed]) -> list[Problem]:
    """What of them is allowed and yet should be known."""
    from hark.definitions.weak import kept, warnings

    return warnings(wanted, kept(workspace.state().documents()))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise HarkError(f"there is no file {file}", "name files of YAML", "definitions.file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise HarkError(f"cannot read {file}: {error}", "name files of YAML", "definitions.file") from None


def _show_changes(changes: list[Change], doubts: list[Problem], json: bool) -> None:
    if json:
        show.as_json({"changes": changes, "warnings": doubts})
        return
    marks = {"new": "+", "changed": "~", "worded": "#", "same": " "}
    rows = [(marks[one.what], one.kind, one.name, f"v{one.version}", ", ".join(one.keys)) for one in changes]
    show.table(["", "kind ", "name ", "version ", "changed "], rows)
    if all(change.what == "same" for change in changes):
        show.console.print("Nothing to change: all of it is in force as it is.", style="dim")
    for doubt in doubts:
        show.console.print(f"Warning: {doubt}", style="yellow", markup=False)
