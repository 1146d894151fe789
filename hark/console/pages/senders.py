"""Senders: the accounts by which messages leave, what each still lacks, and what DNS says of its domain."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct
from msgspec.structs import replace

from hark.console import resolver
from hark.console.pages.errors import unavailable
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.parse import definition
from hark.definitions.types import Sender
from hark.errors import HarkError
from hark.model import Ended, Instant
from hark.speak.contract import BadAddressError
from hark.speak.email import address
from hark.speak.endings import sign
from hark.speak.mail_dns import SELECTORS, USUAL, Check, checked
from hark.speak.texts import reachable

VARIABLES = ("secret_env", "password_env", "reports_env", "inbound_env")


class SenderLine(Struct, frozen=True):
    """One sender."""

    name: str
    channel: str
    provider: str
    address: str
    rate_per_s: float
    weight: float
    missing: tuple[str, ...]
    """Environment variables that are not set."""
    over_at: Instant | None = None
    """Since when its endpoint has said that it is over (410); None: it is not."""
    over_said: str = ""


class SendersPage(Struct, frozen=True):
    lines: tuple[SenderLine, ...]


class SenderPage(Struct, frozen=True):
    """One sender, and what was found about its domain."""

    line: SenderLine
    place: str
    """Where it hands messages over."""
    doors: tuple[tuple[str, str], ...]
    """What to give to the provider: (what it is for, address)."""
    domain: str
    """"" for what is no mail."""
    selector: str
    asked: bool
    opened: bool
    """Somebody has just asked to open its endpoint again."""
    unheard: bool
    """Its provider could report what becomes of messages, and cannot reach us."""
    checks: tuple[Check, ...] = ()


def index(request: HttpRequest) -> HttpResponse:
    """GET /senders"""
    here = source()
    over = {one.sender: one for one in here.state.endings()}
    lines = tuple(_line(one, over.get(one.name)) for one in _senders(here))
    return respond(request, "senders.html", SendersPage(lines))


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /senders/NAME?check=yes&selector=; POST: messages go to its endpoint again"""
    here = source()
    sender = next((one for one in _senders(here) if one.name == name), None)
    if sender is None:
        raise Http404
    if request.method == "POST":
        return _open(request, here, name)
    over = next((one for one in here.state.endings() if one.sender == name), None)
    domain, selector = _domain(sender), request.GET.get("selector", "").strip()[:63]
    asked = bool(domain) and request.GET.get("check") == "yes"
    page = SenderPage(
        _line(sender, over),
        sender.url or (f"{sender.host}:{sender.port}" if sender.provider == "smtp" else ""),
        tuple(_doors(here, sender)),
        domain,
        selector,
        asked,
        request.GET.get("opened") == "yes",
        sender.provider == "twilio" and not reachable(here.url),
        _checks(sender, domain, selector) if asked else (),
    )
    return respond(request, "sender.html", page)


def _senders(here: Source) -> list[Sender]:
    found = (definition(one) for one in here.state.documents() if one.kind == "sender")
    return sorted((one for one in found if isinstance(one, Sender)), key=lambda one: (one.channel, one.name))


def _open(request: HttpRequest, here: Source, name: str) -> HttpResponse:
    try:
        here.command({"name": "open", "sender": name, "author": str(request.user)})
    except HarkError as error:
        return unavailable(request, f"Nothing was changed: {error.message}. Try again in a moment.")
    return redirect(f"/senders/{name}?opened=yes")


def _line(one: Sender, ended: Ended | None) -> SenderLine:
    named = (getattr(one, key) for key in VARIABLES)
    missing = tuple(name for name in named if name and not os.environ.get(name))
    line = SenderLine(one.name, one.channel, one.provider, one.address, one.rate_per_s, one.weight, missing)
    here = sign(one, os.environ.get(one.secret_env, ""))
    if ended is None or ended.opened_at or ended.place != here:
        return line
    return replace(line, over_at=ended.at, over_said=ended.said)


def _doors(here: Source, one: Sender) -> Iterator[tuple[str, str]]:
    base = here.url.rstrip("/")
    if one.reports:
        yield f"reports of {one.reports}", f"{base}/reports/{one.name}"
    if one.provider == "twilio" and reachable(base):
        yield "reports of twilio (each text names it; nothing to do)", f"{base}/reports/{one.name}"
    if one.inbound:
        how = "your mail server" if one.inbound == "raw" else one.inbound
        yield f"incoming mail by {how}", f"{base}/inbound/{one.name}"


def _domain(one: Sender) -> str:
    try:
        return str(address(one.address).domain) if one.channel == "email" else ""
    except BadAddressError:
        return ""


def _checks(one: Sender, domain: str, selector: str) -> tuple[Check, ...]:
    replies = one.replies.rpartition("@")[2]
    usual = (*SELECTORS.get(one.reports or one.provider, ()), *USUAL)
    bounces = replies if one.verp else domain
    return checked(domain, bounces, replies, (selector,) if selector else usual, resolver.lookup)
