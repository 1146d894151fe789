"""`hark export`: definitions as YAML, or events as Parquet or JSONL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.clock import instant
from hark.errors import HarkError
from hark.model import Instant

if TYPE_CHECKING:
    from hark.imports.out import Which


def register(app: typer.Typer) -> None:
    app.command()(export)


def export(
    out: Annotated[Path | None, typer.Option(help="For the definitions; default: the terminal.")] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events instead: FILE.parquet, .jsonl, .jsonl.gz or .jsonl.zst.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Events from this time on, with a zone.")] = None,
    until: Annotated[str | None, typer.Option(help="Events before this time.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Only events of this name.")] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Every definition in force as YAML that `apply` takes back; or events that `import` takes back."""
    workspace = Workspace(data)
    workspace.settle()
    if events is not None:
        from hark.imports.out import Which

        which = Which(_instant(since), _instant(until), tuple(event or ()))
        _events(workspace, events, which, json)
        return
    if since or until or event:
        raise HarkError(
            "--since, --until and --event choose events", "name a file by --events", "export.events"
        )
    from hark.definitions.plan import export as written

    text = written(workspace.state().documents())
    if out:
        out.write_text(text)
    else:
        typer.echo(text, nl=False)


def _events(workspace: Workspace, path: Path, which: Which, quiet: bool) -> None:
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from hark.imports.out import Who, calls, write

    snapshot = workspace.snapshot()
    columns = (SpinnerColumn(), TextColumn("exporting"), TextColumn("{task.completed:,.0f} events"))
    with Progress(*columns, disable=quiet, console=show.console, transient=True) as progress:
        task = progress.add_task("export", total=None)
        found = calls(snapshot.events(which.names or None), which, Who(workspace.state()))
        count = write(path, found, lambda done: progress.update(task, completed=done))
    if quiet:
        show.as_json({"file": str(path), "events": count})
        return
    show.console.print(f"{path}: {count:,} events.")


def _instant(text: str | None) -> Instant | None:
    try:
        return None if text is None else instant(text)
    except ValueError as error:
        raise HarkError(str(error), "a time with a zone: 2026-03-01T09:00:00Z", "export.time") from None
