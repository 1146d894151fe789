"""What became of a text, from the address that Twilio is given with it to the customer's history."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from django.test import override_settings

from hark.console.source import Source
from hark.decide.why import explain
from hark.model import HOUR, Lane
from hark.speak.deliver import Deliverer
from hark.speak.texts import reachable
from hark.store.contracts import NewRow
from tests.console.collector import Collector
from tests.engine.world import World
from tests.speak.letters import HERE, LINKS, PATIENT
from tests.speak.provider import Answering, Provider

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
TOKEN = "an-auth-token"
CODES = """
campaign: codes
transactional: true
trigger: {event: Code Wanted}
reenter: always
steps: [{send: {channel: sms, template: code}}]
---
template: code
channel: sms
text: Your code
---
sender: texts
channel: sms
address: '+15550100'
account: AC1
secret_env: TWILIO_TOKEN
url: URL
"""


class Shop:
    """A workspace whose texts go to a Twilio on loopback; `door` is where it was told to report Ada's."""

    def __init__(self, world: World, twilio: Provider, collector: Collector) -> None:
        self.world, self.twilio, self.collector = world, twilio, collector
        self.deliver = Deliverer(
            world.reader.documents, LINKS, world.clock, secrets={"TWILIO_TOKEN": TOKEN}, timeouts=PATIENT,
            allowed=HERE,
        )  # fmt: skip

    def fold(self) -> None:
        engine = self.world.engine(self.deliver)
        while engine.tick():
            pass
        engine.close()
        self.world.engine(self.deliver).catch_up()

    @property
    def door(self) -> str:
        return parse_qs(self.twilio.taken[0].body.decode())["StatusCallback"][0]

    def on(self) -> None:
        """What the collector was given goes into the log, and the engine folds it."""
        for row in self.collector.rows:
            body = msgspec.json.encode(row["body"])
            made = NewRow(Lane(row["lane"]), self.world.clock.now(), row["source"], row["kind"], body)
            self.world.log.append([made])
        self.collector.rows.clear()
        self.fold()

    def said(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(one.properties) for one in self.world.events() if one.name == name]

    @property
    def state(self) -> str:
        (row,) = self.world.reader.outbox()
        return row.state


