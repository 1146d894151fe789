"""POST /reports/SENDER: what a mail provider's webhook says, checked and read by anymail."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TypeAlias

import msgspec
from anymail.exceptions import AnymailError
from anymail.signals import EventType, RejectReason
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hark.console.source import Source, source
from hark.definitions.parse import definition
from hark.definitions.types import Sender
from hark.errors import HarkError
from hark.model import JSON
from hark.speak.reports import ours

Reported: TypeAlias = Any
"""anymail's AnymailTrackingEvent."""

VIEWS = {
    "brevo": "BrevoTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "mailjet": "MailjetTrackingWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "sendgrid": "SendGridTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
}
SIGNED = {"mailgun": "webhook_signing_key"}
"""By what a provider proves itself; the others by user and password in the webhook's address."""
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
    """200 once all of it is in the log; 400 for what is not proven, 503 where it cannot be kept now."""
    here = source()
    sender = _sender(here, name)
    if sender is None:
        raise Http404
    if request.method != "POST":
        return HttpResponse()
    secret = os.environ.get(sender.reports_env, "")
    if not secret:
        logging.getLogger(__name__).warning("sender %s: %s is not set", name, sender.reports_env)
        return HttpResponse(f"{sender.reports_env} is not set", status=503, headers={"Retry-After": "60"})
    try:
        found = list(_rows(sender.reports, reported(sender.reports, secret, request)))
        if found:
            here.receipts(found)
    except (SuspiciousOperation, AnymailError, ValueError, KeyError, TypeError, AttributeError) as error:
        return HttpResponse(f"not taken: {type(error).__name__}", status=400)
    except HarkError as error:
        return HttpResponse(error.message, status=503, headers={"Retry-After": "5"})
    return HttpResponse()


def reported(provider: str, secret: str, request: HttpRequest) -> list[Reported]:
    """The reports of a request that proves whose it is. Raises SuspiciousOperation where it does not."""
    made = getattr(import_module(f"anymail.webhooks.{provider}"), VIEWS[provider])
    checking = made(**{SIGNED.get(provider, "webhook_secret"): secret})
    checking.run_validators(request)
    events: list[Reported] = checking.parse_events(request)
    return events


def _sender(here: Source, name: str) -> Sender | None:
    found = (one for one in here.state.documents() if (one.kind, one.name) == ("sender", name))
    typed = next((definition(one) for one in found), None)
    return typed if isinstance(typed, Sender) and typed.reports else None


def _rows(provider: str, events: list[Reported]) -> Iterator[JSON]:
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
                "permanent": what == "bounced" and _lasting(event.reject_reason, detail),
                "raw": msgspec.json.encode(event.esp_event, enc_hook=str).decode()[:RAW],
            }


def _lasting(reason: str | None, detail: str) -> bool:
    """The address does not exist: the provider says so, or the mail server's words do (RFC 3463, 5.1.x)."""
    return reason in LASTING or (reason is None and re.search(r"\b5\.1\.[0-6]\b", detail) is not None)
