"""`hark content`: what became of what you publish."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.questions import ask

LONGEST = 40
NOT_LIFT = (
    "Came later is after, not because: who reads a price list was nearer to buying before they read it."
    " What a message changes is in the report of its campaign."
)


def register(app: typer.Typer) -> None:
    app.command()(content)


def content(
    at: At = None,
    seen: Annotated[bool, typer.Option("--seen", help="Pages that are read and in no document.")] = False,
    opened: Annotated[bool, typer.Option("--opened", help="With --seen: those only opened, too.")] = False,
    save: Annotated[Path | None, typer.Option(help="With --seen: drafts as YAML into this file.")] = None,
    top: Annotated[int, typer.Option(help="How many items, or pages, are listed.")] = 20,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Each item of the catalogue: who read it, at which stage, and what came later."""
    if (opened or save) and not seen:
        raise HarkError("--opened and --save are about pages", "hark content --seen", "content.seen")
    Workspace(data).settle()
    if seen:
        _pages(
            ask(data, {"pages": {"opened": opened, "most": top, "at": instant_of(at)}}), save, opened, json
        )
        return
    answer: Any = ask(data, {"content": {"at": instant_of(at)}})
    if json:
        show.as_json(answer)
        return
    if not answer["items"]:
        show.console.print("There is no content document yet: docs/content.md says how they are written.")
    else:
        _tables(answer, top)
    if answer["unlisted"]:
        show.console.print(
            f"{answer['unlisted']:,} readings were of texts that are in no document: hark content --seen."
        )


def _pages(answer: Any, save: Path | None, opened: bool, json: bool) -> None:
    pages = answer["pages"]
    drafts = [one["draft"] for one in pages if one["draft"]]
    if save is not None and drafts:
        _write(save, drafts)
    if json:
        show.as_json(answer)
        return
    if not pages:
        hint = "docs/reading.md says how it is told" if opened else "--opened lists those opened, too"
        show.console.print(f"No page was read that is in no document: {hint}.")
        return
    _listed(pages, opened)
    if save is None:
        print("---\n".join(drafts), end="")
    else:
        show.console.print(f"{len(drafts)} drafts; look through them, then hark apply {save}")


def _write(file: Path, drafts: Sequence[str]) -> None:
    """Raises HarkError `content.save`; what is there is left as it is, somebody may have worked on it."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write("---\n".join(drafts))
    except OSError as error:
        raise HarkError(
            f"{file} is not written: {error.strerror}", "name another file", "content.save"
        ) from None


def _listed(pages: Sequence[Any], opened: bool) -> None:
    rows = [
        [_name(one["title"]), one["address"], f"{one['readers']:,}", *([f"{one['opened']:,}"] * opened),
         _long(one), ", ".join(f"{name} {n:,}" for name, n in one["at_stage"].items())]
        for one in pages
    ]  # fmt: skip
    columns = ["page ", "address ", "readers", *(["opened"] * opened), "length", "stages "]
    show.table(columns, rows, "In no document")
    show.console.print()


def _long(page: Any) -> str:
    if page["words"]:
        return f"{page['words']:,} words"
    return "" if page["minutes"] is None else f"{page['minutes']:g} min"


def _tables(answer: Any, top: int) -> None:
    reads = ["sent", "read it", "readers", "minutes", "useful", "not"]
    after = ["came back", "tried new", "went on", "muted", "complained"]
    items: list[tuple[str, Any]] = [(_name(one["title"]), one["read"]) for one in answer["items"][:top]]
    formats = [(f"{one['format']} ({one['items']})", one["read"]) for one in answer["formats"]]
    for title, rows in (("Items", items), ("Formats", formats)):
        show.table([f"{title.lower()} ", *reads], [[name, *_reads(read)] for name, read in rows], title)
        show.console.print()
    later = [(name, *_after(read)) for name, read in (*items, *formats) if read["readers"]]
    if later:
        show.table(["text ", *after], later, "What came later, of readers")
        _stages(answer, items)
    show.console.print(NOT_LIFT, style="dim")


def _name(title: str) -> str:
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"


def _reads(read: Any) -> list[str]:
    return [f"{read['sent']:,}", share(read["read_after"], read["sent"]), f"{read['readers']:,}",
            f"{read['minutes']:,.0f}", f"{read['useful']:,}", f"{read['useless']:,}"]  # fmt: skip


def _after(read: Any) -> list[str]:
    later, gone_on = read["later"], read["gone_on"]
    shares = {
        name: share(later[name], later["moments"]) for name in ("returned", "tried", "muted", "complained")
    }
    went = share(gone_on["on"], gone_on["readers"])
    return [shares["returned"], shares["tried"], went, shares["muted"], shares["complained"]]


def _stages(answer: Any, items: Sequence[tuple[str, Any]]) -> None:
    """At which stage readers were, where anybody was at any."""
    seen = [name for name in answer["stages"] if any(read["at_stage"][name] for _, read in items)]
    rows = [
        [name, *(f"{read['at_stage'][stage]:,}" for stage in seen)] for name, read in items if read["readers"]
    ]
    if rows:
        show.table(["text ", *seen], rows, "Readers by their stage, at their first reading")


def share(some: int, of: int) -> str:
    return show.percent(some / of) if of else ""
