"""Reports that are signed: Amazon's by its certificate, Resend's by Svix; and Amazon's confirmations."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from hark.console import providers
from hark.speak.sns import NotAmazonError, amazon
from tests.console.collector import Collector
from tests.console.test_reports import BASIC, ID, SECRET, senders

if TYPE_CHECKING:
    from django.test import Client

__all__ = ["senders"]
pytestmark = pytest.mark.xdist_group("console")
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
TOPIC = "arn:aws:sns:eu-west-1:1:t"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNED = {
    "Notification": ("Message", "MessageId", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token"),
        *("TopicArn", "Type"),
    ),
}
"""By type what is signed, from Amazon's developer guide."""


def pem() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(
        name, name, KEY.public_key(), 7, start, start + datetime.timedelta(days=365)
    ).sign(KEY, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of Amazon; its certificate is ours."""
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return pem()

    monkeypatch.setattr(providers, "fetch", fetch)
    providers.certificate.cache_clear()
    return asked


def sns(kind: str = "Notification", key: rsa.RSAPrivateKey = KEY, version: str = "1", **more: Any) -> Any:
    said = {
        "Type": kind,
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Timestamp": "2026-03-01T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **more,
    }
    text = "".join(f"{name}\n{said[name]}\n" for name in SIGNED[kind])
    form: hashes.HashAlgorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    return said | {"Signature": b64encode(key.sign(text.encode(), PKCS1v15(), form)).decode()}


def event(kind: str, **more: Any) -> str:
    header = {"name": "X-Metadata", "value": json.dumps({"hark": ID})}
    mail = {"messageId": "0100", "destination": ["ada@shop.example"], "headers": [header]}
    return json.dumps({"eventType": kind, "mail": mail, kind.lower(): more})


def bounce(kind: str) -> str:
    gone = {"emailAddress": "ada@shop.example", "diagnosticCode": "smtp; 550 5.1.1 no such user"}
    return event("Bounce", bounceType=kind, bounceSubType="General", bouncedRecipients=[gone])


def post(client: Client, said: Any, headers: dict[str, str] | None = None) -> Any:
    named = {"x-amz-sns-message-type": said["Type"], "x-amz-sns-message-id": said["MessageId"]}
    return client.post(
        "/reports/ses", json.dumps(said), "text/plain; charset=UTF-8", headers=named | (headers or {})
    )


SES = [
    (bounce("Permanent"), "bounced", True),
    (bounce("Transient"), "bounced", False),
    (event("Delivery", recipients=["ada@shop.example"], smtpResponse="250 ok"), "delivered", False),
    (event("Complaint", complainedRecipients=[{"emailAddress": "ada@shop.example"}]), "complained", False),
    (event("Open"), "", False),
]


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(("message", "what", "lasting"), SES)
def test_what_ses_says_is_understood(
    message: str, what: str, lasting: bool, version: str,
    senders: None, fetched: list[str], stranger: Client, collector: Collector,
) -> None:  # fmt: skip
    """By either of Amazon's signatures; only a bounce that it calls permanent suppresses."""
    assert post(stranger, sns(version=version, Message=message), BASIC).status_code == 200
    found = [
        (row["body"]["what"], row["body"]["permanent"], row["body"]["message"]) for row in collector.rows
    ]
    assert found == ([(what, lasting, ID)] if what else [])
    assert fetched == [CERTIFICATE]


def test_what_is_not_amazons_is_refused(
    senders: None, fetched: list[str], stranger: Client, collector: Collector
) -> None:
    """Without a password it is asked for one; another key, a changed word, and a certificate from elsewhere
    are 400, and nothing is fetched from elsewhere."""
    good = sns(Message=SES[0][0])
    asked = post(stranger, good)
    assert (asked.status_code, asked["WWW-Authenticate"]) == (401, 'Basic realm="Hark"')
    elsewhere = [
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://s3.amazonaws.com/x.pem",
    ]
    wrong = [
        sns(Message=SES[0][0], key=OTHER),
        good | {"Message": SES[3][0]},
        good | {"SignatureVersion": "3"},
        good | {"Signature": "?"},
        *(sns(Message=SES[0][0], SigningCertURL=url) for url in elsewhere),
    ]
    assert {post(stranger, one, BASIC).status_code for one in wrong} == {400}
    assert set(fetched) == {CERTIFICATE}
    assert collector.rows == []


def test_a_subscription_is_confirmed_at_amazon_alone(
    senders: None, fetched: list[str], stranger: Client, collector: Collector
) -> None:
    """A proven confirmation is answered at its own address, which must be one of Amazon's."""
    link = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    said = sns("SubscriptionConfirmation", Message="m", Token="t", SubscribeURL=link)
    assert post(stranger, said, BASIC).status_code == 200
    assert fetched == [CERTIFICATE, link]
    evil = sns("SubscriptionConfirmation", Message="m", Token="t", SubscribeURL="https://evil.example/")
    assert post(stranger, evil, BASIC).status_code == 400
    assert len(fetched) == 2
    for url in ("https://sns.x.amazonaws.com:8000/", "https://SNS.eu-west-1.amazonaws.com/", None):
        with pytest.raises(NotAmazonError):
            amazon(url)


WHSEC = "whsec_" + b64encode(b"a secret of thirty two characters").decode()


def svix(body: str, secret: str = WHSEC, at: int | None = None) -> dict[str, str]:
    """Svix's headers: HMAC-SHA256 of id, time and body, under the secret's own bytes."""
    when = str(int(time.time()) if at is None else at)
    key = b64decode(secret.removeprefix("whsec_"))
    tag = hmac.new(key, f"msg_1.{when}.{body}".encode(), hashlib.sha256).digest()
    return {
        "svix-id": "msg_1",
        "svix-timestamp": when,
        "svix-signature": "v1," + b64encode(tag).decode(),
    }


def resend(kind: str, **more: Any) -> str:
    header = {"name": "X-Metadata", "value": json.dumps({"hark": ID})}
    data = {"email_id": "e", "to": ["ada@shop.example"], "headers": [header], **more}
    return json.dumps({"type": f"email.{kind}", "created_at": "2026-03-01T09:00:00.000Z", "data": data})


@pytest.mark.filterwarnings("ignore::Warning")
def test_resend_is_known_by_its_signature(
    senders: None, stranger: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered, bounced and complained are taken; a wrong key, an old time and another body are 400."""
    monkeypatch.setenv("REPORTS", WHSEC)

    def told(body: str, headers: dict[str, str]) -> int:
        return stranger.post("/reports/resend", body, "application/json", headers=headers).status_code

    gone = resend("bounced", bounce={"message": "sent a hard bounce message", "type": "Permanent"})
    full = resend("bounced", bounce={"message": "a bounce message, full", "type": "Transient"})
    for body in (gone, full, resend("delivered"), resend("complained"), resend("opened")):
        assert told(body, svix(body)) == 200
    found = [(row["body"]["what"], row["body"]["permanent"]) for row in collector.rows]
    assert found == [("bounced", True), ("bounced", False), ("delivered", False), ("complained", False)]
    other = "whsec_" + b64encode(b"another secret").decode()
    wrong = [svix(gone, other), svix(gone, at=1_700_000_000), svix(full), {}, BASIC]
    assert [told(gone, headers) for headers in wrong] == [400] * 5
    assert len(collector.rows) == 4
    assert SECRET not in WHSEC
