"""One customer: who, what happened and why, in which segments because of what, how often they are there."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.live import who
from hark.console.pages.merges import MergeLine, lines
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.console.values import Pair, pairs, text
from hark.decide.attention import left
from hark.decide.levels import level_of
from hark.decide.why import line_of
from hark.definitions.asked import SESSION_GAP
from hark.definitions.levels import Ladder, Stage
from hark.definitions.parse import definition
from hark.definitions.resolve import resolved
from hark.definitions.stages import with_stages
from hark.definitions.types import Definition, Paced, Policy, Segment
from hark.history.story import Mark
from hark.history.timeline import Timeline
from hark.model import GROUPS, SECOND, Event, Instant, Kind, Record
from hark.store.contracts import OutboxRow
from hark.understand.because import Found, Told, because
from hark.understand.conditions.base import Ints
from hark.understand.operators import compile as compiled
from hark.understand.standing import Standing, slowest_first, standing
from hark.understand.traits import changes

ROWS = 100
MEMBERS = 20
VISITS = 8
ONLY = {"": None, "did": True, "hark": False}
"""What of a timeline is shown: everything, what they did, or what Hark did."""


class Shown(Struct, frozen=True):
    """Which part of a timeline."""

    before: Mark | None = None
    event: str = ""
    """Only events of this name; "" for all."""
    only: str = ""
    """A key of ONLY."""

    @property
    def narrowed(self) -> bool:
        return bool(self.event or self.only or self.before)


class Line(Struct, frozen=True):
    """One event of a timeline; `why` explains a decision."""

    at: Instant
    name: str
    fact: bool
    source: str
    properties: tuple[Pair, ...]
    why: str = ""
    campaign: str = ""


class Trait(Struct, frozen=True):
    name: str
    value: str
    since: Instant


class Consent(Struct, frozen=True):
    topic: str
    channel: str
    state: str
    at: Instant


class Member(Struct, frozen=True):
    """Being in a segment, since when, and the values that make it so."""

    segment: str
    since: Instant
    because: Told | None


class Message(Struct, frozen=True):
    message: str
    """Its id."""
    template: str
    campaign: str
    state: str
    at: Instant
    detail: str


class Attention(Struct, frozen=True):
    """What is left of their attention, in points."""

    left: float
    most: float
    unanswered: int
    """Messages of the last day after which they have done nothing yet."""


class LevelLine(Struct, frozen=True):
    """Where the customer stands in an engagement definition, by what the engine has."""

    definition: str
    level: str
    """"" below all levels."""
    since: Instant | None
    because: Told | None


class Group(Struct, frozen=True):
    subject: int
    name: str


class Visit(Struct, frozen=True):
    """A session."""

    begun: Instant
    seconds: float
    events: int


class CustomerPage(Struct, frozen=True):
    """One customer, or a group."""

    subject: int
    who: str
    ids: tuple[Pair, ...]
    groups: tuple[Group, ...]
    """To which the customer belongs."""
    members: tuple[Group, ...]
    """Of a group, its first members by number."""
    merges: tuple[MergeLine, ...]
    undoing: int
    """The merge whose undo was just handed over; 0: none, or it is done."""
    traits: tuple[Trait, ...]
    segments: tuple[Member, ...]
    levels: tuple[LevelLine, ...]
    consents: tuple[Consent, ...]
    messages: tuple[Message, ...]
    campaigns: tuple[str, ...]
    """Those in force, of each of which it can be asked why not."""
    attention: Attention | None
    """None where no policy keeps a balance."""
    first_seen: Instant | None
    last_seen: Instant | None
    """Their latest activity."""
    events: int
    """In the whole history, facts included."""
    names: tuple[tuple[str, int], ...]
    """How often each event is there."""
    paces: tuple[Standing, ...]
    """How quickly they go on, against others; the slowest first."""
    sessions: int
    visits: tuple[Visit, ...]
    """The latest sessions, newest first."""
    shown: Shown
    timeline: tuple[Line, ...]
    """Newest first."""
    older: str
    """`before` for the next page; "": these are the oldest."""

    @property
    def is_group(self) -> bool:
        return self.subject >= GROUPS


class TraitLine(Struct, frozen=True):
    """A value a trait had."""

    value: str
    at: Instant
    source: str


class TraitHistory(Struct, frozen=True):
    name: str
    values: tuple[TraitLine, ...]
    """The latest first."""


class TraitsPage(Struct, frozen=True):
    """Every trait of a customer with all its values."""

    subject: int
    who: str
    traits: tuple[TraitHistory, ...]


def view(request: HttpRequest, subject: int) -> HttpResponse:
    """GET /customers/SUBJECT, with ?event=NAME, ?only=did|hark and ?before=AT.SEQ for a part of it."""
    here = source()
    found = here.state.find(f"#{subject}")
    if found is None:
        raise Http404
    if found != subject:
        return redirect(f"/customers/{found}")
    undoing = request.GET.get("undoing", "")
    page = customer(here, subject, asked(request), int(undoing) if undoing.isdigit() else 0)
    return respond(request, "customer.html", page)


def asked(request: HttpRequest) -> Shown:
    """What of the timeline the address asks for; what it cannot mean is left out."""
    event, only, before = (request.GET.get(name, "").strip() for name in ("event", "only", "before"))
    at, _, seq = before.partition(".")
    place = (int(at), int(seq) if seq.isdigit() else 0) if at.isdigit() else None
    return Shown(place, event, only if only in ONLY else "")


def customer(here: Source, subject: int, shown: Shown, undoing: int = 0) -> CustomerPage:
    """The context of one customer's page."""
    merges, timeline = lines(here, subject), Timeline(here.snapshot(subject), subject)
    record, known = here.state.record(subject), here.state.key(subject)
    page = timeline.page(ROWS, shown.before, [shown.event] if shown.event else None, ONLY[shown.only])
    sessions, active = timeline.sessions(SESSION_GAP), timeline.at[timeline.activity]
    return CustomerPage(
        subject=subject,
        who=who(here, subject),
        ids=tuple(Pair(kind, value) for kind, value in here.state.ids(subject)),
        groups=tuple(Group(group, name) for group, name in here.state.groups_of(subject)),
        members=_members(here, subject),
        merges=merges,
        undoing=undoing if any(one.number == undoing and one.undone_at is None for one in merges) else 0,
        traits=_traits(record),
        segments=tuple(_segments(here, record, timeline)),
        levels=() if subject >= GROUPS else tuple(_levels(here, record, timeline)),
        consents=_consents(record),
        messages=tuple(_message(row) for row in here.state.outbox(subject, 20)),
        campaigns=()
        if subject >= GROUPS
        else tuple(one.name for one in here.state.documents() if one.kind == "campaign"),
        attention=None if subject >= GROUPS else _attention(here, record),
        first_seen=known[1] if known else None,
        last_seen=int(active[-1]) if len(active) else None,
        events=len(timeline.at),
        names=tuple(timeline.names()),
        paces=() if subject >= GROUPS else _paces(here, timeline),
        sessions=len(sessions),
        visits=tuple(
            Visit(begun, (ended - begun) / SECOND, count) for begun, ended, count in _latest(sessions)
        ),
        shown=shown,
        timeline=tuple(map(_line, page.events)),
        older=f"{page.older[0]}.{page.older[1]}" if page.older else "",
    )


