"""POST /reports/SENDER: what a provider's webhook says; of mail it is checked and read by anymail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from anymail.signals import EventType, RejectReason
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hark.console import texts
from hark.console.doors import opened
from hark.console.providers import Told, reported
from hark.console.source import Source
from hark.definitions.types import Sender
from hark.model import JSON
from hark.speak.reports import ours

SAYS = {
    EventType.DELIVERED: "delivered",
    EventType.BOUNCED: "bounced",
    EventType.REJECTED: "bounced",
    EventType.FAILED: "bounced",
    EventType.COMPLAINED: "complained",
}
"""What of its vocabulary is a message's life; opens and clicks are ours to count, where they are wanted."""
LASTING = (RejectReason.BOUNCED, RejectReason.INVALID)
RAW = 4_000
"""Characters of what was sent that are kept."""


@csrf_exempt
@login_not_required
def view(request: HttpRequest, name: str) -> HttpResponse:
    """Reports into the log's urgent lane (`doors.opened`)."""

    def take(here: Source, sender: Sender, secret: str) -> str:
        if sender.channel == "sms":
            found = texts.rows(request, here.url, sender.name, secret)
        else:
            found = list(_rows(sender.reports, reported(sender.reports, secret, request)))
        if found:
            here.receipts(found)
        return ""

    return opened(request, name, _proof, take)


def _proof(sender: Sender) -> str:
    """The variable that holds what proves a report; Twilio signs with what we ask it with."""
    return sender.secret_env if sender.channel == "sms" else sender.reports_env


def _rows(provider: str, events: list[Told]) -> Iterator[JSON]:
    for event in events:
        what, message = SAYS.get(event.event_type), ours(event.metadata or {}, event.message_id or "")
        if what and message:
            said = (event.mta_response, event.description, event.reject_reason)
            detail = " ".join(dict.fromkeys(str(one) for one in said if one))[:500]
            yield {
                "message": message,
                "what": what,
                "provider": provider,
                "detail": detail,
                "permanent": what == "bounced" and _lasting(event, detail),
                "raw": msgspec.json.encode(event.esp_event, enc_hook=str).decode()[:RAW],
            }


def _lasting(event: Told, detail: str) -> bool:
    """The address does not exist: the provider says so, or the mail server's words do (RFC 3463, 5.1.x)."""
    kind = _kind(event.esp_event)
    if kind:
        return kind == "Permanent"
    reason = event.reject_reason
    return reason in LASTING or (reason is None and re.search(r"\b5\.1\.[0-6]\b", detail) is not None)


def _kind(said: JSON) -> str:
    """Of SES and Resend: Permanent, Transient or Undetermined, which anymail puts together; else ""."""
    if not isinstance(said, dict):
        return ""
    ses, resend = said.get("bounce"), (said.get("data") or {})
    bounce = ses if isinstance(ses, dict) else resend.get("bounce") if isinstance(resend, dict) else None
    found = (bounce.get("bounceType") or bounce.get("type")) if isinstance(bounce, dict) else None
    return str(found or "")
