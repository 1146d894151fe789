"""Push to browsers and apps: decrypted as a browser would, and asked as each service documents it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from msgspec.structs import replace

from hark.clock import SetClock
from hark.definitions.document import Document
from hark.definitions.types import Sender
from hark.model import Outcome, Trait
from hark.speak.channels import CHANNELS
from hark.speak.channels.apns import Apns
from hark.speak.channels.fcm import Fcm
from hark.speak.channels.web_push import WebPush, private_key, public_key
from hark.speak.contract import Answer, BadAddressError, Envelope, Job, SetupError
from hark.speak.deliver import Deliverer
from hark.speak.places import Allowed
from hark.speak.render import Rendered
from hark.speak.signed import b64
from hark.speak.wire import Timeouts, Wire
from hark.understand.conditions.reachable import address
from tests.speak.apple import Apple
from tests.speak.letters import AT, HERE, LINKS, PATIENT, row
from tests.speak.provider import Answering, Provider

ID = f"{1:032x}"
SAID = Rendered("New for Ada", None, "Shoes came & went", url="https://shop.example/shoes")
VAPID = b64(b"\x07" * 32)
BROWSER = ec.derive_private_key(12345, ec.SECP256R1())
AUTH = b"a" * 16
SUBSCRIBED = {
    "endpoint": "https://push.example/send/abc",
    "keys": {
        "p256dh": b64(BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        "auth": b64(AUTH),
    },
}
TOKEN = "ab" * 32


def job(sender: Sender, to: str, secret: str, message: str = ID, expires: int | None = None) -> Job:
    return Job(SAID, Envelope(message, to, AT, expires_at=expires), sender, secret)


def browser_job(**more: Any) -> Job:
    to = address({"web_push": Trait(SUBSCRIBED, 0, 0)}, "web_push")
    return job(Sender("b", "Shop <hello@shop.example>", "web_push"), to, VAPID, **more)


def test_the_browser_and_nobody_else_reads_it() -> None:
    """Decrypted with the browser's key (RFC 8291) it says title, words and where it leads; another browser,
    and the service that carries it, read nothing."""
    made = WebPush().build(browser_job())
    assert made.url == SUBSCRIBED["endpoint"]
    assert (made.headers["Content-Encoding"], made.headers["TTL"]) == ("aes128gcm", str(28 * 86_400))
    read = http_ece.decrypt(made.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
    assert json.loads(read) == {
        "message": ID, "title": "New for Ada", "body": "Shoes came & went", "url": "https://shop.example/shoes",
    }  # fmt: skip
    assert b"Ada" not in made.body
    other = ec.derive_private_key(54321, ec.SECP256R1())
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(made.body, private_key=other, auth_secret=AUTH, version="aes128gcm")


def test_the_push_service_knows_us_by_vapid() -> None:
    """The token verifies with the key beside it (RFC 8292): for this service, a day at most, our address."""
    made = WebPush().build(browser_job())
    scheme, rest = made.headers["Authorization"].split(" ", 1)
    token, key = (part.split("=", 1)[1] for part in rest.split(", "))
    point = urlsafe_b64decode(key + "=" * (-len(key) % 4))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    said = jwt.decode(
        token, public, ["ES256"], audience="https://push.example", options={"verify_exp": False}
    )
    assert (scheme, said["sub"]) == ("vapid", "mailto:hello@shop.example")
    assert 0 < said["exp"] - AT // 1_000_000 <= 86_400
    assert point == public_key(private_key(VAPID))


def test_each_message_has_a_key_of_its_own_the_same_at_each_attempt() -> None:
    """Two messages share neither salt nor one-time key; the same message is the same bytes."""
    one, again, other = (WebPush().build(browser_job(message=name)).body for name in ("m1", "m1", "m2"))
    assert one == again
    assert one[:16] != other[:16] and one[21:86] != other[21:86]


@pytest.mark.parametrize(
    "to", ["", "https://push.example/x", "http://push.example/x#a.b", "https://p.example/#x.y"]
)
def test_what_is_no_subscription_is_pushed_nowhere(to: str) -> None:
    """Without https, without keys, or with keys that are none: a bad address."""
    with pytest.raises(BadAddressError):
        WebPush().build(job(Sender("b", "a@b.example", "web_push"), to, VAPID))


def test_a_wrong_key_of_ours_is_a_matter_of_setting_up() -> None:
    """No private key, no service account, no .p8: the sender's fault, named."""
    with pytest.raises(SetupError, match="base64url"):
        WebPush().build(replace(browser_job(), secret="nonsense!"))
    with pytest.raises(SetupError, match="service account"):
        Fcm().build(job(Sender("a", channel="push"), "tok", "{}"))
    with pytest.raises(SetupError, match="p8"):
        Apns().build(job(Sender("i", channel="push", account="TEAM123456.KEY1234567.a.b"), TOKEN, "x"))


def test_a_message_that_ends_is_kept_no_longer() -> None:
    """TTL is what is left until it expires."""
    made = WebPush().build(browser_job(expires=AT + 90_000_000))
    assert made.headers["TTL"] == "90"


