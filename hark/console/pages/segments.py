"""Segments: who is in a situation, how many were, and what two share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from msgspec import Struct

from hark.clock import instant
from hark.console import figures
from hark.console.pages.asked import PERIODS, again, patience
from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.sentences import of_segment
from hark.definitions.types import Campaign, Segment
from hark.errors import HarkError
from hark.model import JSON, Instant
from hark.questions import Progress

MEMBERS = 100_000
"""Members in one file; further ones are a command's: hark segment NAME --out FILE."""


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
    everybody: int
    """All customers, or groups of its type."""
    sample: tuple[Person, ...]
    campaigns: tuple[str, ...]
    """Campaigns that begin with entering it."""
    others: tuple[str, ...]
    """Segments to compare it with."""
    group: str = ""
    """The type of the groups that it is of; "": it is of customers."""
    at: str = ""
    """As of this moment, as it was typed; "" for now."""
    note: str = ""
    progress: Progress | None = None
    filling: JSON = None
    """{"done", "of"}: how far its past is filled in, as long as it is."""

    @property
    def back(self) -> str:
        return "/segments"

    @property
    def share(self) -> float | None:
        return self.count / self.everybody if self.count is not None and self.everybody else None


class Size(Struct, frozen=True):
    period: str
    count: int


class SizesPart(Struct, frozen=True):
    """How large a segment was at the end of each period; the last one is now."""

    name: str
    period: str
    sizes: tuple[Size, ...] = ()
    progress: Progress | None = None
    note: str = ""

    @property
    def periods(self) -> tuple[str, ...]:
        return PERIODS

    @property
    def chart(self) -> JSON:
        return figures.sizes([(one.period, one.count) for one in self.sizes])


class OverlapPart(Struct, frozen=True):
    """What two segments share."""

    name: str
    other: str
    both: int = 0
    only_one: int = 0
    only_other: int = 0
    sample: tuple[str, ...] = ()
    progress: Progress | None = None
    note: str = ""

    @property
    def chart(self) -> JSON:
        parts = (
            (f"only {self.name}", self.only_one),
            ("in both", self.both),
            (f"only {self.other}", self.only_other),
        )
        return figures.overlap(parts)


def index(request: HttpRequest) -> HttpResponse:
    """GET /segments"""
    documents = source().state.documents()
    found = (_line(one) for one in documents if one.kind == "segment")
    return respond(request, "segments.html", SegmentsPage(tuple(found)))


def _line(document: Document) -> SegmentLine:
    return SegmentLine(document.name, said(document), document.version, document.applied_at, document.author)


def said(document: Document) -> str:
    """The segment's English sentence."""
    return of_segment(typed(document))


def typed(document: Document) -> Segment:
    """The segment of a document."""
    found = definition(document, settings.HARK_ZONE)
    assert isinstance(found, Segment)
    return found


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /segments/NAME, with ?at=2026-03-01T00:00:00Z as of then; ?format=csv: its members, without those
    left alone."""
    document, at = _known(name), request.GET.get("at", "").strip()
    if request.GET.get("format") == "csv":
        return members_file(source(), name, at, request.GET)
    page = segment(source(), document, at, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "segment.html", page)


def _known(name: str) -> Document:
    """The segment's document in force; 404 without one."""
    found = next(
        (one for one in source().state.documents() if (one.kind, one.name) == ("segment", name)), None
    )
    if found is None:
        raise Http404
    return found


def segment(here: Source, document: Document, at: str, patience_s: float) -> SegmentPage:
    """The context of one segment's page."""
    found = _asked(here, lambda: {"segment": {"name": document.name, "at": _instant(at)}}, patience_s)
    answer: JSON = {"count": None, "sample": []} if isinstance(found, str | Progress) else found
    group = typed(document).group
    segments = (one for one in here.state.documents() if one.kind == "segment")
    others = (one.name for one in segments if typed(one).group == group)
    return SegmentPage(
        name=document.name,
        sentence=said(document),
        version=document.version,
        applied_at=document.applied_at,
        author=document.author,
        count=answer["count"],
        everybody=len(here.state.groups(group)) if group else here.state.customers(),
        sample=tuple(_person(here, document.name, known) for known in answer["sample"]),
        campaigns=_started_by(here, document.name),
        others=tuple(one for one in others if one != document.name),
        group=group,
        at=at,
        note=found if isinstance(found, str) else "",
        progress=found if isinstance(found, Progress) else None,
        filling=answer.get("filling"),
    )


