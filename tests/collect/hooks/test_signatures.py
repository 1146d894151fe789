"""Only who holds the secret is believed, and only lately: each provider's way of signing.

Known signatures are the providers' own published examples; the others are made here from the words of their
documentation, with nothing of the code under test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hark.clock import instant, moment
from hark.collect.hooks.signatures import READERS, Delivery, refusal
from hark.collect.refusals import Reason
from hark.definitions.mapping import Signature
from hark.definitions.sources import SCHEMES
from hark.model import MINUTE, SECOND

NOW = instant("2026-11-23T12:00:00Z")
BODY = '{"id": "evt_1", "name": "Zoë"}'.encode()
SECRET = "a-secret-of-theirs"
WHSEC = "whsec_" + base64.b64encode(b"a secret of 24 bytes, or").decode()
URL = "https://hark.example/hooks/shop"

Headers = Mapping[str, str]


def mac(message: bytes, algorithm: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), message, getattr(hashlib, algorithm)).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def seconds(at: int) -> str:
    return str(at // SECOND)


def standard(at: int) -> Headers:
    """github.com/standard-webhooks/standard-webhooks, spec: base64 of the HMAC of "id.seconds.body"."""
    signed = f"msg_1.{seconds(at)}.".encode() + BODY
    tag = b64(hmac.new(base64.b64decode(WHSEC[6:]), signed, hashlib.sha256).digest())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": seconds(at),
        "webhook-signature": f"v1,bm9wZQ== v1,{tag}",
    }


def stripe_like(header: str) -> Callable[[int], Headers]:
    def make(at: int) -> Headers:
        time = seconds(at)
        old, new = mac(b"x").hex(), mac(time.encode() + b"." + BODY).hex()
        return {header: f"t={time},v1={old},v1={new},v0={old}"}

    return make


def ghost(at: int) -> Headers:
    time = str(at // 1_000)
    return {"X-Ghost-Signature": f"sha256={mac(BODY + time.encode()).hex()}, t={time}"}


def zendesk(at: int) -> Headers:
    time = moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "X-Zendesk-Webhook-Signature": b64(mac(time.encode() + BODY)),
        "X-Zendesk-Webhook-Signature-Timestamp": time,
    }


TIMED: dict[str, Callable[[int], Headers]] = {
    "standard": standard,
    "stripe": stripe_like("Stripe-Signature"),
    "calendly": stripe_like("Calendly-Webhook-Signature"),
    "ghost": ghost,
    "zendesk": zendesk,
}
UNTIMED: dict[str, Headers] = {
    "github": {"X-Hub-Signature-256": "sha256=" + mac(BODY).hex()},
    "discourse": {"X-Discourse-Event-Signature": "sha256=" + mac(BODY).hex()},
    "typeform": {"Typeform-Signature": "sha256=" + b64(mac(BODY))},
    "shopify": {"X-Shopify-Hmac-Sha256": b64(mac(BODY))},
    "twilio": {
        "X-Twilio-Signature": b64(
            mac(f"{URL}?bodySHA256={hashlib.sha256(BODY).hexdigest()}".encode(), "sha1")
        )
    },
    "hmac": {"X-Mine": "v=" + b64(mac(BODY, "sha512"))},
}
OWN = {"hmac": Signature("hmac", header="X-Mine", algorithm="sha512", encoding="base64", prefix="v=")}


def delivery(headers: Headers, scheme: str = "", body: bytes = BODY) -> Delivery:
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}" if scheme == "twilio" else URL
    return Delivery(body, {name.lower().encode(): value.encode() for name, value in headers.items()}, url)


def reason(scheme: str, headers: Headers, body: bytes = BODY, secret: str = "", **more: Any) -> Reason | None:
    how = OWN.get(scheme, Signature(scheme, **more))
    kept = secret or (WHSEC if scheme == "standard" else SECRET)
    found = refusal(delivery(headers, scheme, body), how, ["another-secret", kept], NOW)
    return found.reason if found else None


def test_every_scheme_of_the_language_is_known_and_tested() -> None:
    """What a definition may name is what can be checked, and what stands in these tables."""
    assert set(SCHEMES) == set(READERS) == {*TIMED, *UNTIMED}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_right_signature_is_believed(scheme: str) -> None:
    """By any of the secrets that are good, and where several signatures are given by any of them."""
    headers = UNTIMED.get(scheme) or TIMED[scheme](NOW)
    assert reason(scheme, headers) is None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_body_secret_or_nothing_is_not(scheme: str) -> None:
    """One other byte, another secret, no header, a header that is no signature: 401, by its own name."""
    headers = UNTIMED.get(scheme) or TIMED[scheme](NOW)
    wrong, missing = Reason.SIGNATURE_WRONG, Reason.SIGNATURE_MISSING
    assert reason(scheme, headers, body=BODY + b" ") == wrong
    assert reason(scheme, headers, secret="whsec_bm90IHRoZSBzZWNyZXQ=") == wrong
    assert reason(scheme, {}) == missing
    assert reason(scheme, dict.fromkeys(headers, "nonsense, ünd")) in (missing, wrong)


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize(
    ("away", "found"),
    [
        (-5 * MINUTE, None),
        (5 * MINUTE, None),
        (-5 * MINUTE - SECOND, Reason.SIGNATURE_OLD),
        (5 * MINUTE + SECOND, Reason.SIGNATURE_OLD),
        (-2 * 24 * 60 * MINUTE, Reason.SIGNATURE_OLD),
    ],
)
def test_what_was_signed_long_ago_is_a_replay(scheme: str, away: int, found: Reason | None) -> None:
    """Five minutes either way are allowed, a second more is not."""
    assert reason(scheme, TIMED[scheme](NOW + away)) == found


def test_the_tolerance_is_a_setting() -> None:
    """A minute may be all that is allowed."""
    headers = TIMED["stripe"](NOW - 2 * MINUTE)
    assert reason("stripe", headers, tolerance_us=MINUTE) == Reason.SIGNATURE_OLD


def test_the_time_is_under_the_signature() -> None:
    """A new time under an old signature does not make it new."""
    old = TIMED["stripe"](NOW - 60 * MINUTE)["Stripe-Signature"]
    moved = old.replace(seconds(NOW - 60 * MINUTE), seconds(NOW))
    assert reason("stripe", {"Stripe-Signature": moved}) == Reason.SIGNATURE_WRONG


def test_without_a_secret_nothing_is_believed() -> None:
    """A mapping that asks for a signature, a source without a secret: 401 and what to do about it."""
    found = refusal(delivery(TIMED["stripe"](NOW)), Signature("stripe"), [], NOW)
    assert found
    assert (found.reason, found.status) == (Reason.SIGNATURE_UNKNOWN, 401)
    assert "hark hook secret" in found.message


def test_githubs_published_example() -> None:
    """docs.github.com, "Validating webhook deliveries", *Testing the webhook payload validation*."""
    headers = {
        "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    given = delivery(headers, body=b"Hello, World!")
    assert refusal(given, Signature("github"), ["It's a Secret to Everybody"], NOW) is None


def test_twilios_published_example() -> None:
    """www.twilio.com/docs/usage/security, *Validating signatures*: the address and the sorted form."""
    form = "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"
    headers = {
        b"content-type": b"application/x-www-form-urlencoded; charset=UTF-8",
        b"x-twilio-signature": b"0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
    }
    given = Delivery(form.encode(), headers, "https://mycompany.com/myapp.php?foo=1&bar=2")
    assert refusal(given, Signature("twilio"), ["12345"], NOW) is None
    other = Delivery(form.encode(), headers, "https://mycompany.com/myapp.php?foo=1&bar=3")
    assert refusal(other, Signature("twilio"), ["12345"], NOW)
