"""Senders: the accounts by which messages leave, what each still lacks, and what DNS says of its domain."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse
from msgspec import Struct

from hark.console import resolver
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.parse import definition
from hark.definitions.types import Sender
from hark.speak.contract import BadAddressError
from hark.speak.email import address
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
    unheard: bool
    """Its provider could report what becomes of messages, and cannot reach us."""
    checks: tuple[Check, ...] = ()


def index(request: HttpRequest) -> HttpResponse:
    """GET /senders"""
    return respond(request, "senders.html", SendersPage(tuple(_line(one) for one in _senders(source()))))


def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /senders/NAME?check=yes&selector="""
    here = source()
    sender = next((one for one in _senders(here) if one.name == name), None)
    if sender is None:
        raise Http404
    domain, selector = _domain(sender), request.GET.get("selector", "").strip()[:63]
    asked = bool(domain) and request.GET.get("check") == "yes"
    page = SenderPage(
        _line(sender),
        sender.url or (f"{sender.host}:{sender.port}" if sender.provider == "smtp" else ""),
        tuple(_doors(here, sender)),
        domain,
        selector,
        asked,
        sender.provider == "twilio" and not reachable(here.url),
        _checks(sender, domain, selector) if asked else (),
    )
    return respond(request, "sender.html", page)


def _senders(here: Source) -> list[Sender]:
    found = (definition(one) for one in here.state.documents() if one.kind == "sender")
    return sorted((one for one in found if isinstance(one, Sender)), key=lambda one: (one.channel, one.name))


def _line(one: Sender) -> SenderLine:
    named = (getattr(one, key) for key in VARIABLES)
    missing = tuple(name for name in named if name and not os.environ.get(name))
    return SenderLine(one.name, one.channel, one.provider, one.address, one.rate_per_s, one.weight, missing)


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
