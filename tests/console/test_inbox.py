"""The inbox in the product: for whom a token names and nobody else, once, as long as it is wanted."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import msgspec
import pytest
from django.test import override_settings

from hark.collect.sources import Source as Keys
from hark.collect.sources import add_source, read_sources, write_sources
from hark.console.source import Source
from hark.model import DAY, SECOND, Lane
from hark.speak.deliver import Deliverer
from hark.store.contracts import NewRow
from hark.understand.conditions.reachable import address
from tests.console.collector import Collector
from tests.engine.world import World
from tests.speak.letters import LINKS

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

SAYS = """
topic: news
default: in
---
template: arrived
channel: in_app
subject: "New for {{ customer.first_name }}"
text: "{{ event.what }} <b>came</b>."
url: /shop/{{ event.what | downcase }}
action: Have a look
survey: fits
---
survey: fits
kind: satisfaction
asks: {en: Does it fit?, de: Passt es?}
---
campaign: arrivals
trigger: {event: Arrived}
goal: {event: Order Completed, within: 14d}
reenter: always
control: none
why: everybody sees it
topic: news
steps: [{send: {channel: in_app, template: arrived, expires: 2d}}]
"""


class Product:
    """The team's own server: it has the secret key and says who is signed in."""

    def __init__(self, client: Client, world: World, key: str) -> None:
        self.client, self.world, self.key = client, world, key

    def token(self, user: Any = "ada", lasts_s: float = 3600, key: str = "", **more: Any) -> str:
        until = self.world.clock.now() / SECOND + lasts_s
        secret = hashlib.sha256((key or self.key).encode()).hexdigest()
        return jwt.encode({"sub": user, "exp": int(until), "aud": "hark", **more}, secret, "HS256")

    def inbox(self, token: str = "") -> Any:
        answer = self.client.get("/in-app/messages", headers=bearer(token or self.token()))
        assert answer.status_code == 200 and answer["Access-Control-Allow-Origin"] == "*"
        return answer.json()

    def did(self, message: str, what: str, token: str = "") -> int:
        body = json.dumps({"message": message, "what": what})
        return self.client.post(
            "/in-app/events", body, content_type="application/json", headers=bearer(token or self.token())
        ).status_code


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ada was told of two arrivals, Ben of one."""
    world = World(tmp_path)
    world.define(SAYS)
    world.identify("ada", first_name="Ada", email="ada@shop.example")
    world.identify("ben", first_name="Ben")
    for user, what in (("ada", "Shoes"), ("ben", "Hats"), ("ada", "Bags")):
        world.track(user, "Arrived", what=what)
        fold(world)
    return world


def fold(world: World) -> None:
    engine = world.engine(Deliverer(world.reader.documents, LINKS, world.clock))
    while engine.tick():
        pass
    engine.close()
    world.engine().catch_up()


@pytest.fixture
def product(stranger: Client, world: World, collector: Collector) -> Iterator[Product]:
    from django.conf import settings

    from hark.console.inbox.models import Handled

    shop = settings.HARK_SOURCE
    found = Source(world.data, world.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    made = add_source(world.data, "web", world.clock.now())
    Handled.objects.all().delete()  # of the same messages in another test's world
    with override_settings(HARK_SOURCE=found):
        yield Product(stranger, world, made.secret_key)


def test_who_is_named_finds_their_own_messages(product: Product) -> None:
    """The newest first, filled in as plain text, with where it leads and until when; nobody else's."""
    bags, shoes = product.inbox()["messages"]
    assert (bags["title"], bags["text"]) == ("New for Ada", "Bags <b>came</b>.")
    assert (bags["url"], bags["action"]) == ("/shop/bags", "Have a look")
    assert shoes["text"] == "Shoes <b>came</b>."
    assert bags["banner"] and bags["unread"]
    assert product.inbox()["unread"] == 2
    assert bags["expires_at"] == product.world.clock.now() + 2 * DAY
    (hats,) = product.inbox(product.token("ben"))["messages"]
    assert hats["title"] == "New for Ben"
    assert product.inbox(product.token("nobody"))["messages"] == []


