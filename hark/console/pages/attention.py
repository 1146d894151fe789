"""Time well spent: what messages and texts ask of people's time, and what came later."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import source
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress

LISTED = 100
"""Messages, and texts, that are shown."""


class AttentionPage(Struct, frozen=True):
    """The answer of the question `attention`, or why there is none."""

    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/attention"

    @property
    def messages(self) -> list[JSON]:
        return [one | _shares(one) for one in self.answer["messages"][:LISTED]]

    @property
    def content(self) -> list[JSON]:
        return [one | _shares(one) for one in self.answer["content"][:LISTED]]


def _shares(one: JSON) -> dict[str, JSON]:
    """What came later as shares of the moments that are over; None where none is."""
    later = one["later"]
    told = {**later, "ignored": one.get("ignored", 0), "goals": one.get("goals", 0)}
    names = ("returned", "tried", "muted", "complained", "ignored", "goals")
    moments = later["moments"]
    return {"shares": {name: told[name] / moments if moments else None for name in names}}


def view(request: HttpRequest) -> HttpResponse:
    """GET /attention"""
    try:
        found = source().answer_or_progress({"attention": {}}, patience(request))
    except HarkError as error:
        page = AttentionPage(note=f"{error.message}. {error.hint}".strip())
        return respond(request, "attention.html", page, 400)
    page = AttentionPage(progress=found) if isinstance(found, Progress) else AttentionPage(found)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "attention.html", page)
