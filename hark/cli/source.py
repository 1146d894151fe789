"""Commands for sources: where events come from, their keys and settings, and what of them was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import UNSET

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.clock import instant
from hark.collect.source_changes import AddKey, Change, ExpireKey, Set
from hark.collect.sources import Made
from hark.errors import HarkError
from hark.model import Instant
from hark.store.contracts import Reject

if TYPE_CHECKING:
    from hark.connected import KeyView, SourceView

Names = Annotated[list[str] | None, typer.Option()]
When = Annotated[
    str | None, typer.Option(help="A time with a zone (2026-03-01T09:00:00Z), or from now: 6h, 7d.")
]


def register(app: typer.Typer) -> None:
    sources = typer.Typer(help="Where events come from, and their keys.", no_args_is_help=True)
    for command in (add, show_source, set_source, disable, enable):
        sources.command(command.__name__.partition("_")[0])(command)
    sources.command("list")(list_sources)
    keys = typer.Typer(help="A source's keys: one more, or one less from a time on.", no_args_is_help=True)
    keys.command("add")(add_key)
    keys.command("expire")(expire_key)
    keys.command("revoke")(revoke_key)
    sources.add_typer(keys, name="key")
    app.add_typer(sources, name="source")
    app.command()(rejects)


def add(name: str, data: Data = HERE, json: Json = False) -> None:
    """A new source with its two keys: the write key for clients, the secret key for servers."""
    _made(Workspace(data, make=True).add_source(name), json)


def list_sources(data: Data = HERE, json: Json = False) -> None:
    """All sources with what was accepted, repeated and refused."""
    from hark.connected import source_views

    workspace = Workspace(data)
    found = source_views(data, workspace.clock.now())
    if json:
        show.as_json({"sources": found})
        return
    rows = [(one.name, *_counts(one), _state(one), one.write_key) for one in found]
    show.table(["source ", "accepted", "repeated", "refused", "state ", "write key "], rows)
    if not found:
        show.console.print("No source yet: hark source add web", style="dim")


def show_source(name: str, data: Data = HERE, json: Json = False) -> None:
    """One source: its settings, keys and counts."""
    from hark.connected import source_view

    found = source_view(data, name, Workspace(data).clock.now())
    if json:
        show.as_json(found)
        return
    show.table([f"source {name} ", " "], _settings(found))
    show.console.print()
    keys = [(one.id, "secret" if one.secret else "write", one.key, _until(one)) for one in found.keys]
    show.table(["key ", "sort ", " ", " "], keys)
    if found.refused:
        show.console.print()
        show.table(["refused because ", "calls"], [(why, f"{n:,}") for why, n in found.refused.items()])


def set_source(
    name: str,
    strict: Annotated[
        bool | None, typer.Option("--strict/--lenient", help="Refuse a batch whole for one bad call.")
    ] = None,
    protect: Annotated[
        list[str] | None, typer.Option(help='An event only a secret key may send; "" for none.')
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help='A web origin whose pages may send; "" for all.')
    ] = None,
    body_kb: Annotated[int | None, typer.Option(help="Largest body, in KB (32 to 4096).")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second for each key; 0: no limit; -1: as hark.toml says.")
    ] = None,
    dedupe: Annotated[str | None, typer.Option(help="How long a messageId is remembered: 1d to 28d.")] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Change settings; what is not named stays. Holds for the next request, also of a running server."""
    from hark.questions.kinds import span_us

    change = Set(
        name,
        strict=UNSET if strict is None else strict,
        protected=UNSET if protect is None else _named(protect),
        origins=UNSET if origin is None else _named(origin),
        body_bytes=UNSET if body_kb is None else body_kb * 1024,
        rate_per_s=UNSET if rate is None else None if rate < 0 else rate,
        dedupe_us=UNSET if dedupe is None else span_us(dedupe),
    )
    _change(change, data)
    show_source(name, data, json)


def disable(name: str, data: Data = HERE) -> None:
    """Take nothing from a source any more: all its keys get 401."""
    _change(Set(name, disabled=True), data)


def enable(name: str, data: Data = HERE) -> None:
    """Take events from a source again."""
    _change(Set(name, disabled=False), data)


