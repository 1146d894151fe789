"""Subscriptions: who renews in each period, seen and foretold, and what that was worth of before."""

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

USUAL = {"period_days": "30", "ahead": "12", "held_back": "3"}


class RenewalsPage(Struct, frozen=True):
    """The answer of the question `subscriptions`, or why there is none."""

    names: tuple[str, ...]
    typed: dict[str, str]
    answer: JSON = None
    note: str = ""
    progress: Progress | None = None

    @property
    def back(self) -> str:
        return "/renewals"

    @property
    def chart(self) -> JSON:
        return prospects.renewed(self.answer["periods"])

    @property
    def document(self) -> str:
        """The same as a trait, for conditions and templates."""
        asked = f"period: {self.typed['period_days']}d, ahead: {self.typed['ahead']}"
        events = ", ".join(f"{end}: {_listed(self.typed[end])}" for end in ("start", "end"))
        return f"computed: to_stay\nsubscription: {{{events}, what: periods, {asked}}}"


def _listed(names: str) -> str:
    """ "A|B" as a document has it."""
    return f"[{', '.join(names.split('|'))}]" if "|" in names else names


def view(request: HttpRequest) -> HttpResponse:
    """GET /renewals?start=Subscription+Started&end=Subscription+Cancelled&period_days=30"""
    here = source()
    typed = {name: request.GET.get(name, "").strip() for name in ("start", "end", *USUAL)}
    typed |= {name: typed[name] or usual for name, usual in USUAL.items()}
    asked = bool(typed["start"] and typed["end"])
    page = _page(here, typed, patience(request)) if asked else RenewalsPage(here.names(), typed)
    if request.headers.get("HX-Request"):
        return respond(request, "progress.html", page) if page.progress else again()
    return respond(request, "renewals.html", page, 400 if page.note else 200)


def _page(here: Source, typed: dict[str, str], patience_s: float) -> RenewalsPage:
    numbers = {name: int(typed[name]) if typed[name].isdigit() else 0 for name in USUAL}
    try:
        question = {"subscriptions": {"start": typed["start"], "end": typed["end"], **numbers}}
        found = here.answer_or_progress(question, patience_s)
    except HarkError as error:
        return RenewalsPage(here.names(), typed, note=f"{error.message}. {error.hint}".strip())
    if isinstance(found, Progress):
        return RenewalsPage(here.names(), typed, progress=found)
    return RenewalsPage(here.names(), typed, found)