def test_what_was_done_on_one_device_holds_on_all_and_in_the_history(
    product: Product, collector: Collector
) -> None:
    """Seen, a banner shows nowhere again; opened, it is not new; put away, it is gone. Each is told once, as
    an inactive event of the customer's."""
    bags, shoes = product.inbox()["messages"]
    told = [(bags, "shown"), (bags, "shown"), (bags, "clicked"), (shoes, "opened"), (shoes, "dismissed")]
    assert [product.did(one["id"], what) for one, what in told] == [200] * 5
    (left,) = product.inbox(product.token(lasts_s=60))["messages"]
    assert (left["id"], left["banner"], left["unread"]) == (bags["id"], False, False)

    for row in collector.rows:
        body = msgspec.json.encode(row["body"])
        product.world.log.append(
            [NewRow(Lane(row["lane"]), product.world.clock.now(), "hark", row["kind"], body)]
        )
    product.world.catch_up()
    named = ("Message Shown", "Message Opened", "Message Clicked", "Message Dismissed")
    found = [one for one in product.world.events() if one.name in named]
    assert [one.name for one in found] == [
        "Message Shown", "Message Clicked", "Message Opened", "Message Dismissed",
    ]  # fmt: skip
    assert not any(one.active for one in found)
    said = json.loads(found[1].properties)
    assert (said["campaign"], said["channel"], said["url"]) == ("arrivals", "in_app", "/shop/bags")


def test_what_is_over_or_unwanted_is_not_shown(product: Product) -> None:
    """From its expiry on, and from the moment in which the topic was left by this channel."""
    world = product.world
    expires = min(one["expires_at"] for one in product.inbox()["messages"])
    world.clock.at = expires - 1
    assert len(product.inbox()["messages"]) == 2
    subject = world.reader.find("ada")
    left = {"name": "Unsubscribed", "subject": subject, "topic": "news", "channel": "in_app", "message": "m"}
    world.post("consent", Lane.URGENT, **left)
    world.catch_up()
    assert product.inbox()["messages"] == []
    assert len(product.inbox(product.token("ben"))["messages"]) == 1
    world.clock.at = expires + SECOND
    assert product.inbox(product.token("ben"))["messages"] == []


def test_only_a_good_token_opens_an_inbox(product: Product, collector: Collector) -> None:
    """Another key, another algorithm or none, over, too long, for another use, without a customer,
    or a public key's: 401, and nothing is told. A number or an address names nobody."""
    world, good = product.world, product.token()
    write_key = read_sources(world.data)[0].write_key(world.clock.now())
    wrong = [
        "", "x.y.z", good[:-2], product.token(key="sk_guessed"), product.token(key=write_key),
        product.token(lasts_s=-60), product.token(lasts_s=8 * 86_400), product.token(aud="other"),
        product.token(user=7), product.token(user=""),
        jwt.encode({"sub": "ada", "exp": 2**40, "aud": "hark"}, "", "none"),
        jwt.encode({"sub": "ada", "aud": "hark"}, hashlib.sha256(product.key.encode()).hexdigest(), "HS256"),
    ]  # fmt: skip
    message = product.inbox()["messages"][0]["id"]
    for token in wrong:
        assert product.client.get("/in-app/messages", headers=bearer(token)).status_code == 401, token
        assert product.did(message, "opened", token or "-") == 401
    for other in ("#1", "ada@shop.example"):
        assert product.inbox(product.token(other))["messages"] == []
    assert product.did(message, "opened", product.token("ben")) == 404
    assert (product.did("0" * 32, "opened"), product.did(message, "eaten")) == (404, 400)
    assert collector.rows == []


def test_a_token_ends_with_its_key(product: Product) -> None:
    """Rotating the secret key, or disabling the source, takes every token made with it back."""
    token, now = product.token(), product.world.clock.now()
    (kept,) = read_sources(product.world.data)
    expired = tuple(msgspec.structs.replace(one, expires_at=now) for one in kept.keys)
    changes: list[Keys] = [
        msgspec.structs.replace(kept, keys=expired), msgspec.structs.replace(kept, disabled=True)
    ]  # fmt: skip
    for changed in changes:
        write_sources(product.world.data, [changed])
        assert product.client.get("/in-app/messages", headers=bearer(token)).status_code == 401
    write_sources(product.world.data, [kept])
    assert product.inbox(token)["unread"] == 2


def test_what_cannot_be_kept_is_told_again(product: Product, collector: Collector) -> None:
    """503 while nothing takes it; the next time counts."""
    message = product.inbox()["messages"][0]["id"]
    collector.fails = True
    assert product.did(message, "opened") == 503
    collector.fails = False
    assert product.did(message, "opened") == 200
    assert len(collector.rows) == 1


