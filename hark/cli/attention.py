"""`hark attention`: what messages and texts ask of people's time, and what came later."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask

LONGEST = 40


def register(app: typer.Typer) -> None:
    app.command()(attention)


def attention(
    at: At = None,
    top: Annotated[int, typer.Option(help="How many messages and texts are listed.")] = 20,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Time well spent: what each message and each text asks of people's time; and what came later."""
    Workspace(data).settle()
    answer: Any = ask(data, {"attention": {"at": instant_of(at)}})
    if json:
        show.as_json(answer)
        return
    later = ["came back", "tried new", "muted", "complained"]
    rows = [_message(one) for one in answer["messages"][:top]]
    show.table(["message ", "sent", "read", "minutes", "ignored", *later], rows, "Messages")
    rows = [_content(one) for one in answer["content"][:top]]
    show.table(["text ", "reads", "minutes", "useful", "not", *later], rows, "Texts")
    for one in answer["campaigns"]:
        show.console.print(_worth(one))


def _message(one: Any) -> list[str]:
    name = f"{one['campaign']} · {one['template']}" if one["campaign"] else one["template"]
    ignored = share(one["ignored"], one["later"]["moments"])
    return [name[:LONGEST], f"{one['sent']:,}", f"{one['read']:,}", f"{one['minutes']:,.0f}", ignored,
            *_later(one["later"])]  # fmt: skip


def _content(one: Any) -> list[str]:
    said = (f"{one['useful']:,}", f"{one['useless']:,}")
    return [
        one["title"][:LONGEST],
        f"{one['reads']:,}",
        f"{one['minutes']:,.0f}",
        *said,
        *_later(one["later"]),
    ]


def _later(found: Any) -> list[str]:
    return [share(found[what], found["moments"]) for what in ("returned", "tried", "muted", "complained")]


def share(some: int, of: int) -> str:
    return show.percent(some / of) if of else ""


def _worth(one: Any) -> str:
    asked = f"{one['campaign']} asked for {one['minutes']:,.0f} minutes"
    if not one["caused"]:
        return f"{asked}; what it caused is {one['why']}."
    goals, each = one["caused"]["goals"], one["caused"]["per_minute"]
    return (
        f"{asked} and caused {goals['estimate']:,.0f} goals ({goals['low']:,.0f} to {goals['high']:,.0f}):"
        f" {each['estimate']:.3g} of worth a minute ({each['low']:.3g} to {each['high']:.3g})."
    )
