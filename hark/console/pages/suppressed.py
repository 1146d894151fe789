"""Suppressed: addresses that nobody writes to, why, and the way back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import source
from hark.decide.reasons import WHY, Why
from hark.decide.suppressions import form
from hark.errors import HarkError
from hark.store.contracts import Suppression
from hark.store.contracts import address as in_one_form

ROWS = 100


class SuppressedPage(Struct, frozen=True):
    """The newest entries that fit."""

    text: str
    why: str
    rows: tuple[Suppression, ...]
    counts: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, str], ...] = tuple((str(why), says) for why, says in WHY.items())
    problem: str = ""
    most: int = ROWS
    handed: str = ""
    """The address that was just handed over: it is on the list, or off it, in a moment."""

    @property
    def asked(self) -> bool:
        return bool(self.text or self.why)


def view(request: HttpRequest) -> HttpResponse:
    """GET /suppressed?text=&why=; POST address and do=add or do=release"""
    if request.method == "POST":
        return _changed(request)
    return respond(request, "suppressed.html", _page(request))


def _page(request: HttpRequest, problem: str = "") -> SuppressedPage:
    text, why = (request.GET.get(key, "").strip() for key in ("text", "why"))
    state = source().state
    return SuppressedPage(
        text,
        why,
        tuple(state.suppressions(text, why, limit=ROWS)),
        tuple(state.suppression_counts().items()),
        problem=problem,
        handed=request.GET.get("handed", ""),
    )


def _changed(request: HttpRequest) -> HttpResponse:
    address = form(request.POST.get("address", ""))
    if not (in_one_form("email", address) or in_one_form("phone", address)):
        problem = "That is no address: write an e-mail address, or a phone number with its country."
        return respond(request, "suppressed.html", _page(request, problem), 400)
    adds = request.POST.get("do") == "add"
    body = {"name": "suppress" if adds else "unsuppress", "address": address, "author": str(request.user)}
    detail = request.POST.get("detail", "").strip()[:300]
    try:
        source().command(body | ({"why": str(Why.TEAM), "detail": detail} if adds else {}))
    except HarkError as error:
        return unavailable(request, f"Nothing was changed: {error.message}. Try again in a moment.")
    return redirect(f"/suppressed?handed={address}")
