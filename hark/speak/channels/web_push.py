"""Web push: to the push service of somebody's browser (RFC 8030), encrypted for that browser alone (RFC
8291), signed by our own key (VAPID, RFC 8292).

The one-time key and the salt of a message follow from our key and its id, so that an attempt is repeated
byte for byte; nobody without our key can guess them.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from urllib.parse import urlsplit

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hark.speak.contract import (
    Answer,
    BadAddressError,
    HttpChannel,
    Job,
    Request,
    SetupError,
    Verdict,
    by_status,
)
from hark.speak.notice import lasts_s, notice
from hark.speak.signed import b64, es256
from hark.understand.conditions.reachable import Subscription, subscription

LONGEST_S = 28 * 24 * 3600
TOKEN_S = 12 * 3600
"""RFC 8292 allows a day."""
_MAILBOX = re.compile(r"[^<>\s]+@[^<>\s]+|<([^<>\s]+@[^<>\s]+)>")
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-4, D.1.2.3)."""


class WebPush(HttpChannel):
    provider, channel = "web_push", "web_push"
    example = (
        'sender: browsers\nchannel: web_push\naddress: "Shop <hello@shop.example>"\nsecret_env: VAPID_KEY\n'
    )

    def build(self, job: Job) -> Request:
        """The secret is the private key, 32 bytes in base64url, as `web-push generate-vapid-keys` makes it;
        the address says whom a push service may ask."""
        to, ours = _subscription(job), private_key(job.secret)
        headers = {
            "TTL": str(lasts_s(job, LONGEST_S)),
            "Urgency": "normal",
            "Topic": job.envelope.message[:32],
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": _vapid(job, ours, to),
        }
        return Request(to.endpoint, sealed(msgspec.json.encode(notice(job)), to, ours, job), headers)

    def parse(self, answer: Answer) -> Verdict:
        """404 and 410: the browser has taken its permission back. A repeated id replaces itself there."""
        if answer.status in (404, 410):
            return Verdict("failed", answer.words(), permanent=True)
        return by_status(answer, idempotent=True)


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Raises SetupError for what is no private key of P-256."""
    try:
        number = int.from_bytes(_bytes(text.strip()), "big")
        return ec.derive_private_key(number, ec.SECP256R1())
    except ValueError as error:
        raise SetupError(
            f"the secret of a sender for web_push is a private key in base64url: {error}"
        ) from None


def public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The 65 bytes that a browser is told (`applicationServerKey`)."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sealed(text: bytes, to: Subscription, ours: ec.EllipticCurvePrivateKey, job: Job) -> bytes:
    """The text for one browser's eyes. Raises BadAddressError for a subscription that is none."""
    secret = ours.private_numbers().private_value.to_bytes(32, "big")
    drawn = hmac.digest(secret, f"web push {job.envelope.message} {to.endpoint}".encode(), "sha512")
    once = ec.derive_private_key(int.from_bytes(drawn[:48], "big") % (_ORDER - 1) + 1, ec.SECP256R1())
    try:
        dh, auth = _bytes(to.p256dh), _bytes(to.auth)
        found: bytes = http_ece.encrypt(text, drawn[48:], private_key=once, dh=dh, auth_secret=auth)
    except (ValueError, TypeError, http_ece.ECEException) as error:
        raise BadAddressError(f"the keys of the subscription are none: {error}") from None
    return found


def _subscription(job: Job) -> Subscription:
    found = subscription(job.envelope.to)
    if found is None:
        raise BadAddressError("not a browser's subscription with https endpoint, p256dh and auth")
    return found


def _vapid(job: Job, ours: ec.EllipticCurvePrivateKey, to: Subscription) -> str:
    parts = urlsplit(to.endpoint)
    mailbox = _MAILBOX.search(job.sender.address)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": job.envelope.at // 1_000_000 + TOKEN_S,
        "sub": "mailto:" + (mailbox[1] or mailbox[0]) if mailbox else "",
    }
    return f"vapid t={es256(claims, ours)}, k={b64(public_key(ours))}"


def _bytes(text: str) -> bytes:
    return b64decode(_padded(text), b"-_", validate=True)


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