def add_key(
    name: str,
    secret: Annotated[bool, typer.Option("--secret", help="A secret key; else a write key.")] = False,
    others_expire: When = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """One more key, and from when on the others of its sort are closed: clients change without a gap."""
    workspace = Workspace(data)
    ends = None if others_expire is None else _instant(others_expire, workspace)
    _made(workspace.change_source(AddKey(name, secret, ends)), json)


def expire_key(
    name: str, key: str, at: Annotated[str, typer.Option(help="A time with a zone, or from now: 6h, 7d.")],
    data: Data = HERE,
) -> None:  # fmt: skip
    """Close a key from a time on. Name it by its id, or a write key by itself."""
    _change(ExpireKey(name, key, _instant(at, Workspace(data))), data)


def revoke_key(name: str, key: str, data: Data = HERE) -> None:
    """Close a key now: 401 from its next request on."""
    _change(ExpireKey(name, key), data)


def rejects(
    source: Annotated[str | None, typer.Option(help='Only of this source; "" for unknown keys.')] = None,
    reason: Annotated[str, typer.Option(help="Only for this reason, such as no_id.")] = "",
    text: Annotated[str, typer.Option(help="Stands in the message or in the call.")] = "",
    since: When = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """The reject log, newest first: what was refused, why, and how it began."""
    from hark.store.rejects import RejectSearch, find_rejects

    workspace = Workspace(data)
    after = _ago(since, workspace) if since else 0
    found = find_rejects(data / "log", RejectSearch(source, reason, text, after), limit)
    if json:
        show.as_json({"rejects": [_plain(one) for one in found]})
        return
    rows = [(show.when(one.received_at), one.source, one.reason, one.message, _text(one)) for one in found]
    show.table(["at (UTC) ", "source ", "reason ", "message ", "begins with "], rows)
    if not found:
        show.console.print("Nothing was refused that fits.", style="dim")


def _change(change: Change, data: Data) -> None:
    Workspace(data).change_source(change)


def _made(made: Made, json: bool) -> None:
    if json:
        show.as_json(msgspec.structs.asdict(made))
        return
    keys = [("write key", made.write_key), ("secret key, shown only now", made.secret_key)]
    show.table([f"source {made.source} ", " "], [row for row in keys if row[1]])


def _counts(one: SourceView) -> tuple[str, str, str]:
    return f"{one.accepted:,}", f"{one.duplicate:,}", f"{one.refused_total:,}"


def _state(one: SourceView) -> str:
    return "disabled" if one.disabled else "strict" if one.strict else ""


def _settings(one: SourceView) -> list[tuple[str, str]]:
    accepted, repeated, refused = _counts(one)
    rate = "as hark.toml says" if one.rate_per_s is None else f"{one.rate_per_s:g} requests/s"
    return [
        ("accepted", accepted),
        ("of these repeated", repeated),
        ("refused", refused),
        ("state", _state(one) or "takes events"),
        ("largest body", f"{one.body_bytes // 1024} KB"),
        ("rate of a key", "no limit" if one.rate_per_s == 0 else rate),
        ("messageIds remembered", f"{one.dedupe_days:g} days"),
        ("only by secret key", ", ".join(one.protected) or "nothing"),
        ("web pages of", ", ".join(one.origins) or "any origin"),
    ]


def _until(key: KeyView) -> str:
    if key.expires_at is None:
        return ""
    return f"{'until' if key.good else 'closed since'} {show.when(key.expires_at)} UTC"


def _named(given: list[str]) -> tuple[str, ...]:
    return tuple(filter(None, given))


def _instant(text: str, workspace: Workspace) -> Instant:
    """A time, or a span from now."""
    return _read(text, workspace, 1)


def _ago(text: str, workspace: Workspace) -> Instant:
    """A time, or a span before now."""
    return _read(text, workspace, -1)


def _read(text: str, workspace: Workspace, sign: int) -> Instant:
    from hark.questions.kinds import span_us

    try:
        return instant(text)
    except ValueError:
        pass
    try:
        return workspace.clock.now() + sign * span_us(text)
    except HarkError:
        hint = "write 2026-03-01T09:00:00Z, or a span: 6h, 7d"
        raise HarkError(f"{text!r} is no time", hint, "time.zone") from None


def _text(one: Reject) -> str:
    return one.excerpt.decode("utf-8", "replace")[:120]


def _plain(one: Reject) -> dict[str, Any]:
    return msgspec.structs.asdict(one) | {"excerpt": one.excerpt.decode("utf-8", "replace")}
