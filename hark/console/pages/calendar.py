"""The attention calendar: what the next days will bring to people, and what would come too close together."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import charts
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.learn.calendar import DAYS, Calendar, CalendarDay
from hark.model import JSON
from hark.questions import Progress

LENGTHS = (7, 14, 28)


class CalendarPage(Struct, frozen=True):
    """The calendar, or how far it is."""

    length: int
    calendar: Calendar | None = None
    progress: Progress | None = None
    problem: str = ""

    @property
    def back(self) -> str:
        """Where to go when it is cancelled."""
        return "/campaigns"

    @property
    def lengths(self) -> tuple[int, ...]:
        return LENGTHS

    @property
    def days(self) -> tuple[CalendarDay, ...]:
        return self.calendar.days if self.calendar else ()

    @property
    def campaigns(self) -> list[str]:
        """Those that will write to somebody, in the order of their names."""
        return sorted({name for one in self.days for name in (*one.known, *one.expected)})

    @property
    def known(self) -> int:
        return sum(one.known_total for one in self.days)

    @property
    def expected(self) -> float:
        return sum(one.expected_total for one in self.days)

    @property
    def customers(self) -> int:
        return sum(one.customers for one in self.calendar.often) if self.calendar else 0

    @property
    def colliding(self) -> int:
        return sum(one.customers for one in self.calendar.pairs) if self.calendar else 0

    @property
    def chart(self) -> JSON:
        """Messages by day and campaign, the expected paler than the known."""
        return charts.calendar(self.days, self.campaigns)


def view(request: HttpRequest) -> HttpResponse:
    """GET /calendar, with ?days=7 for fewer or more days."""
    asked = request.GET.get("days", "")
    length = int(asked) if asked.isdecimal() else DAYS
    page = calendar(source(), length, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "calendar.html", page, 400 if page.problem else 200)


def calendar(here: Source, length: int, patience_s: float) -> CalendarPage:
    """The context of the page."""
    page = CalendarPage(length)
    try:
        found = here.answer_or_progress({"calendar": {"days": length}}, patience_s)
    except HarkError as error:
        return msgspec.structs.replace(page, problem=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return msgspec.structs.replace(page, progress=found)
    return msgspec.structs.replace(page, calendar=msgspec.convert(found, Calendar))
