"""`hark engagement`: who stands where, how that changed, and which definition tells more."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask

BAR = 30


def register(app: typer.Typer) -> None:
    app.command()(engagement)


def engagement(
    name: Annotated[str, typer.Argument(help="An engagement definition.")],
    at: At = None,
    weeks: Annotated[int, typer.Option(help="How many weeks to look back on.")] = 8,
    compare: Annotated[
        int | None, typer.Option(help="A version: which tells better who comes back, it or that in force?")
    ] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """How engaged customers are, by the levels of a definition; who rose, and who fell."""
    Workspace(data).settle()
    asked = {"name": name, "at": instant_of(at), "weeks": weeks, "compare": compare}
    answer: Any = ask(data, {"engagement": asked})
    if json:
        show.as_json(answer)
        return
    _levels(answer)
    _moves(answer, weeks)
    if answer["compare"]:
        _compared(answer["compare"], answer["version"])


def _levels(answer: Any) -> None:
    before = answer["over_time"][0]["customers"]
    rows = [
        (
            one["level"] or "below all levels",
            f"{one['customers']:,}",
            f"{one['customers'] - was:+,}",
            "█" * round(one["share"] * BAR),
            show.percent(one["share"]),
        )
        for one, was in zip(answer["levels"], before, strict=True)
    ]
    title = f"{answer['definition']}, version {answer['version']}: {answer['customers']:,} customers"
    show.table(
        ["level ", "customers", f"in {len(answer['over_time']) - 1} weeks", " ", "share"], rows[::-1], title
    )
    show.console.print()


def _moves(answer: Any, weeks: int) -> None:
    """Who rose and who fell; those who stayed, and those who were not here yet, are left out."""
    order = ["below", *(one["level"] for one in answer["levels"] if one["level"])]
    rows = [
        ("rose" if order.index(one["to"]) > order.index(one["from"]) else "fell",
         one["from"], one["to"], f"{one['customers']:,}")
        for one in answer["moves"]
        if one["from"] != "new" and one["from"] != one["to"]
    ]  # fmt: skip
    if rows:
        show.table([" ", "from", "to", "customers"], rows, f"Who moved in {weeks} weeks")
        show.console.print()


def _compared(found: Any, version: int) -> None:
    if "why" in found:
        show.console.print(found["why"].capitalize() + ".", style="dim")
        return
    rows = [
        (f"version {version}", *_area(found["one"])),
        (f"version {found['version']}", *_area(found["other"])),
        ("difference", *_area(found["difference"])),
    ]
    title = (
        "How often somebody who came back within 28 days stood higher than somebody who did not"
        f" ({found['customers']:,} customers, {found['came_back']:,} came back;"
        f" {found['moved']:,} stand elsewhere)"
    )
    show.table([" ", "estimate", "95 % interval"], rows, title)
    low, high = found["difference"]["low"], found["difference"]["high"]
    better = f"Version {version if low > 0 else found['version']} tells it better."
    show.console.print(better if low > 0 or high < 0 else "No difference that can be told from chance.")


def _area(area: Any) -> tuple[str, str]:
    return f"{area['estimate']:.3f}", f"{area['low']:.3f} to {area['high']:.3f}"
