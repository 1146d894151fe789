"""Surveys: what customers were asked, and what they answered, over time and in their own words."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct, convert

from hark.console import polls
from hark.console.pages.asked import again, patience
from hark.console.pages.live import who
from hark.console.reader import surveys
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.survey import Survey, said
from hark.errors import HarkError
from hark.learn.surveys import SurveyReport, Words
from hark.model import JSON
from hark.questions import Progress
from hark.questions.surveys import WORTH_IT, worth_it

PERIODS = ("day", "week", "month")
KINDS = {
    "nps": "0 to 10: would they recommend it",
    "satisfaction": "1 to 5: how satisfied they are",
    "poll": "a choice",
    "text": "their own words",
}


class Line(Struct, frozen=True):
    name: str
    asks: str
    kind: str


class SurveysPage(Struct, frozen=True):
    lines: tuple[Line, ...]


class Said(Struct, frozen=True):
    who: str
    words: Words


class SurveyPage(Struct, frozen=True):
    """One survey's answers."""

    name: str
    asks: str
    kind: str
    own: bool
    """It has a document that can be changed."""
    period: str
    report: SurveyReport | None = None
    texts: tuple[Said, ...] = ()
    note: str = ""
    progress: Progress | None = None

    @property
    def periods(self) -> tuple[str, ...]:
        return PERIODS

    @property
    def back(self) -> str:
        return "/surveys"

    @property
    def options_chart(self) -> JSON:
        return polls.options(self.report) if self.report else None

    @property
    def chart(self) -> JSON:
        return polls.over_time(self.report) if self.report and self.report.score is not None else None


def index(request: HttpRequest) -> HttpResponse:
    """GET /surveys"""
    found = [*surveys(source()).values(), worth_it()]
    return respond(request, "surveys.html", SurveysPage(tuple(_line(one) for one in found)))


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /surveys/NAME?period=week"""
    here = source()
    found = {**surveys(here), WORTH_IT: worth_it()}.get(name)
    if found is None:
        raise Http404
    wanted = request.GET.get("period", "week")
    page = survey(here, found, wanted if wanted in PERIODS else "week", patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "survey.html", page, 400 if page.note else 200)


def survey(here: Source, asked: Survey, period: str, patience_s: float) -> SurveyPage:
    """The context of one survey's page."""
    about = _line(asked)
    page = SurveyPage(asked.name, about.asks, about.kind, asked.name != WORTH_IT, period)
    try:
        found = here.answer_or_progress({"survey": {"name": asked.name, "period": period}}, patience_s)
    except HarkError as error:
        return SurveyPage(*_head(page), note=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return SurveyPage(*_head(page), progress=found)
    report = convert(found, SurveyReport)
    texts = tuple(Said(who(here, one.subject), one) for one in report.texts)
    return SurveyPage(*_head(page), report=report, texts=texts)


def _head(page: SurveyPage) -> tuple[str, str, str, bool, str]:
    return page.name, page.asks, page.kind, page.own, page.period


def _line(survey: Survey) -> Line:
    return Line(survey.name, said(survey.asks, "en"), KINDS[survey.kind])
