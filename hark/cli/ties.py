"""`hark ties`: what customers say beside what they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask

LISTED = 10
LONGEST = 60


def register(app: typer.Typer) -> None:
    app.command()(ties)


def ties(
    months: Annotated[int, typer.Option(help="How many times four weeks to look back.")] = 6,
    at: At = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """The emotional tie: habit, attachment, both or neither. Who is not content, and how that moved."""
    Workspace(data).settle()
    answer: Any = ask(data, {"ties": {"months": months, "at": instant_of(at)}})
    if json:
        show.as_json(answer)
        return
    rows = list(_groups(answer))
    change = f"in {4 * months} weeks"
    show.table(
        ["group ", "customers", change, "share", "came back", "means"],
        rows,
        f"{answer['customers']:,} customers",
    )
    said = [
        (one["month"], f"{one['answers']:,}", f"{one['goodwill']:.0%}", _points(one["nps"]), _sentiment(one))
        for one in answer["said"]
    ]
    if said:
        show.table(["month ", "answers", "goodwill", "NPS", "words"], said, "What they said")
    for one in answer["low"][:LISTED]:
        show.console.print(f"{one['customer']}: {one['said']} {one['text'][:LONGEST]}".strip())


def _groups(answer: Any) -> Iterator[list[str]]:
    before = answer["over_time"][0]["customers"]
    for one in answer["groups"]:
        change = one["customers"] - before.get(one["group"], 0)
        yield [one["group"], f"{one['customers']:,}", f"{change:+,}", show.percent(one["share"]),
               _back(one["came_back"]), one["says"]]  # fmt: skip


def _back(found: Any) -> str:
    if not found:
        return ""
    return f"{found['came_back'] / found['customers']:.0%} ({found['low']:.0%} to {found['high']:.0%})"


def _points(nps: float | None) -> str:
    return "" if nps is None else f"{nps:+.0f}"


def _sentiment(one: Any) -> str:
    return "" if one["sentiment"] is None else f"{one['sentiment']:+.2f} of {one['words']:,}"
