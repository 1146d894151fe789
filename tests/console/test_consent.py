"""The links of messages: fetching changes nothing, posting acts, and only our own links are links."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hark.speak.keyfile import open_keys
from hark.speak.links import Confirm, Key, Link, Links, Unsubscribe
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

LEAVE = Unsubscribe(12, "news", "email", "m1")
JOIN = Confirm(12, "news", "email", "m2")
ONE_CLICK = "List-Unsubscribe=One-Click"


def path(shop: Path, link: Link) -> str:
    return Links("", open_keys(shop)).url(link)


def row(name: str, message: str) -> dict[str, object]:
    body = {"name": name, "subject": 12, "topic": "news", "channel": "email", "message": message}
    return {"lane": 0, "kind": "consent", "source": "hark", "body": body}


def test_fetching_a_link_shows_what_it_would_do_and_does_nothing(
    shop: Path, stranger: Client, collector: Collector
) -> None:
    """GET and HEAD of both links answer a page with one button and append nothing."""
    for link, button in ((LEAVE, b"Unsubscribe</button>"), (JOIN, b"Yes, subscribe me</button>")):
        page = stranger.get(path(shop, link))
        assert page.status_code == 200
        assert button in page.content
        assert b"What is new in the shop" in page.content
        assert not page.cookies
        assert stranger.head(path(shop, link)).status_code == 200
    assert collector.rows == []


@pytest.mark.parametrize(
    ("link", "expected"), [(LEAVE, row("Unsubscribed", "m1")), (JOIN, row("Subscription Confirmed", "m2"))]
)
def test_posting_acts_without_cookie_or_account(
    shop: Path, stranger: Client, collector: Collector, link: Link, expected: object
) -> None:
    """The page's button and a one-click post (RFC 8058) each append one urgent row; again is 200."""
    button = stranger.post(path(shop, link))
    one_click = stranger.post(path(shop, link), ONE_CLICK, content_type="application/x-www-form-urlencoded")
    again = stranger.post(path(shop, link), ONE_CLICK, content_type="application/x-www-form-urlencoded")
    assert [button.status_code, one_click.status_code, again.status_code] == [200, 200, 200]
    assert collector.rows == [expected] * 3


def test_a_link_that_is_not_ours_is_no_link(shop: Path, stranger: Client, collector: Collector) -> None:
    """Another key's token, a changed one, and a token at the other's address are 404 and append nothing."""
    ours = path(shop, LEAVE)
    foreign = Links("", (Key("k1", "x" * 32),)).url(LEAVE)
    for forged in (foreign, ours[:-1] + ("A" if ours[-1] != "A" else "B"), ours.replace("/u/", "/c/"), "/u/"):
        assert stranger.post(forged).status_code == 404, forged
        assert stranger.get(forged).status_code == 404, forged
    assert collector.rows == []


def test_done_is_said_only_when_it_is_on_disk(shop: Path, stranger: Client, collector: Collector) -> None:
    """While the collector refuses or is away the answer is 503, which mail programs try again."""
    collector.fails = True
    refused = stranger.post(path(shop, LEAVE))
    assert refused.status_code == 503
    assert b"Done" not in refused.content


def test_without_a_collector_nothing_is_promised(shop: Path, stranger: Client) -> None:
    """With no server.json, or nobody behind it, the answer is 503 too."""
    assert stranger.post(path(shop, LEAVE)).status_code == 503
