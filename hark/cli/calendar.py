"""`hark calendar`: what the next days will ask of people's attention. `hark journey`: where runs are now."""

from __future__ import annotations

from typing import Annotated

import typer

from hark.cli import show
from hark.cli.show import HERE, Data, Json
from hark.learn.calendar import DAYS, CalendarDay
from hark.workspace import History


def register(app: typer.Typer) -> None:
    app.command()(calendar)
    app.command()(journey)


def calendar(
    days: Annotated[int, typer.Option(help="So many, today the first of them.")] = DAYS,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """What the next days will ask of people's attention, and what collides."""
    found = History(data).calendar(days)
    if json:
        show.as_json(found)
        return
    rows = [(one.day, *map(_total, (one.known_total, one.expected_total)), _said(one)) for one in found.days]
    show.table(["day ", "known", "expected", "campaigns "], rows)
    if found.every > 1:
        show.console.print(f"Of one customer in {found.every:,}; the known numbers are that many times it.")
    for pair in found.pairs:
        who = f"{pair.customers:,} customer{'s' * (pair.customers != 1)} get"
        show.console.print(f"{who} {pair.one} and {pair.other} within a day ({', '.join(pair.days)}).")
    for one in found.busiest[:3]:
        show.console.print(f"{one.customer}: {', '.join(due.campaign or 'a call' for due in one.due)}")


def _total(count: float) -> str:
    return f"{count:,.0f}" if count == int(count) else f"{count:,.1f}"


def _said(one: CalendarDay) -> str:
    known = [f"{name or 'by calls'} {count:,}" for name, count in one.known.items()]
    return ", ".join([*known, *(f"{name} about {count:.1f}" for name, count in one.expected.items())])


def journey(
    campaign: str,
    version: Annotated[int | None, typer.Option(help="An older one; else that in force.")] = None,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Where a campaign's runs are now."""
    found = History(data).journey(campaign, version)
    if json:
        show.as_json(found)
        return
    rows = [
        (one.variant, one.step, *map(str, (one.waiting, one.alone, one.queued, one.sent, one.withheld)))
        for one in found.places
    ]
    show.table(["variant ", "step ", "here now", "left alone here", "queued", "sent", "withheld"], rows)
    under_way = f"{found.running:,} under way, {found.alone:,} left alone and under way"
    show.console.print(f"{under_way}, {found.watched:,} whose goal is awaited.")
