"""Champions: who speaks well of us, why it is thought so, and whom they brought."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import source
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress

TOPS = (20, 50, 200)


class ChampionsPage(Struct, frozen=True):
    """The answer of the question `champions`, or why there is none."""

    top: int
    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def tops(self) -> tuple[int, ...]:
        return TOPS

    @property
    def back(self) -> str:
        return "/champions"

    @property
    def compared(self) -> JSON:
        """Shares of the brought and of the others, and their difference in points; None: too few."""
        told: Any = self.answer["friends"]
        if not told["difference"]:
            return None
        shares = {arm: told[arm]["goals"] / told[arm]["subjects"] for arm in ("brought", "alone")}
        return {**shares, **{end: 100 * told["difference"][end] for end in ("low", "high")}}


def view(request: HttpRequest) -> HttpResponse:
    """GET /champions?top=20"""
    given = request.GET.get("top", "")
    top = int(given) if given.isdigit() else TOPS[0]
    try:
        found = source().answer_or_progress({"champions": {"top": top}}, patience(request))
    except HarkError as error:
        page = ChampionsPage(top, note=f"{error.message}. {error.hint}".strip())
        return respond(request, "champions.html", page, 400)
    page = ChampionsPage(top, progress=found) if isinstance(found, Progress) else ChampionsPage(top, found)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "champions.html", page)
