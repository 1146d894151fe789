"""The library of hypotheses: what was believed, tested and found; and what is like a campaign."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.learn.library import Entry
from hark.model import JSON
from hark.questions import Progress


class HypothesesPage(Struct, frozen=True):
    """Entries of the library."""

    entries: tuple[Entry, ...] = ()
    search: str = ""
    like: str = ""
    """The campaign that they are like; "" on the page of all."""
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/hypotheses"


def view(request: HttpRequest) -> HttpResponse:
    """GET /hypotheses?q=WORDS"""
    page = asked(source(), {"search": request.GET.get("q", "")}, patience(request))
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "hypotheses.html", page)


def earlier(request: HttpRequest, name: str) -> HttpResponse:
    """GET /campaigns/NAME/earlier: the verdicts of campaigns like this one, a part of its page."""
    if not source().state.versions("campaign", name):
        raise Http404
    return respond(request, "earlier.html", asked(source(), {"like": name}, patience(request)))


def asked(here: Source, question: JSON, patience_s: float) -> HypothesesPage:
    """The context of both."""
    search, like = question.get("search", ""), question.get("like", "")
    try:
        answer = here.answer_or_progress({"hypotheses": question}, patience_s)
    except HarkError as error:
        return HypothesesPage((), search, like, f"{error.message}. {error.hint}".strip())
    if isinstance(answer, Progress):
        return HypothesesPage((), search, like, "", answer)
    return HypothesesPage(msgspec.convert(answer["hypotheses"], tuple[Entry, ...]), search, like)
