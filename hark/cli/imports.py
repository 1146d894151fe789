"""`hark import`: events of the past, from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError

if TYPE_CHECKING:
    from hark.imports.chunks import Format
    from hark.imports.lane import Imported

Files = Annotated[list[Path], typer.Argument(help="CSV, JSONL or Parquet; text also as .gz, .zst or .zip.")]
FormatName = Annotated[
    Literal["segment", "amplitude"] | None,
    typer.Option("--format", help="An export of Segment, Hark itself, or Amplitude: no columns to name."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be, and bring nothing.")]


def register(app: typer.Typer) -> None:
    app.command("import")(import_files)


def import_files(
    files: Files,
    customer: Annotated[str | None, typer.Option(help="Column with the customer's id.")] = None,
    at: Annotated[str | None, typer.Option(help="Column with the time.")] = None,
    event: Annotated[str | None, typer.Option(help="Column with the event's name.")] = None,
    event_name: Annotated[str | None, typer.Option(help="One event name for all rows.")] = None,
    trait: Annotated[list[str] | None, typer.Option(help="Column that is a trait of the customer.")] = None,
    id: Annotated[str | None, typer.Option(help="Column with the message id.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times without one; default: the workspace's.")
    ] = None,
    format: FormatName = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be, and bring nothing.")
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Events of the past, from files. They make history and start no campaign; twice counts once."""
    workspace = Workspace(data, make=not dry_run)
    zone = zone or workspace.settings.zone
    mapping = _format(format, customer, at, event, event_name, tuple(trait or ()), id, zone)
    bring(workspace, files, mapping, dry_run, json)


def bring(workspace: Workspace, files: list[Path], mapping: Format, dry_run: bool, json: bool) -> None:
    """Bring the files, wait until all of it is history, and say what became of it."""
    found = []
    for file in files:
        with _bar(f"{'reading' if dry_run else 'importing'} {file.name}", json) as told:
            found.append(_one(workspace, file, mapping, dry_run, told))
    last = max((row for _, row in found), default=0)
    if last:
        _fold(workspace, last, json)
    results = [(file, result) for file, (result, _) in zip(files, found, strict=True)]
    if json:
        said = [_as_json(file, result) for file, result in results]
        show.as_json(said if len(said) > 1 else said[0])
        return
    for file, result in results:
        _show(file, result, dry_run)


def _format(
    format: str | None,
    customer: str | None,
    at: str | None,
    event: str | None,
    event_name: str | None,
    traits: tuple[str, ...],
    id: str | None,
    zone: str,
) -> Format:
    from hark.imports.chunks import EXPORTS
    from hark.imports.columns import Mapping

    if format is not None:
        if any((customer, at, event, event_name, traits, id)):
            raise HarkError(f"--format {format} knows its columns", "leave the others out", "import.format")
        return EXPORTS[format]
    if not customer or not at:
        hint = "--customer and --at name columns; or --format segment, --format amplitude"
        raise HarkError("say which columns have the customer and the time", hint, "import.columns")
    if bool(event) == bool(event_name):
        hint = "a column with the name of each event, or one name for all"
        raise HarkError("give exactly one of --event and --event-name", hint, "import.event")
    return Mapping(customer, at, event, event_name, traits, zone, id)


def _one(
    workspace: Workspace, file: Path, format: Format, dry_run: bool, told: Callable[[float], None]
) -> tuple[Imported, int]:
    from hark.imports import lane

    if dry_run:
        return lane.tried(file, format, workspace.clock.now(), told), 0
    workspace.settle()
    return lane.imported(workspace, file, format, told)


def _fold(workspace: Workspace, last: int, quiet: bool) -> None:
    """Until all of it is history."""
    from hark.imports import lane

    if not workspace.server:
        workspace.settle()
        return
    with _bar("folding", quiet) as told:
        first = None
        for at in lane.folding(workspace, last):
            first = at if first is None else first
            told((at - first) / max(1, last - first))


@contextmanager
def _bar(words: str, quiet: bool) -> Iterator[Callable[[float], None]]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet, console=show.console, transient=True) as progress:
        task = progress.add_task(words, total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _show(file: Path, found: Imported, dry_run: bool) -> None:
    would = "would be put" if dry_run else "were put"
    if dry_run:
        show.console.print(f"{file}: {found.imported:,} of {found.rows:,} rows would become events.")
        rows = [
            (one["timestamp"], one.get("userId") or one.get("anonymousId"), _name(one), show.flat(_says(one)))
            for one in found.first_calls
        ]
        show.table(["at ", "customer ", "event ", " "], rows)
    else:
        show.console.print(f"{file}: {found.imported:,} events imported, {found.before:,} were there before.")
    if found.suppressed:
        show.console.print(f"{found.suppressed:,} addresses {would} on the suppression list.")
    if found.problems:
        show.console.print(f"{found.problems:,} rows {'would be ' if dry_run else ''}left out:")
        often = sorted(found.by_reason.items(), key=lambda one: one[1], reverse=True)
        show.table(["rows", "why "], [(f"{count:,}", why) for why, count in often])
        show.table(["line", "for example "], [(one.line, one.message) for one in found.first_problems])


def _name(call: dict[str, Any]) -> str:
    return str(call.get("event") or call.get("name") or call["type"])


def _says(call: dict[str, Any]) -> Any:
    return call.get("properties") or call.get("traits") or {}


def _as_json(file: Path, found: Imported) -> dict[str, Any]:
    return {
        "file": str(file),
        "rows": found.rows,
        "imported": found.imported,
        "before": found.before,
        "suppressed": found.suppressed,
        "problems": found.problems,
        "by_reason": found.by_reason,
        "first_problems": [
            {"line": one.line, "reason": one.reason, "message": one.message} for one in found.first_problems
        ],
        "first_events": found.first_calls,
    }
