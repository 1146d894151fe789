"""`hark champions`: who speaks well of us, and whom they brought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(champions)


def champions(
    top: Annotated[int, typer.Option(help="How many.")] = 20,
    at: At = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Who speaks well of us: ranked by deep use, return, the friends they brought and what they say."""
    Workspace(data).settle()
    answer: Any = ask(data, {"champions": {"top": top, "at": instant_of(at)}})
    if json:
        show.as_json(answer)
        return
    title = f"{answer['here']:,} were here in 13 weeks; {answer['answered']:,} said what they feel"
    show.table(["customer ", "score", "why"], list(_rows(answer["champions"])), title)
    _friends(answer["friends"])
    for tree in answer["trees"]:
        show.console.print(_tree(tree))


def _rows(found: Any) -> Iterator[tuple[str, str, str]]:
    for one in found:
        why = "; ".join(one["says"])
        yield (
            one["customer"],
            f"{one['score']:.0f}",
            f"{why}. {one['hold'].capitalize()}" if one["hold"] else why,
        )


def _friends(told: Any) -> None:
    show.console.print(f"\n{told['joined']:,} friends came, {told['stayed']:,} of them stayed.", style="bold")
    if told["difference"]:
        low, high = (100 * told["difference"][end] for end in ("low", "high"))
        rates = [told[arm]["goals"] / told[arm]["subjects"] for arm in ("brought", "alone")]
        show.console.print(
            f"There in the fourth week: {rates[0]:.0%} of the brought, {rates[1]:.0%} of the others"
            f" (difference {low:+.1f} to {high:+.1f} points; friends may differ to begin with)."
        )


def _tree(node: Any, depth: int = 0) -> str:
    mark = {True: " (stayed)", False: "", None: ""}[node["stayed"]]
    lines = [f"{'  ' * depth}{node['customer']}{mark}", *(_tree(one, depth + 1) for one in node["friends"])]
    return "\n".join(lines)