def test_the_stream_tells_at_once_and_at_each_change(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbox first, then again once something was put away; without a good token it is 401."""
    from hark.console.inbox import stream

    monkeypatch.setattr(stream, "LOOK_S", 0.01)
    first = product.inbox()["messages"][0]["id"]
    seen: list[Any] = []

    async def listen(token: str, most: int) -> list[Any]:
        left, sent = asyncio.Event(), []

        async def receive() -> Any:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            body = message.get("body", b"")
            if body.startswith(b"event: messages\ndata: "):
                seen.append(json.loads(body.split(b"data: ", 1)[1]))
                await asyncio.to_thread(product.did, first, "dismissed")
            if len(seen) == most:
                left.set()

        headers = [(b"authorization", f"Bearer {token}".encode())]
        scope = {"method": "GET", "path": stream.PATH, "query_string": b"", "headers": headers}
        await asyncio.wait_for(stream.Streams()(scope, receive, send), 30)
        return sent

    asyncio.run(listen(product.token(), 2))
    assert [len(one["messages"]) for one in seen] == [2, 1]
    (start, _) = asyncio.run(listen("x.y.z", 3))
    assert start["status"] == 401


def test_a_survey_is_answered_in_the_product(product: Product, collector: Collector) -> None:
    """The question stands in the customer's message; the answer is an event with score, message and campaign,
    seen on all devices as given; what is no answer is refused."""
    message = product.inbox()["messages"][0]
    assert message["survey"]["asks"] == "Does it fit?"
    assert [one["value"] for one in message["survey"]["answers"]] == ["1", "2", "3", "4", "5"]

    def sends(**body: str) -> int:
        said, who = json.dumps(body), bearer(product.token())
        path, kind = "/in-app/answers", "application/json"
        return product.client.post(path, said, content_type=kind, headers=who).status_code

    assert sends(message=message["id"], option="6") == 400
    assert sends(message=message["id"], option="4", text="A bit wide") == 200
    told = collector.rows[-1]["body"]
    assert (told["event"], told["userId"], told["context"]) == ("Survey Answered", "ada", {"active": False})
    said = told["properties"]
    assert (said["survey"], said["score"], said["text"]) == ("fits", 4, "A bit wide")
    assert (said["message"], said["campaign"]) == (message["id"], "arrivals")
    again = next(one for one in product.inbox()["messages"] if one["id"] == message["id"])
    assert again["answered"] and not again["unread"] and not again["banner"]


def test_a_browser_lets_push_to_it_by_the_same_token(
    product: Product, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key to subscribe with is the sender's; the subscription becomes a trait of the token's customer, by
    which they are reachable, and is forgotten on demand; what is none is refused."""
    sender = "sender: browsers\nchannel: web_push\naddress: a@shop.example\nsecret_env: VAPID_TEST\n"
    product.world.define(sender)
    product.world.catch_up()
    who = bearer(product.token())
    assert product.client.get("/in-app/push", headers=who).status_code == 404
    monkeypatch.setenv("VAPID_TEST", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")
    key = product.client.get("/in-app/push", headers=who).json()["key"]
    assert len(key) == 87 and key.startswith("B")
    given = {
        "endpoint": "https://push.example/x",
        "keys": {"p256dh": "BA", "auth": "cc"},
        "expirationTime": None,
    }
    wrong: list[Any] = [{}, given | {"endpoint": "http://push.example/x"}]
    posted = [
        product.client.post("/in-app/push", json.dumps(one), content_type="application/json", headers=who)
        for one in (*wrong, given)
    ]
    assert [one.status_code for one in posted] == [400, 400, 200]
    for row in collector.rows:
        product.world.raw(row["kind"], json.dumps(row["body"]).encode())
    product.world.catch_up()
    subject = product.world.reader.find("ada")
    assert subject is not None
    record = product.world.reader.record(subject)
    assert record is not None and address(record.traits, "web_push") == "https://push.example/x#BA.cc"
    assert product.client.delete("/in-app/push", headers=who).status_code == 200
    assert collector.rows[-1]["body"]["traits"] == {"web_push": None}
    assert product.client.get("/in-app/push", headers=bearer("x")).status_code == 401
