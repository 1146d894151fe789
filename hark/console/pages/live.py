"""Live: events as the engine folds them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.collect.sources import read_sources
from hark.console.pages.home import Lag, lag
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import Pair, pairs
from hark.decide.why import line_of
from hark.history import columns
from hark.model import GROUPS, Event, Instant, Kind
from hark.questions.kinds import known_as

ROWS = 50
CHUNKS, LOOKED = 1_000, 20_000
"""Ticks, and events, looked through for rows; on a quiet day a filter shows what these hold."""


class LiveRow(Struct, frozen=True):
    at: Instant
    name: str
    subject: int
    who: str
    source: str
    fact: bool
    says: str
    """A fact as a sentence that follows the customer; "" for what customers did."""
    properties: tuple[Pair, ...]
    id: str


class LivePage(Struct, frozen=True):
    """The latest events, newest first."""

    name: str
    """Only events whose name holds this text; "" for all."""
    source: str
    """Only events of this source; "" for all."""
    sources: tuple[str, ...]
    rows: tuple[LiveRow, ...]
    lag: Lag


def view(request: HttpRequest) -> HttpResponse:
    """GET /live: the page, or for htmx its rows alone."""
    page = live(source(), request.GET.get("name", "").strip(), request.GET.get("source", "").strip())
    return respond(request, "live_rows.html" if request.headers.get("HX-Request") else "live.html", page)


def live(here: Source, name: str, only: str) -> LivePage:
    """The context of Live; `only` is a source's name, or "" for all."""
    looked = islice(newest(here), LOOKED)
    fitting = (one for one in looked if name.lower() in one.name.lower() and only in ("", one.source))
    rows = tuple(_row(here, event) for event in islice(fitting, ROWS))
    sources = tuple(
        sorted({one.name for one in read_sources(here.data)} | {"hark", "import"} | {only} - {""})
    )
    return LivePage(name, only, sources, rows, lag(here))


def newest(here: Source) -> Iterator[Event]:
    """Events of customers in the latest ticks, newest first."""
    for chunk in here.state.newest(CHUNKS):
        yield from (one for one in reversed(columns.decode(chunk)) if one.subject < GROUPS)


def _row(here: Source, event: Event) -> LiveRow:
    subject = here.state.canonical(event.subject)
    return LiveRow(
        at=event.at,
        name=event.name,
        subject=subject,
        who=who(here, subject),
        source=event.source,
        fact=event.kind == Kind.FACT,
        says=line.sentence if (line := line_of(event)) else "",
        properties=pairs(msgspec.json.decode(event.properties), 4),
        id=event.message_id,
    )


def who(here: Source, subject: int) -> str:
    """The id a person would know the customer by."""
    return known_as(here.state, subject)
