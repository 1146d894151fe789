"""`hark preview`: a message as a customer would get it; with `--send` to an address of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.model import JSON


def register(app: typer.Typer) -> None:
    app.command()(preview)


def preview(
    template: Annotated[str, typer.Argument(help="The template's name.")],
    customer: Annotated[str, typer.Option(help="A customer's id; none: a sample.")] = "",
    event: Annotated[str, typer.Option(help="The event that would start it, a JSON object.")] = "{}",
    with_: Annotated[str, typer.Option("--with", help="What the step gives as data, a JSON object.")] = "{}",
    topic: Annotated[str, typer.Option(help="The campaign's topic: then there is a way out.")] = "",
    content: Annotated[str, typer.Option(help="The item of the catalogue that it brings; none: any.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the HTML part to this file.")] = None,
    send: Annotated[str, typer.Option(help="Send it to this address too, with links that do nothing.")] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """A message as a customer would get it, and what mail programs would mind."""
    from hark.previews import send_test, shown, traits_of
    from hark.speak.preview import About

    workspace = Workspace(data)
    workspace.settle()
    state = workspace.state()
    about = About(traits_of(state, customer), _object(event, "event"), _object(with_, "with"), topic, content)
    if content and content not in {one.name for one in state.documents() if one.kind == "content"}:
        raise HarkError(f"there is no content {content}", "see hark content", "content.unknown")
    found = shown(state, template, about, workspace.clock)
    if html and found.said and found.said.html:
        html.write_text(found.said.html, encoding="utf-8")
    sent = (
        send_test(state, template, about, send, workspace.settings.outbound_allow, workspace.clock)
        if send
        else ""
    )
    if json:
        show.as_json({"preview": found, "sent": sent})
        return
    _print(found)
    if send:
        show.console.print(f"Sent to {send}: {sent}")


def _print(found: JSON) -> None:
    if found.said is None:
        show.console.print(f"There would be no message: {found.why_not}")
        return
    if found.said.subject:
        show.console.print(found.said.subject, style="bold")
    show.console.print(found.said.text)
    for one in found.findings:
        show.console.print(f"{one.name}: {one.says}", style="yellow")


def _object(text: str, name: str) -> dict[str, JSON]:
    try:
        return msgspec.json.decode(text, type=dict[str, JSON])
    except msgspec.DecodeError:
        raise HarkError(
            f"--{name} is no JSON object: {text}", "for example '{\"order\": 7}'", "preview.data"
        ) from None
