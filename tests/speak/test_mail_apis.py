"""Mail by providers' APIs: each request as its provider documents it, at a server that answers as told."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from email import message_from_bytes
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from hark.clock import SetClock
from hark.definitions.document import Document
from hark.model import Outcome
from hark.speak.attachments import Attachment
from hark.speak.channels import CHANNELS
from hark.speak.channels.mail_apis import MailApi
from hark.speak.channels.ses import Account, signature
from hark.speak.contract import Answer
from hark.speak.deliver import Deliverer
from tests.speak.letters import AT, HERE, LINKS, PATIENT, row
from tests.speak.provider import Answering, Provider
from tests.speak.test_channels import job

APIS = sorted(name for name, one in CHANNELS.items() if isinstance(one, MailApi))
ID = f"{1:032x}"
LETTER = Document(
    "template",
    "hello",
    1,
    {"channel": "email", "subject": "Hé {{ customer.first_name }}", "html": "<p>Hi & bye</p>"},
)
SAID = ("Hé Ada", "<p>Hi & bye</p>")
ACCEPTED = {
    "brevo": (201, {"messageId": "<1@smtp-relay>"}),
    "mailgun": (200, {"id": "<1@shop.example>", "message": "Queued. Thank you."}),
    "postmark": (200, {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a"}),
    "resend": (200, {"id": "49a3999c"}),
    "sendgrid": (202, None),
    "ses": (200, {"MessageId": "0100"}),
}
"""As each provider's reference shows the answer to a message that it takes."""
NAMED = {
    "brevo": "<1@smtp-relay>",
    "mailgun": "<1@shop.example>",
    "postmark": "b7bc2f4a",
    "resend": "49a3999c",
    "sendgrid": "",
    "ses": "0100",
}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def delivered(provider: Provider, name: str, to: str = "ada@shop.example") -> Outcome:
    """One letter by the deliverer, to the loopback server in the provider's place."""
    status, body = ACCEPTED[name]
    if provider.answers.status == 200:
        provider.answers = Answering(status, json.dumps(body).encode() if body else b"")
    said = {
        "provider": name,
        "address": "Shop <hello@shop.example>",
        "secret_env": "KEY",
        "url": provider.url,
    }
    documents = [Document("sender", "shop", 1, said), LETTER]
    post = Deliverer(
        lambda: documents, LINKS, SetClock(AT), secrets={"KEY": "key:secret"}, timeouts=PATIENT,
        allowed=HERE,
    )  # fmt: skip
    return post(row(1, template="hello", topic="news", to=to))


def one_of(provider: Provider) -> tuple[str, Any, Any]:
    """(path, headers, body) of the only request."""
    (taken,) = provider.taken
    kind = taken.headers["content-type"]
    if kind == "application/json":
        return taken.path, taken.headers, json.loads(taken.body)
    return taken.path, taken.headers, {key: one[0] for key, one in parse_qs(taken.body.decode()).items()}


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_a_letter_is_taken(name: str, provider: Provider) -> None:
    """The provider's own answer for what it takes is *sent*, with the id by which it is known there."""
    outcome = delivered(provider, name)
    assert (outcome.state, outcome.detail) == ("sent", NAMED[name])


def test_sendgrid_is_asked_as_it_documents(provider: Provider) -> None:
    """POST /v3/mail/send: personalizations, content of both parts, our id as custom argument, no tracking."""
    delivered(provider, "sendgrid")
    path, headers, body = one_of(provider)
    assert (path, headers["authorization"]) == ("/mail/send", "Bearer key:secret")
    assert body["personalizations"] == [{"to": [{"email": "ada@shop.example"}]}]
    assert body["from"] == {"email": "hello@shop.example", "name": "Shop"}
    assert (body["subject"], body["content"][1]["type"]) == (SAID[0], "text/html")
    assert "Hi & bye" in body["content"][1]["value"]
    assert body["custom_args"] == {"hark": ID}
    assert not any(one["enable"] for one in body["tracking_settings"].values())
    assert body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_mailgun_is_asked_as_it_documents(provider: Provider) -> None:
    """POST /v3/DOMAIN/messages: a form, Basic api:KEY, our id as variable."""
    delivered(provider, "mailgun")
    path, headers, body = one_of(provider)
    assert path == "/shop.example/messages"
    assert headers["authorization"] == "Basic " + b64encode(b"api:key:secret").decode()
    assert (body["to"], body["subject"], body["v:hark"]) == ("ada@shop.example", SAID[0], ID)
    assert (body["o:tracking-opens"], body["o:tracking-clicks"]) == ("no", "no")
    assert body["h:List-Unsubscribe"].startswith("<https://")


def test_postmark_is_asked_as_it_documents(provider: Provider) -> None:
    """POST /email with the server token, our id as metadata."""
    delivered(provider, "postmark")
    path, headers, body = one_of(provider)
    assert (path, headers["x-postmark-server-token"]) == ("/email", "key:secret")
    assert (body["To"], body["Subject"], body["Metadata"]) == ("ada@shop.example", SAID[0], {"hark": ID})
    assert (body["TrackOpens"], body["TrackLinks"]) == (False, "None")


