"""`hark begin`: from the first events to segments, three drafts and what they would have done."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.questions import ask

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed
    from hark.questions.starting import Start


def register(app: typer.Typer) -> None:
    app.command()(begin)


def begin(
    pack: Annotated[
        str, typer.Argument(help="shop, saas, publisher, game or meanings; none: which fits what arrives.")
    ] = "",
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help='Under which name an event arrives here: "Order Completed=payment_done".'),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the documents to this file.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Put them into force; campaigns as drafts.")] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """A pack to start from: segments, three campaigns in draft with their back-tests, what engagement is."""
    from hark.questions.starting import documents, refuse_taken, seen, start

    workspace = Workspace(data)
    workspace.settle()
    events = seen(ask(data, {"events": {}}))
    if not pack:
        _packs(events, json)
        return
    made = start(pack, events, dict(map(_choice, map_ or [])))
    current = workspace.state().documents()
    wanted = documents(made, current, workspace.settings.zone)
    if out:
        out.write_text(made.text, encoding="utf-8")
    if apply:
        refuse_taken(wanted, current)
    rates = _backtests(data, wanted) if events else {}
    if apply:
        _apply(workspace, wanted, pack)
    _shown(made, rates, (str(out) if out else "", apply), json)


def _choice(text: str) -> tuple[str, str]:
    usual, equals, name = text.partition("=")
    if not (equals and name):
        raise HarkError(f"{text!r} maps nothing", 'write --map "Order Completed=payment_done"', "start.map")
    return usual.strip(), name.strip()


def _packs(events: dict[str, int], json: bool) -> None:
    from hark.definitions.starters import PACKS
    from hark.questions.starting import fits

    found = fits(events)
    if json:
        show.as_json({"packs": [{"pack": name, "events": of, "seen": n} for name, of, n in found]})
        return
    rows = [(name, f"{n} of {of}", PACKS[name]) for name, of, n in found]
    show.table(["pack ", "events seen", " "], rows)
    show.console.print("hark begin PACK shows what it would make here, and what its drafts would have done.")


def _backtests(data: Path, wanted: list[Parsed]) -> dict[str, Any]:
    from hark.questions.starting import backtests

    return {name: ask(data, question) for name, question in backtests(wanted).items()}


def _apply(workspace: Workspace, wanted: list[Parsed], pack: str) -> None:
    from hark.definitions.plan import command, plan
    from hark.questions.proposals import with_controls

    changes = plan(workspace.state().documents(), wanted)
    if any(change.what != "same" for change in changes):
        ready = with_controls(workspace.data, wanted, changes)
        workspace.command(command(ready, author=getpass.getuser(), note=f"started from {pack}"))


def _shown(made: Start, rates: dict[str, Any], done: tuple[str, bool], json: bool) -> None:
    out, applied = done
    if json:
        show.as_json(
            {
                "pack": made.pack,
                "events": made.roles,
                "text": made.text,
                "backtests": rates,
                "applied": applied,
            }
        )
        return
    rows = [
        (one.usual, one.seen or "not seen yet", f"{one.count:,}" if one.seen else "") for one in made.roles
    ]
    show.table(["event ", "arrives as ", "times"], rows, made.says)
    if made.unseen:
        hint = f'What arrives under another name: --map "{made.unseen[0]}=NAME"; what does not arrive, send.'
        show.console.print(hint, style="dim")
    if rates:
        note = "\nWhat the drafts would have done, as if everybody could be written to:"
        show.console.print(note, style="dim")
    for name, found in rates.items():
        show.console.print(f"\n{name}", style="bold")
        for sentence in found["sentences"]:
            show.console.print(sentence)
    show.console.print()
    if out:
        show.console.print(f"Written to {out}.")
    how = "It is in force; its campaigns are drafts: nobody is written to before you start one."
    show.console.print(
        how if applied else "Nothing is in force yet: --apply puts it there, campaigns as drafts."
    )