def _asked(here: Source, question: Any, patience_s: float) -> Any:
    """The answer, how far it is, or in words why there is none."""
    try:
        return here.answer_or_progress(question(), patience_s)
    except HarkError as error:
        return f"{error.message}. {error.hint}".strip()


def _instant(at: str) -> Instant | None:
    try:
        return instant(at) if at else None
    except ValueError:
        hint = "for example 2026-03-01T09:00:00Z"
        raise HarkError(f"{at} is no instant", hint, "time.zone") from None


def _person(here: Source, name: str, id: str) -> Person:
    subject = here.state.find(id) or 0
    record = here.state.record(subject)
    return Person(subject, who(here, subject), record.members.get(name) if record else None)


def _started_by(here: Source, name: str) -> tuple[str, ...]:
    campaigns = (
        definition(one, settings.HARK_ZONE) for one in here.state.documents() if one.kind == "campaign"
    )
    return tuple(one.name for one in campaigns if isinstance(one, Campaign) and one.trigger.enters == name)


def members_file(here: Source, name: str, at: str, given: QueryDict) -> HttpResponse:
    """The members by number and id, as CSV; without those left alone, also by `for=CAMPAIGN`, unless
    `controls=yes`. 404 for an unknown campaign."""
    whom = {"campaigns": given.getlist("for"), "controls": given.get("controls") == "yes"}
    try:
        found = here.ask({"segment_members": {"name": name, "at": _instant(at), "limit": MEMBERS, **whom}})
    except HarkError as error:
        if error.id == "campaign.unknown":
            raise Http404 from None
        raise
    rows = [("subject", "customer"), *((one["subject"], one["customer"]) for one in found["members"])]
    return csv_file(rows, name)


def csv_file(rows: Any, name: str) -> HttpResponse:
    """Rows as a CSV file to download."""
    import csv

    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(response, lineterminator="\n").writerows(rows)
    return response


def sizes(request: HttpRequest, name: str) -> HttpResponse:
    """GET /segments/NAME/sizes?period=week: how large it was, as a part of its page."""
    period = request.GET.get("period", "week")
    part = sizes_part(source(), _known(name).name, period, patience(request))
    return respond(request, _part(request, "segment_sizes.html"), part, 400 if part.note else 200)


def _part(request: HttpRequest, template: str) -> str:
    return template if request.headers.get("HX-Request") else template.replace(".html", "_page.html")


def sizes_part(here: Source, name: str, period: str, patience_s: float) -> SizesPart:
    found = _asked(here, lambda: {"segment_sizes": {"name": name, "period": period}}, patience_s)
    if isinstance(found, str):
        return SizesPart(name, period, note=found)
    if isinstance(found, Progress):
        return SizesPart(name, period, progress=found)
    return SizesPart(name, period, tuple(Size(one["period"], one["count"]) for one in found["sizes"]))


def overlap(request: HttpRequest, name: str) -> HttpResponse:
    """GET /segments/NAME/overlap?other=NAME: what two share, as a part of the page."""
    part = overlap_part(source(), _known(name).name, request.GET.get("other", ""), patience(request))
    return respond(request, _part(request, "segment_overlap.html"), part, 400 if part.note else 200)


def overlap_part(here: Source, name: str, other: str, patience_s: float) -> OverlapPart:
    found = _asked(here, lambda: {"segment_overlap": {"one": name, "other": other}}, patience_s)
    if isinstance(found, str):
        return OverlapPart(name, other, note=found)
    if isinstance(found, Progress):
        return OverlapPart(name, other, progress=found)
    counts = (found["both"], found["only_one"], found["only_other"])
    return OverlapPart(name, other, *counts, tuple(found["sample"]))
