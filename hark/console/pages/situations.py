"""A campaign's effect by situation: in which segment people were when they entered."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import charts
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.learn.report import Report
from hark.learn.situations import Situation
from hark.model import JSON
from hark.questions import Progress


class SituationsPage(Struct, frozen=True):
    """The lift of one campaign in each segment."""

    name: str
    report: Report | None = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return f"/campaigns/{self.name}"

    @property
    def lines(self) -> tuple[Situation, ...]:
        return self.report.situations.situations if self.report and self.report.situations else ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return self.report.situations.sentences if self.report and self.report.situations else ()

    @property
    def chart(self) -> JSON:
        """The lifts as a forest; None where no situation has enough people."""
        known = [(one.segment, one.lift, one.shrunk) for one in self.lines if one.lift and one.shrunk]
        whole = self.report.lift if self.report else None
        return charts.forest(whole, known) if known and whole else None


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/situations"""
    here = source()
    if not here.state.versions("campaign", name):
        raise Http404
    page = asked(here, name, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "situations.html", page)


def asked(here: Source, name: str, patience_s: float) -> SituationsPage:
    """The context of the page."""
    question = {"report": {"campaign": name, "by_segment": True}}
    try:
        answer = here.answer_or_progress(question, patience_s)
    except HarkError as error:
        return SituationsPage(name, note=f"{error.message}. {error.hint}".strip())
    if isinstance(answer, Progress):
        return SituationsPage(name, progress=answer)
    return SituationsPage(name, msgspec.convert(answer, Report))
