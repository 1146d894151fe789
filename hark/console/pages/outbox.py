"""The outbox: messages and where they are; and each message's life, from the wish to what became of it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import text
from hark.decide.why import line_of
from hark.model import JSON, Event, Instant
from hark.store.contracts import OutboxRow
from hark.store.outbox_read import OutboxSearch

ROWS = 100
STATES = (
    *("wanted", "sending", "sent", "delivered", "bounced", "complained", "failed", "unknown"),
    "withheld",
)
CHANNELS = ("email", "sms", "in_app", "push", "web_push", "webhook", "chat", "task")


class OutboxLine(Struct, frozen=True):
    """One message."""

    message: str
    to: str
    subject: int
    who: str
    template: str
    campaign: str
    channel: str
    state: str
    at: Instant
    """When it came into its state; of one that waits, when it is due."""
    detail: str


class OutboxPage(Struct, frozen=True):
    """The newest messages that fit, and how many there are in each state."""

    state: str
    channel: str
    campaign: str
    text: str
    rows: tuple[OutboxLine, ...]
    older: int
    """`before` for the next page; 0: these are the oldest."""
    counts: tuple[tuple[str, int], ...]
    campaigns: tuple[str, ...]
    states: tuple[str, ...] = STATES
    channels: tuple[str, ...] = CHANNELS

    @property
    def asked(self) -> bool:
        return bool(self.state or self.channel or self.campaign or self.text)


class LifeLine(Struct, frozen=True):
    """One thing that happened to a message."""

    at: Instant
    name: str
    says: str


class MessagePage(Struct, frozen=True):
    """One message."""

    line: OutboxLine
    life: tuple[LifeLine, ...]
    """In its order."""
    data: tuple[tuple[str, str], ...]
    """What it was asked to say."""


def index(request: HttpRequest) -> HttpResponse:
    """GET /outbox?state=&channel=&campaign=&text=&before="""
    given = {key: request.GET.get(key, "").strip() for key in ("state", "channel", "campaign", "text")}
    before = request.GET.get("before", "")
    asked = OutboxSearch(**given, before=int(before) if before.isdecimal() else None)
    here = source()
    found = here.state.find_messages(asked, ROWS)
    counts = here.state.outbox_counts()
    page = OutboxPage(
        *(asked.state, asked.channel, asked.campaign, asked.text),
        rows=tuple(line(row) for _, row in found),
        older=found[-1][0] if len(found) == ROWS else 0,
        counts=tuple((state, counts[state]) for state in STATES if state in counts),
        campaigns=tuple(one.name for one in here.state.documents() if one.kind == "campaign"),
    )
    return respond(request, "outbox.html", page)


def view(request: HttpRequest, message: str) -> HttpResponse:
    """GET /outbox/ID"""
    here = source()
    row = here.state.message(message)
    if row is None:
        raise Http404
    data = row.content.get("data") or {}
    shown = tuple((name, text(value)) for name, value in data.items()) if isinstance(data, dict) else ()
    return respond(request, "message.html", MessagePage(line(row), tuple(_life(here, row)), shown))


def line(row: OutboxRow) -> OutboxLine:
    customer: JSON = row.content.get("customer") or {}
    return OutboxLine(
        message=row.message,
        to=str(row.content.get("to") or ""),
        subject=row.subject,
        who=str(customer.get("id") or f"#{row.subject}"),
        template=row.template,
        campaign=row.campaign,
        channel=row.channel,
        state=row.state,
        at=row.due_at if row.state == "wanted" else row.updated_at,
        detail=row.detail,
    )


def _life(here: Source, row: OutboxRow) -> list[LifeLine]:
    """What the customer's history has of the message."""
    mark = f'"message":"{row.message}"'.encode()
    events = here.snapshot(row.subject).subject_events(row.subject)
    return [_said(event) for event in events if mark in event.properties]


def _said(event: Event) -> LifeLine:
    line = line_of(event)
    return LifeLine(event.at, event.name, line.sentence if line else "")
