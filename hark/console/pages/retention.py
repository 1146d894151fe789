"""Do they come back? Cohorts by the period of their first start event."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.understand.retention import Cohort, RetentionAnswer

PERIODS = ("day", "week", "month")
STRENGTHS = 8


class Cell(Struct, frozen=True):
    """A cohort in one period."""

    active: int
    share: float
    complete: bool
    """Whether the period is over."""
    strength: int
    """0 to STRENGTHS, by the share: which shade the cell has."""


class Row(Struct, frozen=True):
    cohort: str
    size: int
    cells: tuple[Cell, ...]


class RetentionPage(Struct, frozen=True):
    """The question and, once it is asked, its answer."""

    start: str
    returning: str
    """"" for any activity."""
    period: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    error: str = ""

    @property
    def periods(self) -> range:
        return range(max((len(row.cells) for row in self.rows), default=0))

    @property
    def choices(self) -> tuple[str, ...]:
        return PERIODS


def view(request: HttpRequest) -> HttpResponse:
    """GET /retention?start=A&return=B&period=week"""
    start, returning = (request.GET.get(name, "").strip() for name in ("start", "return"))
    page = retention(source(), start, returning, request.GET.get("period", "week"))
    return respond(request, "retention.html", page, 400 if page.error else 200)


def retention(here: Source, start: str, returning: str, period: str) -> RetentionPage:
    """The context of the retention page."""
    page = RetentionPage(start, returning, period, here.names(), ())
    if not start:
        return page
    question = {"start": start, "return": returning or None, "period": period}
    try:
        found = msgspec.convert(here.ask({"retention": question}), RetentionAnswer)
    except HarkError as error:
        return msgspec.structs.replace(page, error=f"{error.message}. {error.hint}".strip())
    return msgspec.structs.replace(page, rows=tuple(_row(one) for one in found.cohorts))


def _row(cohort: Cohort) -> Row:
    cells = (_cell(cohort, after, active) for after, active in enumerate(cohort.active))
    return Row(cohort.cohort, cohort.size, tuple(cells))


def _cell(cohort: Cohort, after: int, active: int) -> Cell:
    share = active / cohort.size if cohort.size else 0.0
    return Cell(active, share, after < cohort.complete, round(share * STRENGTHS))