@pytest.mark.parametrize(("provider", "status", "body"), [
    ("web_push", 404, b""),
    ("web_push", 410, b"gone"),
    ("fcm", 404, b'{"error":{"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}}'),
    ("fcm", 400, b'{"error":{"message":"The registration token is not a valid FCM registration token"}}'),
    ("apns", 410, b'{"reason":"Unregistered","timestamp":1700000000000}'),
    ("apns", 400, b'{"reason":"BadDeviceToken"}'),
])  # fmt: skip
def test_a_device_that_is_gone_gets_nothing_ever(provider: str, status: int, body: bytes) -> None:
    """Each service's words for it are lasting: the address is suppressed."""
    said = CHANNELS[provider].parse(Answer(status, {}, body))
    assert (said.state, said.permanent) == ("failed", True)


@pytest.fixture
def google() -> Iterator[Provider]:
    with Provider() as running:
        yield running


RSA = rsa.generate_private_key(65537, 2048)


def by_fcm(google: Provider) -> Deliverer:
    pem = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "type": "service_account", "project_id": "shop-1", "client_email": "hark@shop-1.example",
        "private_key": pem, "token_uri": f"{google.url}/token",
    }  # fmt: skip
    documents = [
        Document(
            "sender",
            "apps",
            1,
            {"channel": "push", "provider": "fcm", "secret_env": "FCM", "url": google.url},
        ),
        Document(
            "template", "hi", 1, {"channel": "push", "subject": "Hi", "text": "There", "url": "shop://o/7"}
        ),
    ]
    return Deliverer(
        lambda: documents, LINKS, SetClock(AT), secrets={"FCM": json.dumps(account)},
        timeouts=PATIENT, allowed=HERE,
    )  # fmt: skip


def pushed(post: Deliverer, number: int = 1) -> Outcome:
    given = row(number, template="hi", topic=None, to="device-token")
    return post(replace(given, channel="push"))


def test_fcm_is_asked_with_a_token_that_google_gave_once(google: Provider) -> None:
    """A signed grant first, then each message to its device under the project, with the token that came back;
    a token that is refused is asked for anew."""
    CHANNELS["fcm"].__init__()  # type: ignore[misc]  # no token of another test
    google.answers = Answering(
        200, b'{"access_token": "ya29.x", "expires_in": 3600, "name": "projects/shop-1/messages/1"}'
    )
    post = by_fcm(google)
    assert [pushed(post, number).state for number in (1, 2)] == ["sent", "sent"]
    grant, first, second = google.taken
    form = parse_qs(grant.body.decode())
    assert (grant.path, form["grant_type"]) == ("/token", ["urn:ietf:params:oauth:grant-type:jwt-bearer"])
    said = jwt.decode(
        form["assertion"][0], RSA.public_key(), ["RS256"], audience=f"{google.url}/token",
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert (said["iss"], said["scope"]) == (
        "hark@shop-1.example", "https://www.googleapis.com/auth/firebase.messaging",
    )  # fmt: skip
    assert {first.path, second.path} == {"/v1/projects/shop-1/messages:send"}
    assert first.headers["authorization"] == "Bearer ya29.x"
    sent = json.loads(first.body)["message"]
    assert (sent["token"], sent["notification"]) == ("device-token", {"title": "Hi", "body": "There"})
    assert sent["data"] == {"message": ID, "url": "shop://o/7"}


def test_fcm_that_cannot_be_asked_has_sent_nothing(google: Provider) -> None:
    """Where the grant is refused or nobody answers, the message has certainly not left: tried again."""
    CHANNELS["fcm"].__init__()  # type: ignore[misc]
    for how in (Answering(500), Answering(400, b'{"error": "invalid_grant"}'), Answering(cut=True)):
        google.answers = how
        outcome = pushed(by_fcm(google))
        assert (outcome.state, outcome.temporary) == ("failed", True), how
    assert {one.path for one in google.taken} == {"/token"}


def test_apns_is_asked_over_http2(tmp_path: Path) -> None:
    """One connection for several devices; the token verifies with our key and names it; the message has its
    words, and the id by which it replaces itself."""
    key = ec.derive_private_key(777, ec.SECP256R1())
    p8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with Apple(tmp_path) as apple:
        sender = Sender(
            "i", channel="push", provider="apns", account="TEAM123456.KEY1234567.com.shop.app", url=apple.url
        )
        wire = Wire(Allowed.of(["127.0.0.1"]), Timeouts(5, 5, 5), trusted=apple.trusted)
        made = Apns().build(job(sender, TOKEN, p8))
        answer = wire.exchange(made)
        assert isinstance(answer, Answer) and Apns().parse(answer).state == "sent"
        (taken,) = apple.taken
        assert (taken.method, taken.path) == ("POST", f"/3/device/{TOKEN}")
        assert (taken.headers["apns-topic"], taken.headers["apns-push-type"]) == ("com.shop.app", "alert")
        assert taken.headers["apns-id"].replace("-", "") == ID == taken.headers["apns-collapse-id"]
        token = taken.headers["authorization"].removeprefix("bearer ")
        assert jwt.get_unverified_header(token)["kid"] == "KEY1234567"
        said = jwt.decode(token, key.public_key(), ["ES256"], options={"verify_iat": False})
        assert said["iss"] == "TEAM123456" and 0 <= AT // 1_000_000 - said["iat"] < 1800
        body = json.loads(taken.body)
        assert body["aps"]["alert"] == {"title": "New for Ada", "body": "Shoes came & went"}
        apple.answers = Answering(410, b'{"reason": "Unregistered"}')
        gone = wire.exchange(made)
        assert isinstance(gone, Answer) and Apns().parse(gone).permanent
        apple.answers = Answering(cut=True)
        lost = wire.exchange(made)
        assert not isinstance(lost, Answer) and lost.verdict().state == "unknown"
        wire.close()
