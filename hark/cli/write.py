"""Commands that change something: apply, plan, export, import."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hark import importer
from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.definitions import parse, plan
from hark.definitions.types import Document
from hark.errors import HarkError
from hark.model import Lane
from hark.speak.render import problem as template_problem

Files = Annotated[list[Path], typer.Argument(help="YAML files, one or many documents each.")]
Note = Annotated[str, typer.Option(help="Why, for the record.")]


def register(app: typer.Typer) -> None:
    app.command()(apply)
    app.command("plan")(plan_files)
    app.command()(export)
    app.command("import")(import_file)


def plan_files(files: Files, data: Data = HERE, json: Json = False) -> None:
    """What `apply` would change; changes nothing."""
    changes = _changes(Workspace(data), files)[1]
    _show_changes(changes, json)


def apply(files: Files, data: Data = HERE, note: Note = "", json: Json = False) -> None:
    """Put definitions into force, all of them or, if one is wrong, none."""
    workspace = Workspace(data, make=True)
    wanted, changes = _changes(workspace, files)
    if any(change.what != "same" for change in changes):
        workspace.command(plan.command(wanted, author=getpass.getuser(), note=note))
    _show_changes(changes, json)


def export(
    data: Data = HERE, out: Annotated[Path | None, typer.Option(help="A file; default: the terminal.")] = None
) -> None:
    """Every definition in force as YAML that `apply` takes back."""
    workspace = Workspace(data)
    workspace.settle()
    text = plan.export(workspace.state().documents())
    if out:
        out.write_text(text)
    else:
        typer.echo(text, nl=False)


def _changes(workspace: Workspace, files: list[Path]) -> tuple[list[parse.Parsed], list[plan.Change]]:
    workspace.settle()
    current: list[Document] = workspace.state().documents()
    texts = [(str(file), _text(file)) for file in files]
    wanted = parse.read(texts, current, workspace.settings.zone, template_problem)
    return wanted, plan.plan(current, wanted)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise HarkError(f"there is no file {file}", "name files of YAML", "definitions.file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise HarkError(f"cannot read {file}: {error}", "name files of YAML", "definitions.file") from None


def _show_changes(changes: list[plan.Change], json: bool) -> None:
    if json:
        show.as_json({"changes": changes})
        return
    marks = {"new": "+", "changed": "~", "same": " "}
    rows = [(marks[one.what], one.kind, one.name, f"v{one.version}", ", ".join(one.keys)) for one in changes]
    show.table(["", "kind ", "name ", "version ", "changed "], rows)
    if all(change.what == "same" for change in changes):
        show.console.print("Nothing to change: all of it is in force as it is.", style="dim")


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL (also .gz) or Parquet.")],
    customer: Annotated[str, typer.Option(help="Column with the customer's id.")],
    at: Annotated[str, typer.Option(help="Column with the time.")],
    event: Annotated[str | None, typer.Option(help="Column with the event's name.")] = None,
    event_name: Annotated[str | None, typer.Option(help="One event name for all rows.")] = None,
    trait: Annotated[list[str] | None, typer.Option(help="Column that is a trait of the customer.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times without one; default: the workspace's.")
    ] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Events of the past, from a file. They make history and start no campaign; twice counts once."""
    if bool(event) == bool(event_name):
        hint = "a column with the name of each event, or one name for all"
        raise HarkError("give exactly one of --event and --event-name", hint, "import.event")
    workspace = Workspace(data, make=True)
    mapping = importer.Mapping(
        customer, at, event, event_name, tuple(trait or ()), zone or workspace.settings.zone
    )
    result: dict[str, Any] = _import(workspace, file, mapping, quiet=json)
    if json:
        show.as_json(result)
        return
    show.console.print(f"{result['imported']:,} events imported, {result['before']:,} were there before.")
    if result["problems"]:
        show.console.print(f"{result['problems']:,} rows left out:")
        show.table(["row", "why "], [(one.row, one.reason) for one in result["first_problems"]])


def _import(workspace: Workspace, file: Path, mapping: importer.Mapping, quiet: bool) -> dict[str, Any]:
    workspace.settle()
    have = workspace.state().imported(importer.digest(file, mapping))
    imported = before = problems = row = 0
    first: list[importer.Problem] = []
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, disable=quiet, console=show.console, transient=True)
    with workspace.appending() as log, bar as progress:
        task = progress.add_task("import", total=importer.count(file))
        for chunk in importer.chunks(file, mapping):
            problems += len(chunk.problems)
            first = (first + chunk.problems)[:5]
            if chunk.number <= have:
                before += len(chunk.calls)
            else:
                row = log.append(Lane.BULK, "import", "import", chunk.body())
                imported += len(chunk.calls)
            progress.advance(task, chunk.rows)
    workspace.settle(row or None, Lane.BULK)
    return {"imported": imported, "before": before, "problems": problems, "first_problems": first}