@pytest.fixture
def texts(tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("TWILIO_TOKEN", TOKEN)
    world = World(tmp_path)
    with Provider() as twilio:
        twilio.answers = Answering(201, b'{"sid": "SM1", "status": "queued"}')
        world.define(CODES.replace("URL", twilio.url))
        world.identify("ada", phone="+15550123")
        world.track("ada", "Code Wanted")
        texts = Shop(world, twilio, collector)
        texts.fold()
        yield texts


@pytest.fixture
def here(texts: Shop, ann: Client) -> Iterator[Client]:
    from django.conf import settings

    found = Source(texts.world.data, settings.HARK_SOURCE.clock, LINKS.base)
    found._control = settings.HARK_SOURCE._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield ann


def fields(status: str, **more: str) -> dict[str, str]:
    """A status callback as Twilio's guide *Track the message status of outbound messages* shows it."""
    return {
        "SmsSid": "SM1",
        "SmsStatus": status,
        "MessageStatus": status,
        "To": "+15550123",
        "MessageSid": "SM1",
        "AccountSid": "AC1",
        "From": "+15550100",
        "ApiVersion": "2010-04-01",
        **more,
    }


def tag(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    """By www.twilio.com/docs/usage/security: the address, then each field's name and value, sorted."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def tell(client: Client, url: str, form: dict[str, str], signature: str | None = None) -> int:
    parts = urlsplit(url)
    headers = {"X-Twilio-Signature": tag(url, form) if signature is None else signature}
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    return client.post(
        f"{parts.path}?{parts.query}", urlencode(form), content_type=kind, headers=headers
    ).status_code


def test_a_text_that_arrived_is_delivered_once(texts: Shop, here: Client, stranger: Client) -> None:
    """The text names our address; its steps on the way are nothing, *delivered* is in the history once,
    whatever comes again or too late."""
    message = texts.world.reader.outbox()[0].message
    assert texts.door == f"https://hark.example/reports/texts?message={message}"
    for status in ("accepted", "queued", "sending", "sent"):
        assert tell(stranger, texts.door, fields(status)) == 200
    assert texts.collector.rows == []
    for status in ("delivered", "sent", "delivered", "read"):
        assert tell(stranger, texts.door, fields(status)) == 200
    assert {(row["lane"], row["kind"]) for row in texts.collector.rows} == {(0, "receipt")}
    texts.on()
    (said,) = texts.said("Message Delivered")
    assert (texts.state, said["provider"], said["message"]) == ("delivered", "twilio", message)
    assert "MessageStatus=delivered" in said["raw"] and "MessageSid=SM1" in said["raw"]
    assert any(line.event == "Message Delivered" for line in explain(texts.world.events()))


@pytest.mark.parametrize(
    ("status", "code", "lasting"),
    [
        ("undelivered", "30003", False),  # handset off or out of reach
        ("undelivered", "30005", True),  # nobody's number any more
        ("undelivered", "30006", True),  # a landline
        ("undelivered", "30007", False),  # the carrier filtered it
        ("failed", "21610", True),  # said STOP
        ("failed", "30001", False),  # Twilio's queue overflowed
        ("failed", "", False),
    ],
)
def test_a_text_that_did_not_arrive_came_back(
    status: str, code: str, lasting: bool, texts: Shop, here: Client, stranger: Client
) -> None:
    """Bounced with Twilio's code; only a number that never gets texts is suppressed; a late *delivered*
    does not undo it."""
    said = fields(status, **({"ErrorCode": code} if code else {}))
    assert tell(stranger, texts.door, said) == 200
    assert tell(stranger, texts.door, fields("delivered")) == 200
    texts.on()
    (bounced,) = texts.said("Message Bounced")
    assert (texts.state, bounced["permanent"]) == ("bounced", lasting)
    assert bounced["detail"] == (code or "not delivered")
    assert [one["address"] for one in texts.said("Address Suppressed")] == ["+15550123"] * lasting
    assert texts.said("Message Delivered") == []


def test_an_answer_that_was_lost_is_found_again(texts: Shop, here: Client, stranger: Client) -> None:
    """A text whose answer was cut off waits to be sent once more; the report ends that: it was taken."""
    texts.twilio.answers = Answering(cut=True)
    texts.world.identify("bob", phone="+15550124")
    texts.world.track("bob", "Code Wanted")
    texts.fold()
    assert sorted(row.state for row in texts.world.reader.outbox()) == ["sent", "wanted"]
    url = parse_qs(texts.twilio.taken[1].body.decode())["StatusCallback"][0]
    tell(stranger, url, fields("delivered"))
    texts.on()
    texts.world.clock.at += HOUR
    texts.fold()
    assert sorted(row.state for row in texts.world.reader.outbox()) == ["delivered", "sent"]
    assert len(texts.twilio.taken) == 2


def test_what_twilio_did_not_sign_is_refused(
    texts: Shop, here: Client, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another token, another message's address, a changed field, none at all: 400. 503 while the log cannot
    take it or the token is not set. The port may be signed or not."""
    form = fields("delivered")
    other = texts.door[:-1] + ("0" if texts.door[-1] != "0" else "1")
    wrong = [
        tell(stranger, texts.door, form, tag(texts.door, form, "guess")),
        tell(stranger, other, form, tag(texts.door, form)),
        tell(stranger, texts.door, fields("failed"), tag(texts.door, form)),
        tell(stranger, texts.door, form, ""),
    ]
    assert wrong == [400] * 4
    assert texts.collector.rows == []
    ported = texts.door.replace("hark.example", "hark.example:443")
    assert tell(stranger, texts.door, form, tag(ported, form)) == 200
    assert len(texts.collector.rows) == 1
    stray = f"https://hark.example/reports/texts?{urlencode({'message': 'x'})}"
    assert tell(stranger, stray, form) == 200
    assert len(texts.collector.rows) == 1
    texts.collector.fails = True
    assert tell(stranger, texts.door, form) == 503
    monkeypatch.delenv("TWILIO_TOKEN")
    assert tell(stranger, texts.door, form) == 503


def test_the_senders_page_says_whether_texts_are_reported(texts: Shop, here: Client) -> None:
    """The address that each text names; where Twilio could not reach us, what to do."""
    assert "https://hark.example/reports/texts" in here.get("/senders/texts").content.decode()
    from django.conf import settings

    with override_settings(
        HARK_SOURCE=Source(texts.world.data, settings.HARK_SOURCE.clock, "http://127.0.0.1:8000")
    ):
        page = here.get("/senders/texts").content.decode()
    assert "base_url" in page and "/reports/texts" not in page


@pytest.mark.parametrize(
    ("base", "can"),
    [
        ("https://hark.example", True),
        ("https://hark.example:8443/x", True),
        ("http://93.184.216.34", True),
        ("http://127.0.0.1:8000", False),
        ("http://localhost:8000", False),
        ("http://[::1]:8000", False),
        ("https://10.0.0.7", False),
        ("https://192.168.1.5", False),
        ("https://hark", False),
        ("https://hark.local", False),
        ("https://preview.invalid", False),
        ("https://my_hark.example", False),
        ("https://0x7f.1", False),
        ("https://[", False),
        ("ftp://hark.example", False),
        ("", False),
    ],
)
def test_only_where_twilio_can_come(base: str, can: bool) -> None:
    """Twilio refuses a text whole that names an address it cannot reach (its error 21609)."""
    assert reachable(base) == (base if can else "")
