"""Every channel found in the package under one contract, and what is special to each, at a real server."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from hark.clock import SetClock, WallClock
from hark.definitions.document import Document
from hark.definitions.parse import parse
from hark.definitions.senders import PROVIDERS
from hark.definitions.types import Sender
from hark.model import Outcome
from hark.speak.channels import CHANNELS
from hark.speak.channels.web_push import public_key
from hark.speak.contract import Answer, Envelope, HttpChannel, Job, Verdict
from hark.speak.deliver import Deliverer
from hark.speak.render import Rendered
from hark.speak.signed import b64
from hark.speak.wire import LONGEST_ANSWER
from tests.speak.letters import AT, HERE, LINKS, PATIENT, SOON, row
from tests.speak.provider import Answering, Provider

DOCS = Path(__file__).resolve().parents[2] / "docs"
NEW, OLD = ("whsec_" + b64encode(letter * 24).decode() for letter in (b"n", b"o"))


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SECRETS = {
    "CRM_WEBHOOK_SECRET": NEW,
    "TWILIO_TOKEN": "t0ken",
    "SLACK_WEBHOOK_URL": "https://hooks.example/x",
    "SES_KEY": "AKIDEXAMPLE:wJalrXUtnFEMI",
    "VAPID_KEY": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
    "FCM_SERVICE_ACCOUNT": json.dumps(
        {
            "project_id": "p",
            "client_email": "a@p.example",
            "private_key": pem(rsa.generate_private_key(65537, 2048)),
        }
    ),
    "APNS_KEY": pem(ec.derive_private_key(7, ec.SECP256R1())),
}
BROWSER = public_key(ec.derive_private_key(5, ec.SECP256R1()))
ADDRESSES = {
    "email": "ada@shop.example",
    "sms": "+15550123",
    "push": "ab" * 32,
    "web_push": f"https://push.example/x#{b64(BROWSER)}.{b64(bytes(16))}",
    "webhook": "",
    "chat": "",
}
HTTP = sorted(name for name, one in CHANNELS.items() if isinstance(one, HttpChannel))


def sender_of(provider: str) -> Sender:
    (document,) = parse(CHANNELS[provider].example)
    assert isinstance(document.definition, Sender)
    return document.definition


def job(provider: str, message: str = "m1") -> Job:
    sender = sender_of(provider)
    said = Rendered("Hello Ada", None, "Come & <see>", data={"a": 1})
    return Job(
        said, Envelope(message, ADDRESSES[sender.channel], AT), sender, SECRETS.get(sender.secret_env, "")
    )


def test_every_provider_of_the_language_is_a_channel_and_the_other_way_round() -> None:
    """What a sender document may name and what the package has are the same, for the same channels."""
    assert {name: one.channel for name, one in PROVIDERS.items()} == {
        name: one.channel for name, one in CHANNELS.items()
    }


@pytest.mark.parametrize("provider", sorted(CHANNELS))
def test_the_example_is_a_document_and_in_the_docs(provider: str) -> None:
    """The example is read as a sender of this provider, and stands in docs/speak.md line by line."""
    assert sender_of(provider).provider == provider
    page = (DOCS / "speak.md").read_text()
    assert all(line in page for line in CHANNELS[provider].example.splitlines())


@pytest.mark.parametrize("provider", sorted(CHANNELS))
def test_building_is_pure(provider: str) -> None:
    """The same job gives the same thing to post, and another message another."""
    built = [CHANNELS[provider].build(job(provider, message)) for message in ("m1", "m1", "m2")]
    assert built[0] == built[1]
    assert provider in ("twilio", "slack") or built[0] != built[2]


@pytest.mark.parametrize("provider", HTTP)
@given(status=st.integers(100, 599), body=st.binary(max_size=80), after=st.text(max_size=5))
def test_every_answer_has_a_meaning(provider: str, status: int, body: bytes, after: str) -> None:
    """Whatever a server answers is a verdict: 2xx sent, anything else not; *unknown* only for a 5xx."""
    said = CHANNELS[provider].parse(Answer(status, {"retry-after": after}, body))
    assert (said.state == "sent") == (200 <= status < 300)
    assert said.state != "unknown" or status >= 500
    assert not (said.permanent and said.temporary)


@pytest.mark.parametrize("provider", HTTP)
def test_being_too_fast_is_waited_for(provider: str) -> None:
    """429 is certainly not processed: again, no sooner than Retry-After says."""
    said = CHANNELS[provider].parse(Answer(429, {"retry-after": "7"}))
    assert (said.state, said.temporary, said.retry_after_s) == ("failed", True, 7.0)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def documents(provider: Provider, **more: Any) -> list[Document]:
    """Senders of all channels over HTTP, at this provider, and templates for them."""
    text = {"channel": "sms", "text": "Hi {{ customer.first_name }}"}
    twilio = {
        "channel": "sms",
        "address": "+15550100",
        "account": "AC1",
        "secret_env": "TOKEN",
        "url": provider.url,
    }
    return [
        Document(
            "sender",
            "crm",
            1,
            {"channel": "webhook", "url": f"{provider.url}/crm", "secret_env": "SIGN"} | more,
        ),
        Document("sender", "texts", 1, twilio | {"url": provider.url}),
        Document("sender", "team", 1, {"channel": "chat", "secret_env": "SLACK"}),
        Document("template", "hello", 1, text),
    ]


def delivered(
    provider: Provider, channel: str, template: str = "", clock: Any = None, **content: Any
) -> Outcome:
    return deliverer(provider, clock)(to_send(channel, template, **content))


def to_send(channel: str, template: str = "", number: int = 1, **content: Any) -> Any:
    given = {"to": ADDRESSES[channel], **content}
    return msgspec.structs.replace(row(number, template=template, topic=None, **given), channel=channel)


def deliverer(provider: Provider, clock: Any = None, given: list[Document] | None = None) -> Deliverer:
    secrets = {"SIGN": f"{NEW} {OLD}", "TOKEN": "t0ken", "SLACK": f"{provider.url}/services/T/B/x"}
    found = documents(provider) if given is None else given
    timeouts = SOON if provider.answers.silent else PATIENT
    return Deliverer(
        lambda: found, LINKS, clock or SetClock(AT), secrets=secrets, timeouts=timeouts, allowed=HERE
    )


def test_a_webhook_is_verified_by_the_library_with_the_new_and_the_old_secret(provider: Provider) -> None:
    """The receiver's own library accepts it by either secret, and the id is the message's."""
    outcome = deliverer(provider, WallClock())(to_send("webhook", body={"basket": "b7"}))
    assert outcome.state == "sent"
    (taken,) = provider.taken
    for secret in (NEW, OLD):
        assert Webhook(secret).verify(taken.body, taken.headers) == {"basket": "b7"}
    assert (taken.path, taken.headers["webhook-id"]) == ("/crm", f"{1:032x}")


def test_without_a_body_a_webhook_says_whom_it_is_about(provider: Provider) -> None:
    """The customer, what started it and the step's data."""
    delivered(provider, "webhook")
    said = msgspec.json.decode(provider.taken[0].body)
    assert said["customer"] == {"id": "ada", "first_name": "Ada"}
    assert (said["event"], said["data"], said["campaign"]) == (
        {"basket_id": "b7"},
        {"percent": 10},
        "come_back",
    )


