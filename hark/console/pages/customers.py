"""One customer: who, what happened, and why each message was or was not sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.live import newest, who
from hark.console.pages.merges import MergeLine, lines
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import Pair, pairs, text
from hark.decide.why import explain
from hark.model import Event, Instant, Kind, Record
from hark.store.contracts import OutboxRow

ROWS = 200
LATEST = 12
MEMBERS = 20


class Latest(Struct, frozen=True):
    subject: int
    who: str
    at: Instant
    did: str


class SearchPage(Struct, frozen=True):
    """The search for a customer."""

    query: str
    found: tuple[Latest, ...]
    """Those who share the address that was asked for."""
    latest: tuple[Latest, ...]
    """Who was seen last, to have somebody to look at."""


class Line(Struct, frozen=True):
    """One event of a timeline; `why` explains a decision."""

    at: Instant
    name: str
    fact: bool
    source: str
    properties: tuple[Pair, ...]
    why: str = ""
    campaign: str = ""


class Consent(Struct, frozen=True):
    topic: str
    channel: str
    state: str
    at: Instant


class Member(Struct, frozen=True):
    segment: str
    since: Instant


class Message(Struct, frozen=True):
    template: str
    campaign: str
    state: str
    at: Instant
    detail: str


class Group(Struct, frozen=True):
    subject: int
    name: str


class CustomerPage(Struct, frozen=True):
    """One customer, or a group."""

    subject: int
    who: str
    ids: tuple[Pair, ...]
    groups: tuple[Group, ...]
    """To which the customer belongs."""
    members: tuple[int, ...]
    """Of a group, its first members by number."""
    merges: tuple[MergeLine, ...]
    undoing: int
    """The merge whose undo was just handed over; 0: none, or it is done."""
    traits: tuple[Pair, ...]
    segments: tuple[Member, ...]
    consents: tuple[Consent, ...]
    messages: tuple[Message, ...]
    first_seen: Instant | None
    timeline: tuple[Line, ...]
    """Newest first."""
    older: Instant | None
    """Ask for events before this instant to see more; None: these are all."""


def search(request: HttpRequest) -> HttpResponse:
    """GET /customers?q=ID: the customer with this id, or the search again."""
    query = request.GET.get("q", "").strip()
    subjects = source().state.find_all(query) if query else []
    if len(subjects) == 1:
        kept = "?format=json" if request.GET.get("format") == "json" else ""
        return redirect(f"/customers/{subjects[0]}{kept}")
    page = SearchPage(query, several(source(), subjects), latest(source()))
    return respond(request, "customers.html", page, 404 if query and not subjects else 200)


def several(here: Source, subjects: Sequence[int]) -> tuple[Latest, ...]:
    """Who may be meant, with what each did last."""
    snapshot = here.snapshot() if subjects else None
    events = [(one, snapshot.timeline(one, 1)) for one in subjects if snapshot]
    return tuple(
        Latest(one, who(here, one), found[0].at if found else 0, found[0].name if found else "")
        for one, found in events
    )


def latest(here: Source) -> tuple[Latest, ...]:
    """The customers who did something last."""
    seen: dict[int, Latest] = {}
    for event in newest(here):
        subject = here.state.canonical(event.subject)
        if event.kind != Kind.FACT and subject not in seen:
            seen[subject] = Latest(subject, who(here, subject), event.at, event.name)
        if len(seen) == LATEST:
            break
    return tuple(seen.values())


def view(request: HttpRequest, subject: int) -> HttpResponse:
    """GET /customers/SUBJECT"""
    here = source()
    found = here.state.find(f"#{subject}")
    if found is None:
        raise Http404
    if found != subject:
        return redirect(f"/customers/{found}")
    before, undoing = (request.GET.get(name, "") for name in ("before", "undoing"))
    page = customer(
        here, subject, int(before) if before.isdigit() else None, int(undoing) if undoing.isdigit() else 0
    )
    return respond(request, "customer.html", page)


def customer(here: Source, subject: int, before: Instant | None, undoing: int = 0) -> CustomerPage:
    """The context of one customer's page."""
    merges = lines(here, subject)
    record, known = here.state.record(subject), here.state.key(subject)
    events = here.snapshot().subject_events(subject)
    shown = [event for event in events if before is None or event.at < before]
    return CustomerPage(
        subject=subject,
        who=who(here, subject),
        ids=tuple(Pair(kind, value) for kind, value in here.state.ids(subject)),
        groups=tuple(Group(group, name) for group, name in here.state.groups_of(subject)),
        members=tuple(one for one, _ in here.state.members(subject, 0, MEMBERS)),
        merges=merges,
        undoing=undoing if any(one.number == undoing and one.undone_at is None for one in merges) else 0,
        traits=_traits(record),
        segments=_segments(record),
        consents=_consents(record),
        messages=tuple(_message(row) for row in here.state.outbox(subject, 20)),
        first_seen=known[1] if known else None,
        timeline=tuple(timeline(events, shown[: -ROWS - 1 : -1])),
        older=shown[-ROWS].at if len(shown) > ROWS else None,
    )


def timeline(events: Sequence[Event], shown: Sequence[Event]) -> list[Line]:
    """The events shown, each decision with its reason; reasons need the events before them."""
    reasons = {(one.at, one.seq): one for one in explain(events)}
    shown_lines = []
    for event in shown:
        why = reasons.get((event.at, event.seq))
        shown_lines.append(
            Line(
                at=event.at,
                name=event.name,
                fact=event.kind == Kind.FACT,
                source=event.source,
                properties=pairs(msgspec.json.decode(event.properties)),
                why=why.sentence if why else "",
                campaign=why.campaign if why else "",
            )
        )
    return shown_lines


def _traits(record: Record | None) -> tuple[Pair, ...]:
    found = record.traits if record else {}
    return tuple(Pair(name, text(found[name].value)) for name in sorted(found))


def _segments(record: Record | None) -> tuple[Member, ...]:
    return tuple(Member(name, since) for name, since in sorted(record.members.items())) if record else ()


def _consents(record: Record | None) -> tuple[Consent, ...]:
    found = record.consents if record else {}
    split = [(name.rpartition("/"), one) for name, one in sorted(found.items())]
    return tuple(Consent(topic, channel, one.state, one.at) for (topic, _, channel), one in split)


def _message(row: OutboxRow) -> Message:
    return Message(row.template, row.campaign, row.state, row.updated_at, row.detail)
