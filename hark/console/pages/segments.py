"""Segments: who is in a situation."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.parse import definition
from hark.definitions.types import Campaign, Document, Segment
from hark.errors import HarkError
from hark.model import JSON, Instant


class SegmentLine(Struct, frozen=True):
    name: str
    sentence: str
    version: int
    applied_at: Instant
    author: str


class SegmentsPage(Struct, frozen=True):
    segments: tuple[SegmentLine, ...]


class Person(Struct, frozen=True):
    subject: int
    who: str
    since: Instant | None
    """Since when the engine has them in the segment; None: it does not (yet)."""


class SegmentPage(Struct, frozen=True):
    """One segment."""

    name: str
    sentence: str
    version: int
    applied_at: Instant
    author: str
    count: int | None
    """None: it could not be counted; `note` says why."""
    customers: int
    sample: tuple[Person, ...]
    campaigns: tuple[str, ...]
    """Campaigns that begin with entering it."""
    note: str = ""

    @property
    def share(self) -> float | None:
        return self.count / self.customers if self.count is not None and self.customers else None


def index(request: HttpRequest) -> HttpResponse:
    """GET /segments"""
    documents = source().state.documents()
    found = (_line(one) for one in documents if one.kind == "segment")
    return respond(request, "segments.html", SegmentsPage(tuple(found)))


def _line(document: Document) -> SegmentLine:
    return SegmentLine(document.name, said(document), document.version, document.applied_at, document.author)


def said(document: Document) -> str:
    """The segment's English sentence."""
    found = definition(document, settings.HARK_ZONE)
    assert isinstance(found, Segment)
    return f"Customers who {found.where.sentence()}."


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /segments/NAME"""
    found = next((one for one in source().state.versions("segment", name)[::-1]), None)
    if found is None:
        raise Http404
    return respond(request, "segment.html", segment(source(), found))


def segment(here: Source, document: Document) -> SegmentPage:
    """The context of one segment's page."""
    answer, note = _answer(here, document.name)
    return SegmentPage(
        name=document.name,
        sentence=said(document),
        version=document.version,
        applied_at=document.applied_at,
        author=document.author,
        count=answer["count"],
        customers=here.state.customers(),
        sample=tuple(_person(here, document.name, known) for known in answer["sample"]),
        campaigns=_started_by(here, document.name),
        note=note,
    )


def _answer(here: Source, name: str) -> tuple[JSON, str]:
    try:
        return here.ask({"segment": {"name": name, "at": None}}), ""
    except HarkError as error:
        return {"count": None, "sample": []}, str(error)


def _person(here: Source, name: str, id: str) -> Person:
    subject = here.state.find(id) or 0
    record = here.state.record(subject)
    return Person(subject, who(here, subject), record.members.get(name) if record else None)


def _started_by(here: Source, name: str) -> tuple[str, ...]:
    campaigns = (
        definition(one, settings.HARK_ZONE) for one in here.state.documents() if one.kind == "campaign"
    )
    return tuple(one.name for one in campaigns if isinstance(one, Campaign) and one.trigger.enters == name)
