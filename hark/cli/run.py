"""Commands that run something: serve, restart, demo, replay, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import versions_of
from hark.cli.show import HERE, Data, Json


def register(app: typer.Typer) -> None:
    for command in (serve, restart, demo, replay, check):
        app.command()(command)


def serve(
    data: Data = HERE,
    port: Annotated[int, typer.Option(help="The one public port.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Run Hark: collector, engine, console and questions, in one directory behind one port."""
    from hark.supervisor import supervise

    Workspace(data, make=True)
    supervise(data, port, host, started=lambda url: _told(url, data))


def _told(url: str, data: Path) -> None:
    show.console.print(
        f"Hark listens at {url} and keeps everything in {data}; end it with Ctrl-C.", soft_wrap=True
    )
    show.console.file.flush()


def restart(
    roles: Annotated[
        list[str] | None, typer.Argument(help="collect, engine, console, questions; none: all.")
    ] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Start the processes of a running server anew (an upgrade, new settings); no event is lost by it."""
    from hark.restart import ORDER
    from hark.restart import restart as run

    done = run(data, roles or ORDER)
    if json:
        show.as_json({"restarted": done})
    else:
        show.console.print(f"Started anew: {', '.join(done)}.")


def demo(
    data: Annotated[Path | None, typer.Option("--data", help="Default: a new temporary directory.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the result and end.")] = False,
    customers: Annotated[int | None, typer.Option(help="How many simulated customers.")] = None,
    seed: Annotated[int, typer.Option(help="The chance in the simulation.")] = 1,
    port: Annotated[int, typer.Option(help="The console's port; 0: a free one.")] = 8000,
    json: Json = False,
) -> None:
    """A simulated shop: 60 days in a minute, the measured lift beside the truth, then a console."""
    from hark.demo.run import demo as run

    result = run(
        data,
        customers=customers,
        seed=seed,
        once=once,
        port=port,
        quiet=json,
        done=show.as_json if json else None,
    )
    if json and once:
        show.as_json(result)


def replay(
    data: Data = HERE,
    campaign: Annotated[list[str] | None, typer.Option(help="Only these campaigns.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write every fact as JSONL.")] = None,
    json: Json = False,
) -> None:
    """Live through the whole history again with the definitions of today; nothing is sent."""
    from hark.replay import replay as run

    workspace = Workspace(data)
    workspace.settle()
    documents = workspace.state().documents()
    for name in campaign or []:
        versions_of(workspace, name)
    if campaign:
        documents = [one for one in documents if one.kind != "campaign" or one.name in campaign]
    found = run(workspace.snapshot(), documents, key=workspace.state().key, zone=workspace.settings.zone)
    if out:
        out.write_bytes(found.jsonl())
    if json:
        show.as_json(found.summary())
        return
    rows = [(name, f"{count:,}") for name, count in found.summary()["facts"].items()]
    show.table(["fact ", "times"], rows, title=f"{len(found.messages):,} messages would have gone out")
    show.console.print(f"digest {found.digest}", style="dim")


def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Definition files; none: the data directory.")
    ] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Check definition files without applying them, or a data directory's health."""
    from hark.health import check as health
    from hark.health import check_files

    findings = check_files(files) if files else health(Workspace(data))
    if json:
        show.as_json(findings)
    else:
        show.table(
            ["", "check ", "found "], [("ok" if one.ok else "!!", one.name, one.found) for one in findings]
        )
    if not all(one.ok for one in findings):
        raise typer.Exit(1)
