"""A campaign's effect by situation: in which segment people were when they entered, or at which level."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import charts
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.engagement import PURCHASE
from hark.errors import HarkError
from hark.learn.by_level import Moved
from hark.learn.report import Report
from hark.learn.situations import Situation
from hark.model import JSON
from hark.questions import Progress


class SituationsPage(Struct, frozen=True):
    """The lift of one campaign in each segment, or at each level of one definition."""

    name: str
    levels: str = ""
    """The engagement definition whose levels are shown, or purchase; "" for segments."""
    definitions: tuple[str, ...] = ()
    """Those whose levels can be shown."""
    report: Report | None = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return f"/campaigns/{self.name}"

    @property
    def lines(self) -> tuple[Situation, ...]:
        if self.report is None:
            return ()
        if self.levels:
            return self.report.levels.levels if self.report.levels else ()
        return self.report.situations.situations if self.report.situations else ()

    @property
    def sentences(self) -> tuple[str, ...]:
        if self.report is None:
            return ()
        found = self.report.levels if self.levels else self.report.situations
        return found.sentences if found else ()

    @property
    def moved(self) -> tuple[Moved, ...]:
        return self.report.levels.moved if self.report and self.report.levels else ()

    @property
    def chart(self) -> JSON:
        """The lifts as a forest; None where no situation has enough people."""
        known = [(one.segment, one.lift, one.shrunk) for one in self.lines if one.lift and one.shrunk]
        whole = self.report.lift if self.report else None
        return charts.forest(whole, known) if known and whole else None


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/situations, ?levels=DEFINITION by its levels"""
    here = source()
    if not here.state.versions("campaign", name):
        raise Http404
    page = asked(here, name, request.GET.get("levels", ""), patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "situations.html", page)


def asked(here: Source, name: str, levels: str, patience_s: float) -> SituationsPage:
    """The context of the page."""
    written = [one.name for one in here.state.documents() if one.kind == "engagement"]
    page = SituationsPage(name, levels, (*written, PURCHASE))
    question = {"report": {"campaign": name, "by_segment": not levels, "by_level": levels}}
    try:
        answer = here.answer_or_progress(question, patience_s)
    except HarkError as error:
        return msgspec.structs.replace(page, note=f"{error.message}. {error.hint}".strip())
    if isinstance(answer, Progress):
        return msgspec.structs.replace(page, progress=answer)
    return msgspec.structs.replace(page, report=msgspec.convert(answer, Report))
