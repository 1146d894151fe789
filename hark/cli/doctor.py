"""The command `doctor`: is every byte on disk what was written, and what can be made whole again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.store.locks import hold

if TYPE_CHECKING:
    from hark.doctor import Rebuilt
    from hark.doctor.findings import Finding


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the history anew; no server may run.")
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Read every file to its last byte: what is damaged, what that costs, and what to do."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from hark import doctor as doctors

    workspace = Workspace(data)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=json, console=show.console, transient=True) as progress:
        task = progress.add_task("read", total=doctors.total_bytes(workspace.data))
        looked = lambda size: progress.advance(task, size)  # noqa: E731
        if rebuild:
            with hold(workspace.data, "engine"):
                rebuilt = doctors.rebuild(workspace.data, looked)
        else:
            findings = list(doctors.look(workspace.data, looked))
    if rebuild:
        _show_rebuilt(rebuilt, json)
    else:
        _show(findings, json)


def _show(findings: list[Finding], json: bool) -> None:
    whole = all(one.ok for one in findings)
    if json:
        show.as_json({"ok": whole, "files": findings})
    else:
        rows = [("ok" if one.ok else "!!", one.path, one.found) for one in findings]
        show.table(["", "file ", "found "], rows)
        for one in findings:
            if one.lost:
                show.console.print(f"{one.path}: lost is {one.lost}")
    if not whole:
        raise typer.Exit(1)


def _show_rebuilt(found: Rebuilt, json: bool) -> None:
    if json:
        show.as_json(found)
        return
    since = show.when(found.log_from) if found.log_from is not None else "nowhere"
    lost = "an unknown number" if found.lost is None else f"{found.lost:,}"
    show.console.print(
        f"{found.kept:,} rows could be read, {found.recovered:,} events came from the log, {lost} are lost."
    )
    show.console.print(f"The log goes back to {since} (UTC).", style="dim")