def _members(here: Source, group: int) -> tuple[Group, ...]:
    """Under today's numbers: some may have been merged since they joined."""
    joined = [here.state.canonical(home) for home, _ in here.state.members(group, 0, MEMBERS)]
    return tuple(Group(one, who(here, one)) for one in dict.fromkeys(joined))


def _latest(sessions: Ints) -> list[list[int]]:
    found: list[list[int]] = sessions[-VISITS:][::-1].tolist()
    return found


def _line(event: Event) -> Line:
    why = line_of(event)
    return Line(
        at=event.at,
        name=event.name,
        fact=event.kind == Kind.FACT,
        source=event.source,
        properties=pairs(msgspec.json.decode(event.properties)),
        why=why.sentence if why else "",
        campaign=why.campaign if why else "",
    )


def _traits(record: Record | None) -> tuple[Trait, ...]:
    found = record.traits if record else {}
    return tuple(Trait(name, text(found[name].value), found[name].at) for name in sorted(found))


def _segments(here: Source, record: Record | None, timeline: Timeline) -> Iterable[Member]:
    """Levels of engagement, which have a dot in their names, stand by themselves."""
    if record is None or not record.members:
        return
    in_force = _in_force(here)
    segments = [one for one in in_force if isinstance(one, Segment) and one.name in record.members]
    typed = {one.name: one for one in resolved(segments, in_force)}
    for name, since in sorted((name, at) for name, at in record.members.items() if "." not in name):
        segment = typed.get(name)
        told = because(segment.where, record, here.now(), _found(timeline)) if segment else None
        yield Member(name, since, told)


