"""One shop, one server: what is said by it, and what becomes of that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from hark.clock import SharedClock, instant
from hark.model import HOUR, ResponseName
from hark.speak.catcher import Caught
from tests.cast import eventually
from tests.story.test_unsubscribe import Shop, identify, track

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
SCANNER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36", "X-Forwarded-For": "9.9.9.9"}


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
    shop.post(*map(identify, ("ada", "bot")), *(track(who, "Order Completed", order_id="1") for who in ("ada", "bot")))
    ada, bot = (hrefs(html_of(mail_to(shop, f"{who}@shop.example"))) for who in ("ada", "bot"))
    clock.set(clock.now() + HOUR)
    counted = [url for url in ada if "/k/" in url]
    assert fetch(counted[0], BROWSER).headers["Location"] == "https://shop.example/a?x=1&y=2"
    for url in bot:
        fetch(url, SCANNER)
    eventually(lambda: len(shop.facts(ResponseName.CLICKED)) >= 5, what="the clicks are judged")
    clicks = shop.facts(ResponseName.CLICKED)
    (persons,) = (one for one in clicks if not one.get("machine"))
    assert persons["url"] == "https://shop.example/a?x=1&y=2"
    assert {one["why"] for one in clicks if one.get("machine")} <= {"hidden_link", "all_at_once"}
    assert all(one["machine"] for one in shop.facts(ResponseName.OPENED))
