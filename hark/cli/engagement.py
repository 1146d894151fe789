"""`hark engagement`, `hark stages`: who stands where, how that changed, and which definition tells more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.definitions.engagement import PURCHASE
from hark.errors import HarkError
from hark.questions import ask
from hark.speak.keyfile import open_keys

BAR = 30


def register(app: typer.Typer) -> None:
    for command in (engagement, stages, verify):
        app.command()(command)


def engagement(
    name: Annotated[str, typer.Argument(help="An engagement definition.")],
    at: At = None,
    weeks: Annotated[int, typer.Option(help="How many weeks to look back on.")] = 8,
    compare: Annotated[
        int | None, typer.Option(help="A version: which tells better who comes back, it or that in force?")
    ] = None,
    statement: Annotated[
        bool, typer.Option("--statement", help="One signed page, for contracts: `hark verify` proves it.")
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """How engaged customers are, by the levels of a definition; who rose, and who fell."""
    workspace = Workspace(data)
    workspace.settle()
    asked = {"name": name, "at": instant_of(at), "weeks": weeks, "compare": compare}
    answer = ask(data, {"engagement": asked})
    if statement:
        _stated(workspace, answer, json)
    else:
        _shown(answer, json)


def _stated(workspace: Workspace, answer: Any, json: bool) -> None:
    from hark.learn.statement import public_key, signed, statement

    secret = open_keys(workspace.data)[-1].secret
    text = signed(statement(answer, workspace.clock.now()), secret)
    if json:
        show.as_json({"statement": text, "key": public_key(secret)})
    else:
        sys.stdout.write(text)


def verify(
    file: Annotated[Path, typer.Argument(help="A statement; - is standard input.")],
    key: Annotated[str, typer.Option(help="The public key that it must be signed by.")] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Whether a statement is as it was signed, and by this workspace (or by --key, without any workspace)."""
    from hark.learn.statement import public_key, verified

    text = sys.stdin.read() if str(file) == "-" else _read(file)
    found = verified(text)
    known = [key] if key else [public_key(one.secret) for one in open_keys(data)] if data.exists() else []
    if known and found.key not in known:
        hint = f"it was signed by {found.key}"
        raise HarkError("the statement is signed by somebody else", hint, "statement.other_key")
    if json:
        show.as_json({"unchanged": True, "key": found.key, "ours": bool(known)})
        return
    whose = ("by the key given" if key else "by this workspace") if known else f"by {found.key}"
    show.console.print(f"As it was signed, {whose}.")
    if not known:
        show.console.print("Compare the key with the one that the other side gave you.", style="dim")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HarkError(
            f"{file} cannot be read: {error}", "give a statement's file", "statement.file"
        ) from None


def stages(
    at: At = None,
    weeks: Annotated[int, typer.Option(help="How many weeks to look back on.")] = 8,
    compare: Annotated[
        int | None, typer.Option(help="A version: which tells better who comes back; 0 is the built-in one.")
    ] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """How far people are in their decision to buy, how many go on, and how long they take."""
    Workspace(data).settle()
    asked = {"name": PURCHASE, "kind": "stage", "at": instant_of(at), "weeks": weeks, "compare": compare}
    _shown(ask(data, {"engagement": asked}), json)


def _shown(answer: Any, json: bool) -> None:
    if json:
        show.as_json(answer)
        return
    _levels(answer)
    _grades(answer)
    _moves(answer, len(answer["over_time"]) - 1)
    _stays(answer)
    if answer["compare"]:
        _compared(answer["compare"], answer["version"])


def _stays(answer: Any) -> None:
    """How often people go on, and how long it takes."""
    up = _rising(answer)
    rows = [
        (
            one["level"],
            show.percent(up.get(one["level"], 0.0)),
            f"{one['began']:,}",
            f"{one['rose']:,}",
            f"{one['fell']:,}",
            "" if one["weeks"] is None else f"{one['weeks']} weeks",
        )
        for one in answer["stays"]
        if one["began"] or up.get(one["level"])
    ]
    if rows:
        columns = ["level ", "rise in a week", "came to it", "rose since", "fell since", "half had risen by"]
        show.table(columns, rows, "How they go on")
        show.console.print()


def _rising(answer: Any) -> dict[str, float]:
    """By level, the share of those at it at the end of a week who stand higher at the end of the next."""
    order = [one["level"] for one in answer["stays"]]
    found: dict[str, float] = {}
    for one in answer["rates"]:
        if order.index(one["to"]) > order.index(one["from"]):
            found[one["from"]] = found.get(one["from"], 0.0) + one["rate"]
    return found


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


def _grades(answer: Any) -> None:
    """Of the events that lead to a level, what each tells of staying; and which levels that makes weak."""
    rows = [
        (level["level"], one["event"], one["grade"], one["since"] or "")
        for level in reversed(answer["levels"])
        for one in level["events"]
    ]
    if any(row[2] != "too few" for row in rows):
        show.table(["level ", "rests on ", "tells of staying", "since"], rows)
        show.console.print()
    for warning in answer["warnings"]:
        show.console.print(f"Warning: {warning}", style="yellow", markup=False)


def _moves(answer: Any, weeks: int) -> None:
    """Who rose and who fell; those who stayed, and those who were not here yet, are left out."""
    order = [one["level"] or "below" for one in answer["levels"]]
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
