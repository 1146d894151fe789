"""One shop, one server: what is said by it, and what becomes of that."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import httpx
import pytest

from hark.clock import SharedClock, instant
from hark.model import HOUR, FactName, ResponseName
from hark.speak.catcher import Caught
from tests.cast import eventually
from tests.story.test_unsubscribe import Shop, identify, track

PDF = b"%PDF-1.7 a receipt"
START = instant("2026-03-02T10:00:00Z")
DEFINITIONS = """
sender: catcher
address: "Shop <shop@shop.example>"
host: 127.0.0.1
port: PORT
---
policy: tracking
opens: yes
clicks: yes
---
topic: news
says: What is new
default: in
opt_in: single
---
template: thanks
channel: email
subject: "About {{ event.order_id }}"
html: |
  <body><p>Thank you. <a href="https://shop.example/a?x=1&amp;y=2">One</a>
  <a href="https://shop.example/b">Two</a> <a href="https://shop.example/c">Three</a></p></body>
---
template: receipt
channel: email
subject: "Receipt {{ data.order }}"
text: "Thank you, {{ data.order }} is paid."
---
campaign: thanks
trigger: {event: Order Completed}
reenter: always
goal: {event: Review Written, within: 1d}
control: none
why: everybody is thanked
topic: news
steps:
  - send: {channel: email, template: thanks}
"""
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"}
SCANNER = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36",
    "X-Forwarded-For": "9.9.9.9",
}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> SharedClock:
    made = SharedClock(tmp_path_factory.mktemp("clock") / "clock", create=True)
    made.set(START)
    return made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, clock: SharedClock) -> Iterator[Shop]:
    running = Shop(tmp_path_factory.mktemp("spoken") / "data", DEFINITIONS, clock.path)
    try:
        yield running
    finally:
        running.close()


def mail_to(shop: Shop, address: str) -> Caught:
    found = eventually(lambda: shop.mail_to(address), what=f"mail to {address}")
    caught: Caught = found[-1][1]
    return caught


def html_of(caught: Caught) -> str:
    part = caught.message().get_body(("html",))
    assert part is not None
    return str(part.get_content())


def hrefs(html: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'(?:href|src)="([^"]+)"', html)]


def fetch(url: str, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False, timeout=10)


def test_a_click_comes_into_the_history_and_a_scanners_is_told_apart(shop: Shop, clock: SharedClock) -> None:
    """With `policy: tracking` a person's click is `Message Clicked`; of a gateway that follows everything,
    the link included that nobody can see, each request is marked as a machine's."""
    people = ("ada", "bot")
    shop.post(
        *map(identify, people),
        *(track(who, "Order Completed", order_id="1") for who in people),
    )
    ada, bot = (hrefs(html_of(mail_to(shop, f"{who}@shop.example"))) for who in people)
    eventually(lambda: len(shop.facts(FactName.MESSAGE_SENT)) >= 2, what="both are known to be handed over")
    clock.set(clock.now() + HOUR)
    counted = [url for url in ada if "/k/" in url]
    assert fetch(counted[0], BROWSER).headers["Location"] == "https://shop.example/a?x=1&y=2"
    for url in bot:
        fetch(url, SCANNER)
    followed = 1 + sum("/k/" in url for url in bot)
    eventually(lambda: len(shop.facts(ResponseName.CLICKED)) >= followed, what="the clicks are judged")
    clicks = shop.facts(ResponseName.CLICKED)
    (persons,) = (one for one in clicks if not one.get("machine"))
    assert persons["url"] == "https://shop.example/a?x=1&y=2"
    assert {one["why"] for one in clicks if one.get("machine")} <= {"hidden_link", "all_at_once"}
    assert all(one["machine"] for one in shop.facts(ResponseName.OPENED))


def send(shop: Shop, key: str, **body: Any) -> httpx.Response:
    return httpx.post(
        f"{shop.server.url}/api/v1/messages",
        json={"template": "receipt", "customer": "eve", **body},
        headers={"Authorization": f"Bearer {shop.secret}", "Idempotency-Key": key},
        timeout=10,
        trust_env=False,
    )


def test_a_receipt_by_a_call_comes_once_with_its_file(shop: Shop) -> None:
    """The same call again, also after the console and the engine were killed, is the same message."""
    file = {"name": "receipt 7.pdf", "type": "application/pdf", "content": b64encode(PDF).decode()}
    body = {"to": "eve@shop.example", "data": {"order": "7"}, "attachments": [file]}
    first = eventually(lambda: got(lambda: send(shop, "order-7", **body)), what="the console is up")
    assert first.status_code == 200, first.text
    mail = mail_to(shop, "eve@shop.example").message()
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        file["name"],
        file["type"],
        PDF,
    )
    assert mail["Subject"] == "Receipt 7"
    eventually(lambda: state_of(shop, first.json()["message"]) == "sent", what="its outcome is known")
    for role in ("console", "engine"):
        shop.server.kill(role)
    again = eventually(lambda: got(lambda: send(shop, "order-7", **body)), what="the console is back")
    assert (again.status_code, again.json()) == (200, first.json())
    assert send(shop, "order-7", **(body | {"data": {"order": "8"}})).status_code == 409
    assert send(shop, "order-8", **(body | {"data": {"order": "8"}})).status_code == 200
    eventually(lambda: len(shop.mail_to("eve@shop.example")) == 2, what="the second receipt")


def state_of(shop: Shop, message: str) -> str:
    url = f"{shop.server.url}/api/v1/messages/{message}"
    return str(httpx.get(url, auth=(shop.secret, ""), trust_env=False).json().get("state"))


def got(call: Callable[[], httpx.Response]) -> httpx.Response | None:
    """The answer, once there is one that is none of a server in between."""
    try:
        found = call()
    except httpx.HTTPError:
        return None
    return None if found.status_code == 503 else found
