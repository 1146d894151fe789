"""`hark hook`: inbound webhooks. What a payload would become, and the secrets by which they are believed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.collect.refusals import Refusal
from hark.collect.source_changes import AddHookSecret
from hark.collect.sources import read_sources
from hark.errors import HarkError
from hark.model import DAY

if TYPE_CHECKING:
    from hark.collect.formats import Refused
    from hark.definitions.mapping import Source

Name = Annotated[str, typer.Argument(metavar="SOURCE")]
Definition = Annotated[
    Path | None,
    typer.Option("--with", help="A file with the source's document, not what is in force."),
]
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", "-H", help='As the provider sends it: "X-Shopify-Topic: orders/paid".'),
]


def register(app: typer.Typer) -> None:
    hooks = typer.Typer(help="Webhooks of other services that become events.", no_args_is_help=True)
    hooks.command("test")(test)
    hooks.command("secret")(secret)
    app.add_typer(hooks, name="hook")


def test(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The payload: JSON, or a form as it is sent.")],
    header: Headers = None,
    definition: Definition = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Which events a payload would become. Nothing is stored, and no signature is asked for."""
    from hark.collect.hooks.way import preview

    workspace = Workspace(data)
    source = _source(workspace, name, definition)
    found = preview(source, _content(file), _headers(header or []), workspace.clock.now())
    if isinstance(found, Refusal):
        raise HarkError(found.message, "send what the provider sends, and its headers by -H", found.reason)
    if json:
        show.as_json(
            {"known": found.known, "calls": found.calls, "refused": [_refused(one) for one in found.refused]}
        )
        return
    if not found.known:
        show.console.print("No rule of the mapping is for this payload: answered by 200, kept as ignored.")
    elif not found.calls:
        show.console.print("A rule passes it over: no event, and nothing is noted.")
    for place, call in enumerate(found.calls):
        wrong = next((one for one in found.refused if one.member == place), None)
        rows = [*call.items(), *([("refused", f"{wrong.reason}: {wrong.message}")] if wrong else [])]
        show.table(
            [f"{call.get('event', call['type'])} ", " "], [(key, show.flat(value)) for key, value in rows]
        )


def _refused(one: Refused) -> dict[str, Any]:
    return {"index": one.member, "code": one.reason, "message": one.message}


def secret(
    name: Name,
    keep_others: Annotated[
        bool, typer.Option(help="Secrets before it stay good for a day, so that the provider can be changed.")
    ] = True,
    data: Data = HERE,
) -> None:
    """Keep what a provider signs its webhooks with. It is asked for, or read from standard input."""
    workspace = Workspace(data)
    given = typer.prompt("secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    ends = workspace.clock.now() + (DAY if keep_others else 0)
    workspace.change_source(AddHookSecret(name, given, ends))
    kept = next(one for one in read_sources(data) if one.name == name)
    now = workspace.clock.now()
    rows = [(one.id, _until(one.expires_at)) for one in kept.hook_secrets if one.is_good(now)]
    show.table([f"secrets of {name} ", "good until "], rows)


def _until(at: int | None) -> str:
    return "further notice" if at is None else show.when(at)


def _source(workspace: Workspace, name: str, file: Path | None) -> Source:
    """The mapping in force, or the one in a file."""
    from hark.definitions.mapping import Source
    from hark.definitions.parse import definition, read

    if file is not None:
        documents = [
            one.definition for one in read([(str(file), file.read_text())], (), workspace.settings.zone)
        ]
    else:
        workspace.settle()
        documents = [definition(one, workspace.settings.zone) for one in workspace.state().documents()]
    found = [one for one in documents if isinstance(one, Source)]
    for one in found:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in found)
    hint = f"there are: {names}" if names else "apply a `source` document, or name its file by --with"
    raise HarkError(f"no source document {name!r}", hint, "hook.unknown")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HarkError(f"cannot read {file}: {error.strerror}", "name a file", "hook.file") from None


def _headers(given: list[str]) -> dict[bytes, bytes]:
    pairs = [one.partition(":") for one in given]
    return {name.strip().lower().encode(): value.strip().encode() for name, _, value in pairs}