def test_resend_is_asked_as_it_documents(provider: Provider) -> None:
    """POST /emails, with our id as its Idempotency-Key."""
    delivered(provider, "resend")
    path, headers, body = one_of(provider)
    assert (path, headers["authorization"]) == ("/emails", "Bearer key:secret")
    assert headers["idempotency-key"] == ID
    assert (body["to"], body["subject"]) == (["ada@shop.example"], SAID[0])
    assert json.loads(body["headers"]["X-Metadata"]) == {"hark": ID}


def test_brevo_is_asked_as_it_documents(provider: Provider) -> None:
    """POST /v3/smtp/email with the header api-key."""
    delivered(provider, "brevo")
    path, headers, body = one_of(provider)
    assert (path, headers["api-key"]) == ("/smtp/email", "key:secret")
    assert (body["to"], body["subject"]) == ([{"email": "ada@shop.example"}], SAID[0])
    assert json.loads(body["headers"]["X-Mailin-custom"]) == {"hark": ID}


def test_ses_gets_the_letter_as_it_is(provider: Provider) -> None:
    """POST /v2/email/outbound-emails: the letter's own headers, one-click too, and our id as a tag."""
    delivered(provider, "ses")
    path, headers, body = one_of(provider)
    assert path == "/v2/email/outbound-emails"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert body["EmailTags"] == [{"Name": "hark", "Value": ID}]
    letter = message_from_bytes(b64decode(body["Content"]["Raw"]["Data"]))
    assert (letter["To"], letter["Message-ID"]) == ("ada@shop.example", f"<{ID}@shop.example>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_signature_is_aws_s_own_example() -> None:
    """The request that AWS signs in its reference (ListUsers of IAM, 30 August 2015) has that signature."""
    of = Account("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "X-Amz-Date": "20150830T123600Z",
    }
    url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
    assert signature(of, "GET", url, headers, b"") == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


@pytest.mark.parametrize(("method", "target", "form", "expected"), [
    ("GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("POST", "/", "Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ("GET", "/?Param2=value2&Param1=value1", "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ("GET", "/\u1234", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ("GET", f"/-._~{digits}{ascii_uppercase}{ascii_lowercase}", "",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
])  # fmt: skip
def test_signatures_are_those_of_aws_s_test_suite(method: str, target: str, form: str, expected: str) -> None:
    """The AWS Signature Version 4 test suite: get-vanilla, post-vanilla, post-x-www-form-urlencoded,
    get-vanilla-query-order-key-case, get-utf8 and get-unreserved."""
    of = Account("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
    headers = {"X-Amz-Date": "20150830T123600Z"}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    found = signature(of, method, f"https://example.amazonaws.com{target}", headers, form.encode())
    assert found.partition("Signature=")[2] == expected


@pytest.mark.parametrize("name", APIS)
def test_a_letter_with_a_file_is_built_alike_each_time(name: str) -> None:
    """No boundary is drawn by chance, and the file is in it."""
    made = replace(job(name), secret="k")
    file = Attachment("bill.pdf", "application/pdf", b"%PDF-")
    made = replace(made, envelope=replace(made.envelope, files=(file,)))
    first, again = (CHANNELS[name].build(made) for _ in range(2))
    assert first == again
    assert b"%PDF-" in first.body or b64encode(b"%PDF-") in first.body


@pytest.mark.parametrize(("name", "status", "body"), [
    ("postmark", 422, {"ErrorCode": 406, "Message": "You tried to send to a recipient that is inactive."}),
    ("mailgun", 400, {"message": "to parameter is not a valid address. please check documentation"}),
])  # fmt: skip
def test_an_address_that_is_none_there_is_never_written_to_again(name: str, status: int, body: Any) -> None:
    """The provider's own words are lasting; the same status with others is the message's fault."""
    said = CHANNELS[name].parse(Answer(status, {}, json.dumps(body).encode()))
    assert (said.state, said.permanent) == ("failed", True)
    other = CHANNELS[name].parse(Answer(status, {}, b'{"ErrorCode":300,"message":"something else"}'))
    assert (other.permanent, other.temporary) == (False, False)


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_misbehaviour_is_unknown_but_where_a_repeated_id_is_dropped(name: str, provider: Provider) -> None:
    """A 5xx after the letter was handed over may have been accepted: unknown, but at Resend, which knows our
    id; an answer that never comes is unknown at all of them, and no second request goes out."""
    provider.answers = Answering(502)
    outcome = delivered(provider, name)
    assert outcome.state == ("failed" if name == "resend" else "unknown")
    assert outcome.temporary == (name == "resend")
    provider.answers = Answering(cut=True, status=500)
    assert delivered(provider, name).state == "unknown"
    assert len(provider.taken) == 2


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_a_wrong_key_rests_the_sender_and_blames_no_address(name: str, provider: Provider) -> None:
    """401 is ours: tried again, nobody suppressed; what is no address goes to no provider."""
    provider.answers = Answering(401, b'{"message": "unauthorized"}')
    outcome = delivered(provider, name)
    assert (outcome.state, outcome.temporary, outcome.permanent) == ("failed", True, False)
    bad = delivered(provider, name, to="ada@shop.example\r\nBcc: x@y.example")
    assert (bad.permanent, len(provider.taken)) == (True, 1)
