"""Push to Apple's devices by APNs: POST {url}/3/device/{token} over HTTP/2, with a token of our own key.

A token may be used for an hour, and made anew no oftener than every twenty minutes; so it is made of the half
hour in which the message is.
"""

from __future__ import annotations

import re

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

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
from hark.speak.signed import es256

HALF_HOUR_S = 1800
LONGEST_S = 30 * 24 * 3600
TOKEN = re.compile("[0-9a-fA-F]{64,200}")
ACCOUNT = re.compile(r"([A-Z0-9]{10})\.([A-Z0-9]{10})\.([A-Za-z0-9.-]+)")
GONE = (b"Unregistered", b"BadDeviceToken", b"DeviceTokenNotForTopic", b"ExpiredToken")
"""Apple's reasons for a device that gets nothing by this token ever."""
OURS = (
    b"ExpiredProviderToken",
    b"InvalidProviderToken",
    b"MissingProviderToken",
    b"TopicDisallowed",
    b"BadTopic",
)


class Apns(HttpChannel):
    provider, channel = "apns", "push"
    example = (
        "sender: iphones\nchannel: push\nprovider: apns\n"
        "account: TEAM123456.KEY1234567.com.example.shop\nsecret_env: APNS_KEY\n"
    )

    def build(self, job: Job) -> Request:
        """`account` is TEAM.KEY.BUNDLE; the secret is the key's .p8 as it is."""
        to, of = job.envelope.to.strip(), ACCOUNT.fullmatch(job.sender.account)
        if not TOKEN.fullmatch(to):
            raise BadAddressError("not a device's token of Apple's (64 or more hexadecimal digits)")
        if of is None:
            raise SetupError("the account of a sender for apns is TEAMID.KEYID.BUNDLE")
        team, key_id, bundle = of.groups()
        at_s = job.envelope.at // 1_000_000
        claims = {"iss": team, "iat": at_s - at_s % HALF_HOUR_S}
        said = notice(job)
        body = {"aps": {"alert": {"title": said.title, "body": said.body}, "thread-id": bundle}}
        headers = {
            "authorization": f"bearer {es256(claims, _key(job.secret), kid=key_id)}",
            "apns-topic": bundle,
            "apns-push-type": "alert",
            "apns-id": _uuid(said.message),
            "apns-collapse-id": said.message[:64],
            "apns-expiration": str(at_s + lasts_s(job, LONGEST_S)),
            "Content-Type": "application/json",
        }
        base = (job.sender.url or "https://api.push.apple.com").rstrip("/")
        sent = msgspec.json.encode({**body, "message": said.message, "url": said.url})
        return Request(f"{base}/3/device/{to}", sent, headers, http2=True)

    def parse(self, answer: Answer) -> Verdict:
        """A notification with the same collapse id replaces itself, so that one is tried again."""
        words = answer.words()
        if answer.status >= 400 and any(one in answer.body for one in GONE):
            return Verdict("failed", words, permanent=True)
        if answer.status in (400, 403) and any(one in answer.body for one in OURS):
            return Verdict("failed", words, temporary=True, ours=True)
        return by_status(answer, idempotent=True)


def _key(secret: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(secret.replace("\\n", "\n").encode(), None)
    except (ValueError, TypeError) as error:
        raise SetupError(f"the secret of a sender for apns is Apple's .p8 file: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SetupError("the secret of a sender for apns is a key of another kind")
    return key


def _uuid(message: str) -> str:
    """Our id in Apple's form: eight, four, four, four and twelve digits."""
    digits = message[:32].ljust(32, "0")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
