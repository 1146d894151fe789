"""Home: what is happening, what the campaigns change, and what to do first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.collect.readiness import Red
from hark.collect.sources import Source as Kept
from hark.collect.sources import read_sources
from hark.console import charts
from hark.console.campaigns import CampaignLine, lines
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import JSON, SECOND, Instant

DAYS = 30


class Day(Struct, frozen=True):
    day: str
    events: int


class Lag(Struct, frozen=True):
    """How far the engine is behind the clock."""

    seconds: float
    engine_time: Instant


class FirstSteps(Struct, frozen=True):
    """What a new workspace has and lacks."""

    url: str
    source: str
    write_key: str
    events: bool
    segment: bool
    campaign: bool


class HomePage(Struct, frozen=True):
    """What Home shows."""

    customers: int
    events_today: int | None
    """None: it could not be counted; `note` says why."""
    messages: dict[str, int]
    """By state of the outbox."""
    problems: int
    """Rows of the log that could not be folded."""
    lag: Lag
    days: tuple[Day, ...]
    campaigns: tuple[CampaignLine, ...]
    first_steps: FirstSteps | None
    """None once there is a campaign and an event."""
    note: str = ""
    reds: tuple[Red, ...] = ()
    """What is wrong with the server; as in /health/ready."""

    @property
    def uncontrolled(self) -> list[CampaignLine]:
        return [one for one in self.campaigns if one.control == 0 and not one.transactional]

    @property
    def sent(self) -> int:
        return self.messages.get("sent", 0)

    @property
    def chart(self) -> JSON:
        """The days as a plotly figure."""
        return charts.bars([one.day for one in self.days], [one.events for one in self.days])

    @property
    def waiting(self) -> int:
        return sum(self.messages.get(state, 0) for state in ("wanted", "sending"))


def view(request: HttpRequest) -> HttpResponse:
    """GET /"""
    return respond(request, "home.html", home(source()))


def home(here: Source) -> HomePage:
    """The context of Home."""
    days, note = _activity(here)
    campaigns = tuple(lines(here))
    customers = here.state.customers()
    return HomePage(
        customers=customers,
        events_today=days[-1].events if days else None,
        messages=here.state.outbox_counts(),
        problems=len(here.state.problems()),
        lag=lag(here),
        days=days,
        campaigns=campaigns,
        first_steps=first_steps(here, customers > 0, campaigns),
        note=note,
        reds=here.reds(),
    )


def _activity(here: Source) -> tuple[tuple[Day, ...], str]:
    try:
        found = here.ask({"activity": {"days": DAYS}})
    except HarkError as error:
        return (), str(error)
    return tuple(Day(one["day"], one["events"]) for one in found["days"]), ""


def first_steps(here: Source, events: bool, campaigns: Sequence[CampaignLine]) -> FirstSteps | None:
    """What is still to do, or None when all of it is done."""
    if events and campaigns:
        return None
    found = next(_sources(here), None)
    kinds = {document.kind for document in here.state.documents()}
    return FirstSteps(
        url=here.url,
        source=found.name if found else "",
        write_key=found.write_key(here.now()) if found else "",
        events=events,
        segment="segment" in kinds,
        campaign=bool(campaigns),
    )


def _sources(here: Source) -> Iterator[Kept]:
    try:
        yield from read_sources(here.data)
    except HarkError:
        return


def lag(here: Source) -> Lag:
    """How far behind the clock the engine stands."""
    at = here.state.engine_time()
    return Lag(max(0.0, (here.now() - at) / SECOND), at)
