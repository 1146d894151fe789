"""Commands that answer something: customer, why, report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
import typer

from hark import clock
from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.model import GROUPS
from hark.questions import ask

if TYPE_CHECKING:
    from hark.decide.why import Line
    from hark.decide.why_not import Standing
    from hark.definitions.document import Document
    from hark.model import Event, Record
    from hark.workspace import History

Row: TypeAlias = tuple[str, ...]
At = Annotated[str | None, typer.Option("--at", help="As of this time, with a zone: 2026-03-01T09:00:00Z.")]


def register(app: typer.Typer) -> None:
    for command in (customer, why, report):
        app.command()(command)


def _settled(data: Data) -> Workspace:
    workspace = Workspace(data)
    workspace.settle()
    return workspace


def customer(id: str, data: Data = HERE, json: Json = False) -> None:
    """One customer's ids, traits, segments and latest events."""
    workspace = _settled(data)
    subject = workspace.subject(id)
    record = workspace.state().record(subject)
    ids = workspace.state().ids(subject)
    traits = {key: trait.value for key, trait in record.traits.items()} if record else {}
    members = sorted(name for name in record.members if "." not in name) if record else []
    events = workspace.snapshot().timeline(subject, 50, None)
    group = subject >= GROUPS
    attention = None if group else _attention(workspace, record)
    levels = {} if group else _levels(workspace, record)
    if json:
        shown = [
            {"at": show.when(one.at), "event": one.name, "properties": _decoded(one.properties)}
            for one in events
        ]
        groups = [name for _, name in workspace.state().groups_of(subject)]
        about = {"subject": subject, "ids": ids, "groups": groups, "traits": traits, "segments": members}
        show.as_json(about | {"levels": levels, "attention": attention, "events": shown})
        return
    spare = [] if attention is None else [("attention left", f"{attention:g}")]
    stands = [(name, level or "below all levels") for name, level in levels.items()]
    inside = [("in segment", name) for name in members]
    show.table(["group " if group else "customer ", " "], [*ids, *traits.items(), *inside, *stands, *spare])
    show.console.print()
    rows = [(show.when(one.at), one.name, _says(one)) for one in events]
    show.table(["at (UTC) ", "event ", " "], rows)


def _levels(workspace: Workspace, record: Record | None) -> dict[str, str | None]:
    """By engagement definition, and by the stages of a document, where they stand; None below all."""
    from hark.decide.levels import level_of
    from hark.definitions.levels import Ladder
    from hark.definitions.parse import definition

    documents = [one for one in workspace.state().documents() if one.kind in ("engagement", "stage")]
    typed = [definition(one, workspace.settings.zone) for one in documents]
    known = [one for one in typed if isinstance(one, Ladder)]
    return {one.name: (level_of(record, one) if record else None) or one.floor or None for one in known}


def _attention(workspace: Workspace, record: Record | None) -> float | None:
    """The points that are left; None where no policy keeps a balance."""
    from hark.decide.attention import left
    from hark.decide.plan import Plan

    plan = Plan.compile(workspace.state().documents(), zone=workspace.settings.zone)
    budget = plan.weights.budget
    return None if budget is None else round(left(record, budget, workspace.clock.now()), 2)


def _says(event: Event) -> str:
    """What Hark decided, in words; else the event's properties."""
    from hark.decide.why import line_of

    line = line_of(event)
    return line.sentence if line else show.flat(_decoded(event.properties))