def test_a_text_is_twilio_s_form(provider: Provider) -> None:
    """The request as Twilio documents it, and its sid is kept."""
    provider.answers = Answering(201, b'{"sid": "SM123", "status": "queued"}')
    outcome = delivered(provider, "sms", "hello")
    assert (outcome.state, outcome.detail) == ("sent", "SM123")
    (taken,) = provider.taken
    assert taken.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert taken.headers["authorization"] == "Basic " + b64encode(b"AC1:t0ken").decode()
    assert parse_qs(taken.body.decode()) == {
        "To": ["+15550123"],
        "From": ["+15550100"],
        "Body": ["Hi Ada"],
        "StatusCallback": [f"https://hark.example/reports/texts?message={1:032x}"],
    }


@pytest.mark.parametrize("code", [21211, 21214, 21610, 21614])
def test_a_number_that_gets_no_texts_is_never_written_to_again(code: int, provider: Provider) -> None:
    """Twilio's codes for no such number, no mobile, and "said STOP"."""
    provider.answers = Answering(400, msgspec.json.encode({"code": code, "message": "no", "status": 400}))
    outcome = delivered(provider, "sms", "hello")
    assert (outcome.state, outcome.permanent, outcome.temporary) == ("failed", True, False)


@pytest.mark.parametrize("to", ["", "0123", "+15550", "+155501234567890123", "+15550123\r\nX: y", "ada"])
def test_what_is_no_number_is_not_sent(to: str, provider: Provider) -> None:
    """Only E.164 goes out; anything else is a bad address."""
    outcome = delivered(provider, "sms", "hello", to=to)
    assert (outcome.permanent, provider.taken) == (True, [])


def test_a_note_to_the_team_has_no_mentions(provider: Provider) -> None:
    """What a customer wrote is text: no link, no mention of everybody."""
    delivered(
        provider,
        "chat",
        says="{{ customer.first_name }} says {{ data.word }}",
        data={"word": "<!channel> & co"},
    )
    (taken,) = provider.taken
    assert taken.path == "/services/T/B/x"
    assert msgspec.json.decode(taken.body) == {"text": "Ada says &lt;!channel&gt; &amp; co"}


UNSURE = [Answering(cut=True), Answering(silent=True), Answering(500), Answering(502), Answering(504)]


