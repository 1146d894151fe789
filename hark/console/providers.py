"""What mail providers send to our webhooks: proven to be theirs, then read by anymail."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias

import msgspec
from anymail.exceptions import AnymailError
from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent, EventType
from anymail.webhooks.base import AnymailBaseWebhookView
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from msgspec import Struct
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from hark.speak.contract import Answer, Lost, Request
from hark.speak.places import NOWHERE_ELSE
from hark.speak.sns import CONFIRMATION, NotAmazonError, amazon, prove
from hark.speak.wire import Timeouts, Wire

Told: TypeAlias = Any
"""An event of anymail's: AnymailTrackingEvent or AnymailInboundEvent."""
Fetch: TypeAlias = Callable[[str], bytes]

TRACKING = {
    "brevo": "BrevoTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "mailjet": "MailjetTrackingWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "resend": "ResendTrackingWebhookView",
    "sendgrid": "SendGridTrackingWebhookView",
    "ses": "AmazonSESTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
}
INCOMING = {
    "mailgun": "MailgunInboundWebhookView",
    "mailjet": "MailjetInboundWebhookView",
    "postmark": "PostmarkInboundWebhookView",
    "sendgrid": "SendGridInboundWebhookView",
    "ses": "AmazonSESInboundWebhookView",
    "sparkpost": "SparkPostInboundWebhookView",
}
MODULES = {"ses": "amazon_ses"}
SIGNED = {"mailgun": "webhook_signing_key"}
"""By what a provider proves itself; others by user and password in the webhook's address."""
NOT_TAKEN = (SuspiciousOperation, AnymailError, ValueError, KeyError, TypeError, AttributeError)
"""What a request raises that is not proven, or not what the provider says."""


class Mail(Struct, frozen=True):
    """A mail that came in."""

    raw: bytes
    envelope_sender: str | None
    """None where nobody said it; "" for the null sender."""
    recipient: str
    """The SMTP recipient; "" where nobody said it."""


class AskAgainError(Exception):
    """The provider has to come again with user and password: Amazon SNS sends them only then."""


def reported(provider: str, secret: str, request: HttpRequest) -> list[Told]:
    """The reports of a request that proves whose it is. Raises one of NOT_TAKEN where it does not,
    AskAgainError."""
    return _events(_made(provider, TRACKING[provider], secret), provider, secret, request)


def mails(provider: str, secret: str, request: HttpRequest) -> list[Mail]:
    """The mails of a request that proves whose it is; the same errors."""
    made = _Raw if provider == "raw" else _view(provider, INCOMING[provider])
    view = made(**_keys(provider, secret))
    return [_mail(one.message) for one in _events(view, provider, secret, request)]


def _mail(message: Any) -> Mail:
    assert isinstance(message, EmailMessage)
    sender = getattr(message, "envelope_sender", None)
    return Mail(message.as_bytes(), sender, getattr(message, "envelope_recipient", None) or "")


def _made(provider: str, name: str, secret: str) -> Any:
    return _view(provider, name)(**_keys(provider, secret))


def _keys(provider: str, secret: str) -> dict[str, str]:
    return {SIGNED.get(provider, "webhook_secret"): secret}


@lru_cache(maxsize=32)
def _view(provider: str, name: str) -> Any:
    found = getattr(import_module(f"anymail.webhooks.{MODULES.get(provider, provider)}"), name)
    return type(name, (_Ses, found), {}) if provider == "ses" else found


def _events(view: Any, provider: str, secret: str, request: HttpRequest) -> list[Told]:
    if provider == "resend":
        _svix(secret, request)
    else:
        view.run_validators(request)
    found: list[Told] = view.parse_events(request)
    return found


def _svix(secret: str, request: HttpRequest) -> None:
    """Svix signs as Standard Webhooks does, under headers with its own name."""
    names = ("id", "timestamp", "signature")
    given = {f"webhook-{name}": request.headers.get(f"svix-{name}", "") for name in names}
    try:
        Webhook(secret).verify(request.body, given)
    except WebhookVerificationError as error:
        raise SuspiciousOperation(f"not signed by the provider: {error}") from error


class _Raw(AnymailBaseWebhookView):
    """A mail as it is, posted by a mail server of one's own; `to` and `from` say what its envelope did."""

    esp_name = "raw"

    def parse_events(self, request: HttpRequest) -> list[Told]:
        message = AnymailInboundMessage.parse_raw_mime_bytes(request.body)
        message.envelope_recipient = request.GET.get("to", "")
        message.envelope_sender = request.GET.get("from")
        return [AnymailInboundEvent(event_type=EventType.INBOUND, message=message)]


class _Ses:
    """Before anymail's view for SES, which neither checks signatures nor confirms but by a client of its own:
    what comes is Amazon's, and subscriptions are confirmed over our wire."""

    def __init__(self, webhook_secret: str) -> None:
        self.basic_auth = [webhook_secret]
        self.warn_if_no_basic_auth = False
        AnymailBaseWebhookView.__init__(self, webhook_secret=webhook_secret)

    def run_validators(self, request: HttpRequest) -> None:
        if "Authorization" not in request.headers:
            raise AskAgainError
        AnymailBaseWebhookView.run_validators(self, request)
        said = msgspec.json.decode(request.body, type=dict[str, Any])
        prove(said, certificate(amazon(said.get("SigningCertURL"))))

    def auto_confirm_sns_subscription(self, said: dict[str, Any]) -> None:
        """Amazon's wish to be told that this address wants the topic's messages."""
        assert said["Type"] == CONFIRMATION
        fetch(amazon(said.get("SubscribeURL")))


@lru_cache(maxsize=8)
def certificate(url: str) -> bytes:
    """A certificate of Amazon's; they change about once a year."""
    return fetch(url)


def fetch(url: str) -> bytes:
    """What stands at a checked address. Raises NotAmazonError where it cannot be had."""
    answer: Answer | Lost = Wire(NOWHERE_ELSE, Timeouts(5, 5, 10)).exchange(Request(url, b"", method="GET"))
    if isinstance(answer, Lost) or answer.status != 200:
        raise NotAmazonError("Amazon did not answer")
    return answer.body