def why(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER")],
    campaign: Annotated[str | None, typer.Argument()] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Why messages were sent to a customer, and why not: every decision with its reason."""
    from hark.workspace import History

    history = History(data)
    lines = history.why(customer, campaign)
    standing, others = _standing(history, customer, campaign)
    if json:
        show.as_json({"lines": lines, **({"now": standing} if campaign else {})})
        return
    _decisions(lines, customer, campaign)
    if others:
        show.console.print(f"\n{others}.", style="dim")
    elif campaign:
        show.console.print(f"\nTo enter {campaign} now:", style="bold")
        marks = {True: "yes", False: "no", None: "waits"}
        show.table(
            [" ", "asked ", "the customer or group "],
            [(marks[one.holds], one.asks, one.sentence) for one in standing],
        )
        if all(one.holds is not False for one in standing):
            show.console.print("Nothing else stands in the way.", style="dim")


def _standing(history: History, customer: str, campaign: str | None) -> tuple[Sequence[Standing], str]:
    """(what the campaign asks of them now, else why it asks them nothing)."""
    try:
        return (history.why_not(customer, campaign) if campaign else ()), ""
    except HarkError as error:
        if error.id != "campaign.subject":
            raise
        return (), error.message


def _decisions(lines: Sequence[Line], customer: str, campaign: str | None) -> None:
    if not lines:
        about = f" of {campaign}" if campaign else ""
        show.console.print(f"No decision{about} about {customer} yet.", style="dim")
        return
    show.table(
        ["at (UTC) ", "campaign ", "because "],
        [(show.when(one.at), one.campaign, one.sentence) for one in lines],
    )


def report(
    campaign: Annotated[str | None, typer.Argument(metavar="[CAMPAIGN]")] = None,
    by_segment: Annotated[
        bool, typer.Option("--by-segment", help="Also among those who were in each segment on entering.")
    ] = False,
    by_level: Annotated[
        str, typer.Option("--by-level", help="Also at each level of this engagement definition; or purchase.")
    ] = "",
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Did it change what people do, and how sure is that? Without a name: all campaigns beside each other."""
    workspace = _settled(data)
    if campaign is not None:
        versions_of(workspace, campaign)
    elif by_segment or by_level:
        option = "--by-segment" if by_segment else f"--by-level {by_level}"
        raise HarkError(f"{option} is of one campaign", f"hark report NAME {option}", "report.which")
    one = {"report": {"campaign": campaign, "by_segment": by_segment, "by_level": by_level}}
    found: Any = ask(data, one if campaign else {"reports": {}})
    if json:
        show.as_json(found)
    elif campaign is None:
        _all_reports(found)
    else:
        _one_report(campaign, found)


def _all_reports(found: Any) -> None:
    rows = [
        (name, one["verdict"]["word"], "found" if one["believed"] else "", one["sentences"][0])
        for name, one in sorted(found.items())
    ]
    show.table(["campaign ", "verdict ", " ", " "], rows)
    show.console.print("Of all that are marked found, at most 5 % are expected to be false.", style="dim")
    between = [
        (
            name,
            one["other"],
            show.percent(one["shared"]),
            *map(_points, (one["treated"], one["alone"], one["difference"])),
        )
        for name, campaign in sorted(found.items())
        for one in campaign["interactions"]
    ]
    if between:
        columns = [
            "lift of ",
            "shares people with ",
            "shared",
            "where that treats ",
            "where it does not ",
            "difference ",
        ]
        show.table(columns, between)


def _points(lift: Any) -> str:
    if lift is None:
        return "not known yet"
    return f"{100 * lift['estimate']:+.1f} ({100 * lift['low']:+.1f} to {100 * lift['high']:+.1f})"


def _one_report(campaign: str, found: Any) -> None:
    rows = [
        (
            one["arm"],
            f"{one['entered']:,}",
            f"{one['complete']:,}",
            f"{one['goals']:,}",
            show.percent(one["rate"]),
        )
        for one in found["arms"]
    ]
    show.table(["arm ", "entered", "complete", "goals", "rate"], rows, title=campaign)
    _beside(found)
    for sentence in found["sentences"]:
        show.console.print(sentence)
    if found["situations"]:
        by_situation("in the segment on entering ", found["situations"], found["situations"]["situations"])
    if found["levels"]:
        by_situation("at the level on entering ", found["levels"], found["levels"]["levels"])


def by_situation(whose: str, found: Any, lines: Any) -> None:
    rows = [
        (
            one["segment"],
            "planned" if one["planned"] else "exploratory",
            *(f"{one[arm]['subjects']:,}" for arm in ("treated", "control")),
            _points(one["lift"]),
            _points(one["shrunk"]),
        )
        for one in lines
    ]
    columns = [whose, " ", "treated", "left alone", "lift of these alone ", "drawn towards all "]
    show.console.print()
    show.table(columns, rows, title="The lift in percentage points")
    for sentence in found["sentences"]:
        show.console.print(sentence)


def _beside(found: Any) -> None:
    """Goals beside the goal, and guardrails."""
    rows = [(one["says"], one) for one in found["also"]] + [
        (f"guardrail: {one['event']}", one) for one in found["guardrails"]
    ]
    if any(one["treated"]["subjects"] for _, one in rows):
        shown = [(says, *(_rate(one[arm]) for arm in ("treated", "control"))) for says, one in rows]
        show.table(["beside the goal ", "treated", "left alone"], shown)


def _rate(sums: Any) -> str:
    return show.percent(sums["goals"] / sums["subjects"]) if sums["subjects"] else ""


def versions_of(workspace: Workspace, campaign: str) -> list[Document]:
    """The versions of a campaign, oldest first. Raises HarkError `campaign.unknown`."""
    versions = workspace.state().versions("campaign", campaign)
    if not versions:
        names = [one.name for one in workspace.state().documents() if one.kind == "campaign"]
        hint = f"there are: {', '.join(names)}" if names else "there is none yet: hark apply FILE"
        raise HarkError(f"no campaign {campaign}", hint, "campaign.unknown")
    return versions


def instant_of(text: str | None) -> int | None:
    """What a person wrote as a time. Raises HarkError `time.zone`."""
    try:
        return None if text is None else clock.instant(text)
    except ValueError:
        hint = "a date and time with a zone: --at 2026-03-01T09:00:00Z"
        raise HarkError(f"{text!r} is no instant", hint, "time.zone") from None


def _decoded(properties: bytes) -> Any:
    return msgspec.json.decode(properties)