def _levels(here: Source, record: Record | None, timeline: Timeline) -> Iterable[LevelLine]:
    in_force = _in_force(here)
    for one in resolved([one for one in in_force if isinstance(one, Ladder)], in_force):
        level = level_of(record, one) if record else None
        if record is None or level is None:
            if not isinstance(one, Stage):
                yield LevelLine(one.name, "", None, None)
            continue
        told = because(one.at_least(level), record, here.now(), _found(timeline))
        yield LevelLine(one.name, level, record.members[f"{one.name}.{level}"], told)


def _in_force(here: Source) -> list[Definition]:
    """What conditions are made of or name."""
    kinds = ("segment", "topic", "computed", "pace", "engagement", "stage")
    found = [definition(one, settings.HARK_ZONE) for one in here.state.documents() if one.kind in kinds]
    return with_stages(found, settings.HARK_ZONE)


def _found(timeline: Timeline) -> Found:
    return lambda names, where: timeline.instants(names, compiled(where) if where else None)


def _paces(here: Source, timeline: Timeline) -> tuple[Standing, ...]:
    """Against the tables in force (`hark pace --keep`)."""
    typed = [definition(one, settings.HARK_ZONE) for one in here.state.documents() if one.kind == "pace"]
    found = [
        standing(timeline, one.passage, one.reference, here.now()) for one in typed if isinstance(one, Paced)
    ]
    return slowest_first([one for one in found if one])


def _attention(here: Source, record: Record | None) -> Attention | None:
    document = next(
        (one for one in here.state.documents() if (one.kind, one.name) == ("policy", "attention")), None
    )
    policy = definition(document, settings.HARK_ZONE) if document else None
    if not isinstance(policy, Policy) or policy.budget is None:
        return None
    unanswered = len(record.attention.open) if record and record.attention else 0
    return Attention(left(record, policy.budget, here.now()), policy.budget.most, unanswered)


def _consents(record: Record | None) -> tuple[Consent, ...]:
    found = record.consents if record else {}
    split = [(name.rpartition("/"), one) for name, one in sorted(found.items())]
    return tuple(Consent(topic, channel, one.state, one.at) for (topic, _, channel), one in split)


def _message(row: OutboxRow) -> Message:
    named = row.template or row.channel
    return Message(row.message, named, row.campaign, row.state, row.updated_at, row.detail)


def traits(request: HttpRequest, subject: int) -> HttpResponse:
    """GET /customers/SUBJECT/traits"""
    here = source()
    found = here.state.find(f"#{subject}")
    if found is None:
        raise Http404
    if found != subject:
        return redirect(f"/customers/{found}/traits")
    return respond(request, "traits.html", trait_history(here, subject))


def trait_history(here: Source, subject: int) -> TraitsPage:
    """The context of the traits' page."""
    stating = Timeline(here.snapshot(subject), subject).stating()
    told = tuple(
        TraitHistory(name, tuple(TraitLine(text(one.value), one.at, one.source) for one in values[::-1]))
        for name, values in changes(stating).items()
    )
    return TraitsPage(subject, who(here, subject), told)
