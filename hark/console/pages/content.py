"""The catalogue: who read what is published, at which stage of their decision, and what came later; and the
pages that are read and in no document."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct
from msgspec.structs import replace

from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import source
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress

LISTED = 100


class ContentPage(Struct, frozen=True):
    """The answer of the question `content`, or why there is none."""

    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/content"

    @property
    def items(self) -> list[JSON]:
        return [one | _shares(one["read"]) for one in self.answer["items"][:LISTED]]

    @property
    def formats(self) -> list[JSON]:
        return [one | _shares(one["read"]) for one in self.answer["formats"]]

    @property
    def stages(self) -> list[str]:
        """Those at which anybody read anything."""
        names: list[str] = self.answer["stages"]
        return [name for name in names if any(one["read"]["at_stage"][name] for one in self.answer["items"])]

    @property
    def by_stage(self) -> list[JSON]:
        """Items that were read, with their readers at each of `stages`, and the share for colouring."""
        return [_by_stage(one, self.stages) for one in self.items if one["read"]["readers"]]


def _by_stage(item: JSON, stages: list[str]) -> JSON:
    counts = [item["read"]["at_stage"][name] for name in stages]
    whole = sum(counts)
    return item | {"cells": [{"readers": n, "share": round(100 * n / whole)} for n in counts]}


def _shares(read: JSON) -> JSON:
    """What came later as shares of the readings whose days are over; None where none is."""
    later, gone_on = read["later"], read["gone_on"]
    moments, readers, sent = later["moments"], gone_on["readers"], read["sent"]
    found = {
        name: later[name] / moments if moments else None
        for name in ("returned", "tried", "muted", "complained")
    }
    found |= {way: gone_on[way] / readers if readers else None for way in ("on", "back")}
    found["read_after"] = read["read_after"] / sent if sent else None
    found["goals"] = read["goals"] / sent if sent else None
    return {"shares": found}


class SeenPage(Struct, frozen=True):
    """The answer of the question `pages`, or why there is none."""

    opened: bool
    """Also those that were only opened."""
    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/content/seen?opened=yes" if self.opened else "/content/seen"

    @property
    def pages(self) -> list[JSON]:
        found: list[JSON] = self.answer["pages"]
        return found

    @property
    def drafts(self) -> str:
        """All of them as one text."""
        return "---\n".join(one["draft"] for one in self.pages if one["draft"])


def view(request: HttpRequest) -> HttpResponse:
    """GET /content"""
    return _shown(request, "content.html", {"content": {}}, ContentPage())


def seen(request: HttpRequest) -> HttpResponse:
    """GET /content/seen, with ?opened=yes also pages that were only opened."""
    opened = request.GET.get("opened") == "yes"
    return _shown(request, "content_seen.html", {"pages": {"opened": opened}}, SeenPage(opened))


def _shown(request: HttpRequest, template: str, question: JSON, page: ContentPage | SeenPage) -> HttpResponse:
    """The page with the answer, with how far it is, or with why there is none."""
    try:
        found = source().answer_or_progress(question, patience(request))
    except HarkError as error:
        note = f"{error.message}. {error.hint}".strip()
        return respond(request, template, replace(page, note=note), 400)
    page = replace(page, progress=found) if isinstance(found, Progress) else replace(page, answer=found)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, template, page)
