"""Erasing a customer: what will go and by when, and a confirmation that has to be typed."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.pages.live import who
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import GROUPS, Instant
from hark.settings import read
from hark.store.retention import gone_by


class ErasePage(Struct, frozen=True):
    """Before and after an erasure."""

    subject: int
    who: str
    """What has to be typed."""
    log_until: Instant
    """When the last of the raw requests goes, if it is erased now."""
    problem: str = ""
    done: bool = False


def view(request: HttpRequest, subject: int) -> HttpResponse:
    """GET and POST /customers/SUBJECT/erase"""
    here = source()
    found = here.state.find(f"#{subject}")
    if found is None or found >= GROUPS:
        raise Http404
    if found != subject:
        return redirect(f"/customers/{found}/erase")
    page = ErasePage(subject, who(here, subject), gone_by(here.now(), read(here.data).log_days))
    if request.method != "POST":
        return respond(request, "erase.html", page)
    return _erase(request, here, page)


def _erase(request: HttpRequest, here: Source, page: ErasePage) -> HttpResponse:
    if request.POST.get("confirm", "").strip() != page.who:
        problem = f"That is not “{page.who}”. Nothing was erased."
        asked = ErasePage(page.subject, page.who, page.log_until, problem)
        return respond(request, "erase.html", asked, 400)
    command = {"name": "erase", "customer": f"#{page.subject}", "author": _author(request)}
    try:
        here.command(command)
    except HarkError as error:
        return unavailable(request, f"Nothing was erased: {error.message}. Try again in a moment.")
    return respond(request, "erase.html", ErasePage(page.subject, "", page.log_until, done=True))


def _author(request: HttpRequest) -> str:
    return str(request.user)
