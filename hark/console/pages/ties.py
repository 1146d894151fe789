"""The emotional tie: what customers say beside what they do, who is not content, and how that moved."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.clock import moment
from hark.console import ladders
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import source
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress

SPANS = (3, 6, 12)


class TiesPage(Struct, frozen=True):
    """The answer of the question `ties`, or why there is none."""

    months: int
    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def spans(self) -> tuple[int, ...]:
        return SPANS

    @property
    def back(self) -> str:
        return "/ties"

    @property
    def weeks(self) -> int:
        return 4 * self.months

    @property
    def groups(self) -> list[JSON]:
        """Each with how it changed since the first of the months, and the share that came back."""
        before = self.answer["over_time"][0]["customers"]
        return [
            one | {"change": one["customers"] - before.get(one["group"], 0), "back": _share(one["came_back"])}
            for one in self.answer["groups"]
        ]

    @property
    def chart(self) -> JSON:
        names = [one["group"] for one in reversed(self.answer["groups"])]
        days = [f"{moment(one['at']):%Y-%m-%d}" for one in self.answer["over_time"]]
        counts = [[one["customers"].get(name, 0) for name in names] for one in self.answer["over_time"]]
        return ladders.over_time(names, days, counts)

    @property
    def streams(self) -> JSON:
        names = [*(one["group"] for one in reversed(self.answer["groups"])), "not here"]
        ways = [(one["from"], one["to"], one["customers"]) for one in self.answer["moves"]]
        return ladders.moves(names, ways) if ways else None


def _share(found: JSON) -> JSON:
    return None if not found else found["came_back"] / found["customers"]


def view(request: HttpRequest) -> HttpResponse:
    """GET /ties?months=6"""
    given = request.GET.get("months", "")
    months = int(given) if given.isdigit() else SPANS[1]
    try:
        found = source().answer_or_progress({"ties": {"months": months}}, patience(request))
    except HarkError as error:
        page = TiesPage(months, note=f"{error.message}. {error.hint}".strip())
        return respond(request, "ties.html", page, 400)
    page = TiesPage(months, progress=found) if isinstance(found, Progress) else TiesPage(months, found)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "ties.html", page)
