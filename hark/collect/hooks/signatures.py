"""Whether a webhook was sent by who holds the secret, and lately: the ways in which providers sign.

Each provider's way is one small function from the request to what was signed (`Signed`); the comparison is
the same for all, takes the same time for every wrong signature, and asks every secret that is good.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct
from standardwebhooks import Webhook

from hark.clock import instant, moment
from hark.collect.refusals import Reason, Refusal
from hark.definitions.mapping import Signature
from hark.model import SECOND, Instant


class Delivery(Struct, frozen=True):
    """One request of a provider, as it came."""

    body: bytes
    headers: Mapping[bytes, bytes]
    url: str
    """The whole address that was called, as the caller knows it."""

    def header(self, name: str) -> str:
        return self.headers.get(name.lower().encode(), b"").decode("latin-1").strip()


class Signed(Struct, frozen=True):
    """What was signed, how, and the signatures given: any of them may be right."""

    given: Sequence[bytes]
    message: bytes
    at: Instant | None = None
    """When it was signed, where the provider says so."""
    algorithm: str = "sha256"


Reader: TypeAlias = Callable[[Delivery, Signature], Signed | None]
"""None: the request is not signed in this way, or what should be a signature can't be read."""


def refusal(delivery: Delivery, how: Signature, secrets: Sequence[str], now: Instant) -> Refusal | None:
    """Why the request is not believed (401); None: it was signed with one of the secrets, lately enough."""
    if not secrets:
        message = "no secret is kept for this source: hark hook secret SOURCE"
        return Refusal(Reason.SIGNATURE_UNKNOWN, message)
    try:
        signed = READERS[how.scheme](delivery, how)
    except (ValueError, OverflowError):
        signed = None
    if signed is None or not signed.given:
        return Refusal(Reason.SIGNATURE_MISSING, f"there is no signature of the kind {how.scheme}")
    if not any(_fits(signed, tag) for secret in secrets for tag in _tags(signed, secret, delivery, how)):
        return Refusal(Reason.SIGNATURE_WRONG, "the signature does not fit: body or secret are others")
    if signed.at is not None and abs(now - signed.at) > how.tolerance_us:
        seconds = abs(now - signed.at) // SECOND
        message = (
            f"signed {seconds} s from now, {how.tolerance_us // SECOND} s are allowed: a replay, or a clock"
        )
        return Refusal(Reason.SIGNATURE_OLD, message)
    return None


def _fits(signed: Signed, tag: bytes) -> bool:
    """Compared one by one in constant time; a tag of another length never fits."""
    return any(hmac.compare_digest(given, tag) for given in signed.given)


def _tags(signed: Signed, secret: str, delivery: Delivery, how: Signature) -> list[bytes]:
    if how.scheme != "standard":
        return [hmac.digest(secret.encode(), signed.message, signed.algorithm)]
    assert signed.at is not None
    try:
        text = Webhook(secret).sign(delivery.header("webhook-id"), moment(signed.at), delivery.body.decode())
    except (ValueError, RuntimeError):
        return []
    return [_base64(text.partition(",")[2])]


def _standard(delivery: Delivery, _: Signature) -> Signed:
    """github.com/standard-webhooks: "v1,BASE64" parted by spaces, time in seconds."""
    parts = [part.partition(",") for part in delivery.header("webhook-signature").split()]
    given = [_base64(tag) for version, _, tag in parts if version == "v1"]
    if not delivery.header("webhook-id"):
        given = []
    return Signed(given, delivery.body, _seconds(delivery.header("webhook-timestamp")))


def _stripe(header: str) -> Reader:
    """docs.stripe.com/webhooks/signature: "t=SECONDS,v1=HEX"; signed is "SECONDS.BODY". Calendly's too."""

    def read(delivery: Delivery, _: Signature) -> Signed | None:
        parts = _pairs(delivery.header(header))
        time = dict(parts).get("t", "")
        given = [_hex(tag) for key, tag in parts if key == "v1"]
        return Signed(given, time.encode() + b"." + delivery.body, _seconds(time)) if time else None

    return read


