"""Rejected: what was refused, why, and how it began."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.collect.refusals import MemberReason, Reason
from hark.collect.sources import read_sources
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import Instant
from hark.questions.kinds import span_us
from hark.store.rejects import KEPT, KEPT_US, RejectSearch, find_rejects

ROWS = 100
SPANS = ("1h", "1d", "7d")
REASONS = tuple(sorted({*map(str, MemberReason), *map(str, Reason)}))
NO_SOURCE = "-"
"""What the form sends for requests whose key said nothing."""


class RejectRow(Struct, frozen=True):
    at: Instant
    source: str
    reason: str
    message: str
    index: int
    """Its place in the batch; -1 for a whole request."""
    excerpt: str


class RejectsPage(Struct, frozen=True):
    """The newest entries that fit."""

    source: str
    reason: str
    text: str
    since: str
    rows: tuple[RejectRow, ...]
    sources: tuple[str, ...]
    reasons: tuple[str, ...]
    spans: tuple[str, ...]
    error: str = ""
    most: int = ROWS
    kept: int = KEPT
    kept_days: int = KEPT_US // (24 * 3600 * 1_000_000)

    @property
    def asked(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.source or self.reason or self.text or self.since)


def view(request: HttpRequest) -> HttpResponse:
    """GET /rejects?source=&reason=&text=&since=7d"""
    asked = {key: request.GET.get(key, "").strip() for key in ("source", "reason", "text", "since")}
    page = rejects(source(), **asked)
    return respond(request, "rejects.html", page, 400 if page.error else 200)


def rejects(here: Source, source: str, reason: str, text: str, since: str) -> RejectsPage:
    """The context of the page."""
    error, after = "", here.now() - KEPT_US
    try:
        after = here.now() - span_us(since) if since else after
    except HarkError as refused:
        error = f"{refused.message}. {refused.hint}"
    wanted = "" if source == NO_SOURCE else source or None
    found = find_rejects(here.data / "log", RejectSearch(wanted, reason, text, after), ROWS)
    rows = [
        RejectRow(
            at=one.received_at,
            source=one.source,
            reason=one.reason,
            message=one.message,
            index=one.index,
            excerpt=one.excerpt.decode("utf-8", "replace"),
        )
        for one in found
    ]
    names = tuple(sorted(one.name for one in read_sources(here.data)))
    return RejectsPage(source, reason, text, since, tuple(rows), names, REASONS, SPANS, error)
