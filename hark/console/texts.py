"""What Twilio posts of a text: proven by its signature, then what became of the message."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from hark.collect.hooks.signatures import Delivery, refusal
from hark.definitions.mapping import Signature
from hark.model import JSON
from hark.speak.reports import NAME, ours
from hark.speak.texts import MESSAGE, callback, reported

RAW = 4_000
"""Characters of what was sent that are kept."""
UNDATED = 0
"""Twilio signs no time; what comes again counts once."""
USUAL = {"https": 443, "http": 80}


def rows(request: HttpRequest, base: str, sender: str, secret: str) -> list[JSON]:
    """The report of a request, if it says what became of a message of ours. Raises SuspiciousOperation
    where it is not signed for the address that the message was sent with."""
    message = ours({NAME: request.GET.get(MESSAGE, "")}, "")
    _prove(request, callback(base, sender, request.GET.get(MESSAGE, "")), secret)
    said = request.body.decode()
    found = reported(dict(parse_qsl(said, keep_blank_values=True)))
    if found is None or not message:
        return []
    about: dict[str, JSON] = {"message": message, "what": found.what, "provider": "twilio"}
    return [about | {"detail": found.detail[:500], "permanent": found.permanent, "raw": said[:RAW]}]


def _prove(request: HttpRequest, url: str, secret: str) -> None:
    headers = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    for one in _ported(url):
        if refusal(Delivery(request.body, headers, one), Signature("twilio"), [secret], UNDATED) is None:
            return
    raise SuspiciousOperation("not signed by Twilio for this address")


def _ported(url: str) -> Iterator[str]:
    """The address, and with or without its port: Twilio signs the one or the other (its own library
    `RequestValidator` asks both)."""
    yield url
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else f"{parts.netloc}:{USUAL[parts.scheme]}"
    yield urlunsplit(parts._replace(netloc=host))