@pytest.mark.parametrize("how", UNSURE)
def test_what_may_have_been_accepted_is_unknown(how: Answering, provider: Provider) -> None:
    """A text taken whole whose answer is lost or a 5xx may be on its way: unknown, and said once."""
    provider.answers = how
    assert delivered(provider, "sms", "hello").state == "unknown"
    assert len(provider.taken) == 1


def test_a_webhook_that_fails_is_tried_again_under_the_same_id(provider: Provider) -> None:
    """A 5xx is repeated, since the receiver knows the id; the id is the same at each attempt."""
    provider.answers = Answering(503, headers={"Retry-After": "120"})
    outcome = delivered(provider, "webhook")
    assert (outcome.temporary, outcome.retry_after_us) == (True, 120_000_000)
    delivered(provider, "webhook")
    assert len({taken.headers["webhook-id"] for taken in provider.taken}) == 1 < len(provider.taken)


@pytest.mark.parametrize("status", [302, 400, 404, 413, 422, 429, 500, 504])
def test_a_webhook_is_taken_by_2xx_alone(status: int) -> None:
    """Whatever else is answered is a failure that is tried again (Standard Webhooks)."""
    said = CHANNELS["webhook"].parse(Answer(status))
    assert (said.state, said.temporary, said.permanent) == ("failed", True, False)


def test_an_endpoint_that_is_gone_is_left_alone(provider: Provider) -> None:
    """After a 410 nothing more goes there; the messages fail and say why."""
    provider.answers = Answering(410)
    post = deliverer(provider)
    said = [post(to_send("webhook", number=number)) for number in (1, 2)]
    assert [one.state for one in said] == ["failed", "failed"]
    assert not said[1].temporary
    assert "over" in said[1].detail
    assert len(provider.taken) == 1


def test_redirects_are_not_followed(provider: Provider) -> None:
    """A redirect, wherever it leads, is a failure of the endpoint."""
    provider.answers = Answering(307, headers={"Location": f"{provider.url}/other"})
    assert delivered(provider, "webhook").state == "failed"
    assert len(provider.taken) == 1


def test_an_endless_answer_is_read_up_to_the_limit(provider: Provider) -> None:
    """A status is enough: a body of megabytes is not read."""
    provider.answers = Answering(200, b"x" * (40 * LONGEST_ANSWER))
    outcome = delivered(provider, "webhook")
    assert outcome.state == "sent"
    assert len(outcome.detail) <= 500


def test_what_one_sender_did_not_take_goes_to_the_next_at_once(provider: Provider) -> None:
    """A sender that is down costs nothing where another can: a spare of weight 0 takes over."""
    down = {"channel": "webhook", "url": "http://127.0.0.1:9/x", "secret_env": "SIGN"}
    given = [Document("sender", "aaa_down", 1, down), *documents(provider, weight=0)]
    post = deliverer(provider, given=given)
    assert [post(to_send("webhook", number=number)).state for number in range(3)] == ["sent"] * 3


def test_what_may_have_been_accepted_goes_to_no_other(provider: Provider) -> None:
    """An unknown outcome ends the attempt: a second sender would make a second message."""
    provider.answers = Answering(cut=True)
    more = {"channel": "webhook", "url": f"{provider.url}/second", "secret_env": "SIGN"}
    post = deliverer(provider, given=[Document("sender", "zzz", 1, more), *documents(provider)])
    assert post(to_send("webhook")).state == "unknown"
    assert len(provider.taken) == 1


def test_a_step_may_name_its_sender(provider: Provider) -> None:
    """Only the named sender is used; a name that is none waits and says so."""
    assert delivered(provider, "webhook", sender="crm").state == "sent"
    outcome = delivered(provider, "webhook", sender="nobody")
    assert (outcome.state, outcome.temporary) == ("failed", True)
    assert "'nobody'" in outcome.detail


def test_a_secret_that_is_not_set_is_named(provider: Provider) -> None:
    """The message waits, and says which variable is missing."""
    post = Deliverer(lambda: documents(provider), LINKS, SetClock(AT), allowed=HERE)
    outcome = post(to_send("webhook"))
    assert (outcome.state, outcome.temporary) == ("failed", True)
    assert "'SIGN'" in outcome.detail


def test_secrets_are_not_in_what_is_told(provider: Provider) -> None:
    """No outcome's words have a secret in them."""
    provider.answers = Answering(401, b"who are you")
    assert "t0ken" not in delivered(provider, "sms", "hello").detail
    assert NEW not in delivered(provider, "webhook").detail


def test_a_wrong_key_is_our_fault() -> None:
    """A wrong key says nothing of the address: waited for, and no address is suppressed."""
    said = CHANNELS["twilio"].parse(Answer(401, {}, b'{"code": 20003}'))
    assert said == Verdict("failed", '401 {"code": 20003}', temporary=True, ours=True)
