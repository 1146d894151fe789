"""A reply from the mail that comes in to the person who read it, through the real log and engine."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from django.test import override_settings

from hark.console.source import Source
from hark.decide.why import explain
from hark.model import Lane
from hark.speak.links import Links
from hark.speak.reply_address import reply_token
from hark.store.contracts import NewRow
from tests.console.collector import Collector
from tests.console.test_tasks import fold
from tests.engine.world import World
from tests.speak.test_incoming import STATUS, mail

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
SECRET = "hark:swordfish"
BASIC = {"Authorization": "Basic " + b64encode(SECRET.encode()).decode()}
NEWS = """
topic: news
default: in
---
campaign: hello
trigger: {event: Signed Up}
goal: {event: Order Completed, within: 14d}
control: none
why: everybody
topic: news
steps: [{send: {channel: email, template: hello}}]
---
template: hello
channel: email
subject: Hello
text: Which colour?
---
sender: own
address: "Shop <hello@shop.example>"
replies: reply.shop.example
inbound: raw
inbound_env: INBOUND
---
sender: post
address: "Shop <hello@shop.example>"
weight: 0
replies: reply.shop.example
inbound: postmark
inbound_env: INBOUND
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Ada was written to."""
    monkeypatch.setenv("INBOUND", SECRET)
    world = World(tmp_path)
    world.define(NEWS)
    world.identify("ada", email="ada@example.com", first_name="Ada")
    world.track("ada", "Signed Up")
    fold(world)
    return world


@pytest.fixture
def here(world: World, collector: Collector, ann: Client) -> Iterator[Client]:
    from django.conf import settings

    shop = settings.HARK_SOURCE
    found = Source(world.data, shop.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield ann


def message(world: World) -> str:
    (row,) = [row for row in world.reader.outbox() if row.channel == "email"]
    return row.message


def address(world: World) -> str:
    from django.conf import settings

    links: Links = settings.HARK_SOURCE.links
    return f"{reply_token(links.keys[-1], message(world))}@reply.shop.example"


def post(client: Client, raw: bytes, query: str = "", headers: Any = BASIC, name: str = "own") -> Any:
    return client.post(f"/inbound/{name}{query}", raw, "message/rfc822", headers=headers)


def on(world: World, collector: Collector) -> None:
    """What the collector was given goes into the log, and the engine folds it."""
    for row in collector.rows:
        body = msgspec.json.encode(row["body"])
        world.log.append([NewRow(Lane(row["lane"]), world.clock.now(), row["source"], row["kind"], body)])
    collector.rows.clear()
    fold(world)


def replies(client: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/replies?format=json{query}").json()["rows"]
    return found


ANSWER = "Blue <b>please</b>!\r\n\r\nOn Mon, 2 Mar 2026, Shop <hello@shop.example> wrote:\r\n> Which?\r\n"


def test_a_reply_is_read_by_a_person(
    here: Client, stranger: Client, world: World, collector: Collector
) -> None:
    """It is in the history once, however often the server brings it, with its words and as it came; it waits
    on its page and among the tasks until somebody says what came of it."""
    raw = mail(ANSWER, To=address(world), Message_ID="<1@example.com>")
    for _ in range(2):
        assert post(stranger, raw).content == b"1 of 1 taken"
    on(world, collector)
    (event,) = [one for one in world.events() if one.name == "Message Replied"]
    said = json.loads(event.properties)
    assert not event.active
    assert (said["text"], said["message"], said["topic"]) == (
        "Blue <b>please</b>!",
        message(world),
        "news",
    )
    assert said["raw"].startswith("From: Ada")
    last = [line.sentence for line in explain(world.events()) if line.event == "Message Replied"]
    assert last == ["the message hello of hello was answered: Blue <b>please</b>!"]

    (line,) = replies(here)
    assert (line["who"], line["campaign"], line["wants_out"]) == ("ada", "hello", False)
    assert line["write"] == "mailto:ada@example.com?subject=Re%3A%20New"
    assert "Blue &lt;b&gt;please" in here.get("/replies").content.decode()
    assert [one["reply"] for one in here.get("/tasks?format=json").json()["rows"]] == [True]
    here.post("/replies", {"message": line["message"], "outcome": "done", "note": "sent a swatch"})
    on(world, collector)
    assert replies(here) == []
    assert [one["ended"] for one in replies(here, "&ended=yes")] == ["done"]
    assert "Task Ended" in world.names()


def test_machines_and_bounces_trouble_nobody(
    stranger: Client, here: Client, world: World, collector: Collector
) -> None:
    """An automatic answer is in the history as a machine's; a bounce is what a provider's report is."""
    post(stranger, mail("I am away", To=address(world), Auto_Submitted="auto-replied"))
    gone = STATUS.format(action="failed", status="5.1.1", diagnostic="550 no such user").encode()
    post(stranger, gone, f"?to={address(world)}&from=")
    on(world, collector)
    (event,) = [one for one in world.events() if one.name == "Message Replied"]
    said = json.loads(event.properties)
    assert (said["machine"], said["why"]) == (True, "auto_submitted")
    assert replies(here) == []
    row = world.reader.message(message(world))
    assert row is not None
    assert row.state == "bounced"
    assert "Address Suppressed" in world.names()


def test_a_wish_to_leave_is_offered_and_acted_on_by_a_person(
    stranger: Client, here: Client, world: World, collector: Collector
) -> None:
    """Nothing happens by itself; the button leaves the topic, in the customer's own words, and ends it."""
    post(stranger, mail("Please unsubscribe me", To=address(world)))
    on(world, collector)
    assert "Unsubscribed" not in world.names()
    (line,) = replies(here)
    assert line["wants_out"]
    here.post("/replies", {"message": line["message"], "outcome": "left"})
    on(world, collector)
    (event,) = [one for one in world.events() if one.name == "Unsubscribed"]
    said = json.loads(event.properties)
    assert (said["topic"], said["wording"]) == ("news", "asked in a reply: Please unsubscribe me")
    assert replies(here) == []


def test_what_is_not_proven_or_not_ours_is_dropped(
    stranger: Client, world: World, here: Client, collector: Collector
) -> None:
    """A wrong password is 400, an address of nobody's making is taken by nobody, an unknown door 404; while
    the log cannot take it 503."""
    raw = mail("x", To=address(world))
    wrong = {"Authorization": "Basic " + b64encode(b"hark:guess").decode()}
    assert [post(stranger, raw, headers=given).status_code for given in (wrong, {})] == [400, 400]
    forged = mail("x", To=address(world).replace("r", "s", 1))
    assert post(stranger, forged).content == b"0 of 1 taken"
    assert post(stranger, raw, name="nobody").status_code == 404
    collector.fails = True
    assert post(stranger, raw).status_code == 503
    assert collector.rows == []


@pytest.mark.filterwarnings("ignore::Warning")
def test_a_providers_webhook_brings_replies_too(
    stranger: Client, world: World, here: Client, collector: Collector
) -> None:
    """Postmark's form, by anymail; its raw mail is what is read."""
    raw = mail("Green", To=address(world), Message_ID="<2@example.com>").decode()
    body = {"RawEmail": raw, "OriginalRecipient": address(world), "MessageID": "m"}
    answer = stranger.post("/inbound/post", json.dumps(body), "application/json", headers=BASIC)
    assert answer.content == b"1 of 1 taken"
    assert collector.rows[0]["body"]["properties"]["text"] == "Green"