def _of_body(header: str, prefix: str, encoding: str = "hex", algorithm: str = "sha256") -> Reader:
    """A signature of the body alone; there is no time in it, so only the message id tells a replay."""

    def read(delivery: Delivery, _: Signature) -> Signed | None:
        text = delivery.header(header)
        if not text or not text.startswith(prefix):
            return None
        tag = _hex(text[len(prefix) :]) if encoding == "hex" else _base64(text[len(prefix) :])
        return Signed([tag], delivery.body, algorithm=algorithm)

    return read


def _own(delivery: Delivery, how: Signature) -> Signed | None:
    return _of_body(how.header, how.prefix, how.encoding, how.algorithm)(delivery, how)


def _ghost(delivery: Delivery, _: Signature) -> Signed | None:
    """TryGhost/Ghost, WebhookTrigger.js: "sha256=HEX, t=MILLISECONDS"; signed is BODY, then MILLISECONDS."""
    parts = dict(_pairs(delivery.header("x-ghost-signature")))
    if "sha256" not in parts or not re.fullmatch(r"[0-9]{1,15}", parts.get("t", "")):
        return None
    signed = delivery.body + parts["t"].encode()
    return Signed([_hex(parts["sha256"])], signed, int(parts["t"]) * 1_000)


def _zendesk(delivery: Delivery, _: Signature) -> Signed | None:
    """developer.zendesk.com, "Verifying webhook authenticity": base64 of the HMAC of TIMESTAMP and BODY."""
    text, time = (
        delivery.header("x-zendesk-webhook-signature"),
        delivery.header("x-zendesk-webhook-signature-timestamp"),
    )
    return Signed([_base64(text)], time.encode() + delivery.body, instant(time)) if text and time else None


def _twilio(delivery: Delivery, _: Signature) -> Signed | None:
    """www.twilio.com/docs/usage/security: SHA-1 over the address and the form's fields, sorted by name; for
    JSON over the address, which then has the body's SHA-256 in its query."""
    text = delivery.header("x-twilio-signature")
    signed = delivery.url
    if is_form(delivery.headers):
        fields = parse_qsl(delivery.body.decode(), keep_blank_values=True)
        signed += "".join(name + value for name, value in sorted(set(fields)))
    else:
        digest = dict(parse_qsl(delivery.url.partition("?")[2])).get("bodySHA256", "")
        if not hmac.compare_digest(digest.lower(), hashlib.sha256(delivery.body).hexdigest()):
            return None
    return Signed([_base64(text)], signed.encode(), algorithm="sha1") if text else None


def is_form(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-type", b"").lower().startswith(b"application/x-www-form-urlencoded")


def _pairs(header: str) -> list[tuple[str, str]]:
    """ "a=1,b=2" as pairs."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    return [(key, value) for key, _, value in parts]


def _seconds(text: str) -> Instant:
    """Seconds since 1970, whole, as headers have them. ValueError for another text."""
    if not re.fullmatch(r"[0-9]{1,11}", text):
        raise ValueError("no time in seconds")
    return instant(datetime.fromtimestamp(int(text), UTC))


def _hex(text: str) -> bytes:
    return bytes.fromhex(text)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


READERS: Mapping[str, Reader] = {
    "standard": _standard,
    "stripe": _stripe("stripe-signature"),
    "calendly": _stripe("calendly-webhook-signature"),
    "github": _of_body("x-hub-signature-256", "sha256="),
    "discourse": _of_body("x-discourse-event-signature", "sha256="),
    "typeform": _of_body("typeform-signature", "sha256=", "base64"),
    "shopify": _of_body("x-shopify-hmac-sha256", "", "base64"),
    "ghost": _ghost,
    "zendesk": _zendesk,
    "twilio": _twilio,
    "hmac": _own,
}
