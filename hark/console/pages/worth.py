"""Worth: who is still a customer, what they will buy, and how well that was foretold before."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import prospects
from hark.console.pages.asked import again, patience
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import Progress

WEEKS = 13


class WorthPage(Struct, frozen=True):
    """The answer of the question `worth`, or why there is none."""

    names: tuple[str, ...]
    typed: dict[str, str]
    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/worth"

    @property
    def calibration(self) -> JSON:
        return prospects.calibration(self.answer["checks"])

    @property
    def cumulated(self) -> JSON:
        return prospects.cumulated(self.answer["weeks"])

    @property
    def document(self) -> str:
        """The same as a trait, for conditions and templates."""
        value = f", value: {self.typed['value']}" if self.typed["value"] else ""
        what = "value" if value else "purchases"
        asked = f"event: {self.typed['event']}, what: {what}{value}, ahead: {self.typed['ahead']}w"
        return f"computed: to_come\nworth: {{{asked}}}"


def view(request: HttpRequest) -> HttpResponse:
    """GET /worth?event=Order+Completed&value=revenue&ahead=13&held_back=13"""
    here = source()
    typed = {name: request.GET.get(name, "").strip() for name in ("event", "value", "ahead", "held_back")}
    shown = typed | {name: typed[name] or str(WEEKS) for name in ("ahead", "held_back")}
    page = _page(here, shown, patience(request)) if typed["event"] else WorthPage(here.names(), shown)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "worth.html", page, 400 if page.note else 200)


def _page(here: Source, typed: dict[str, str], patience_s: float) -> WorthPage:
    weeks = {f"{name}_weeks": _number(typed[name]) for name in ("ahead", "held_back")}
    asked = {"event": typed["event"], "value": typed["value"] or None, **weeks}
    try:
        found = here.answer_or_progress({"worth": asked}, patience_s)
    except HarkError as error:
        return WorthPage(here.names(), typed, note=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return WorthPage(here.names(), typed, progress=found)
    return WorthPage(here.names(), typed, found)


def _number(text: str) -> int:
    """0, which the question refuses, where it is no number."""
    return int(text) if text.isdigit() else 0
