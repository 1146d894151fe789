"""`hark events`: what was seen, of what type and how often, and what breaks the tracking plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.questions import ask

if TYPE_CHECKING:
    from hark.questions.events import EventLine, EventPage, EventsAnswer, PropertyLine


def register(app: typer.Typer) -> None:
    app.command()(events)


def events(
    name: Annotated[str | None, typer.Argument(help="One event, with its properties.")] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """The catalogue of events and properties seen, and violations of the tracking plan."""
    from hark.questions.events import EventPage, EventsAnswer

    workspace = Workspace(data)
    workspace.settle()
    answer = ask(data, {"events": {"name": name}})
    if json:
        show.as_json(answer)
    elif name is None:
        _all(msgspec.convert(answer, EventsAnswer))
    else:
        _one(msgspec.convert(answer, EventPage))


def _all(answer: EventsAnswer) -> None:
    rows = [
        (_marked(one), one.kind, f"{one.count:,}", one.properties, _broken(one), one.grade, _when(one))
        for one in answer.events
    ]
    show.table(
        ["event ", "call ", "seen", "properties", "break the plan", "tells of staying", "last at (UTC) "],
        rows,
    )
    if not answer.events:
        show.console.print("No event yet: send one, or import a file.", style="dim")
    if answer.beyond:
        show.console.print(f"{answer.beyond:,} events of further names are not listed: too many names.")
    if answer.reading:
        show.console.print("The history is being read; ask again soon for all of it.", style="dim")


def _graded(event: EventLine) -> str:
    if event.graded is None:
        return "not known: too few did it, or did not, 56 days ago or more"
    return f"{event.grade} since {event.graded.since}: {event.graded.figures}"


def _marked(one: EventLine) -> str:
    return one.name + (" (new)" if one.new else "")


def _broken(one: EventLine) -> str:
    if not one.planned:
        return ""
    return f"{one.broken:,}" if one.count else "never seen"


def _when(one: EventLine) -> str:
    return show.when(one.last) if one.count else ""


def _one(page: EventPage) -> None:
    event = page.event
    rows = [("seen", f"{event.count:,}"), ("call", event.kind), ("from", show.flat(event.sources))]
    if event.count:
        rows += [("first", f"{show.when(event.first)} UTC"), ("last", f"{show.when(event.last)} UTC")]
    rows.append(("tells of staying", _graded(event)))
    if event.planned:
        rows.append(("break the plan", f"{event.broken:,} of {event.checked:,}"))
    show.table([f"{_marked(event)} ", " "], rows)
    show.console.print()
    show.table(["property ", "in", "type ", "example ", "plan "], [_property(one) for one in page.properties])
    if page.violations:
        show.console.print()
        show.table(
            ["breaks the plan ", "rule ", "times", "example "],
            [(one.property, one.rule, f"{one.count:,}", one.example) for one in page.violations],
        )
    if event.count > page.looked:
        show.console.print(f"Properties as in {page.looked:,} of {event.count:,} events.", style="dim")


def _property(one: PropertyLine) -> tuple[str, ...]:
    plan = one.planned.words if one.planned else ""
    return one.name, show.percent(one.share), ", ".join(one.types), one.example, plan
