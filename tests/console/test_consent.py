"""The links of messages: fetching changes nothing, posting acts, and only our own links are links."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hark.console.source import source
from hark.definitions.document import Document
from hark.model import Consent, Record
from hark.speak.keyfile import open_keys
from hark.speak.links import Confirm, Key, Link, Links, Unsubscribe
from tests.cast import free_port
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

LEAVE = Unsubscribe(12, "news", "email", "m1")
JOIN = Confirm(12, "news", "email", "m2")
ONE_CLICK = "List-Unsubscribe=One-Click"


def path(shop: Path, link: Link) -> str:
    return Links("", open_keys(shop)).url(link)


LEFT = "You will get no more of “What is new in the shop” by email."
JOINED = "“What is new in the shop”, by email."


def row(name: str, message: str, wording: str = LEFT) -> dict[str, object]:
    body = {"name": name, "subject": 12, "topic": "news", "channel": "email", "message": message}
    body["wording"] = wording
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
    ("link", "expected"),
    [
        (LEAVE, row("Unsubscribed", "m1")),
        (JOIN, row("Subscription Confirmed", "m2", JOINED)),
    ],
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


FIELD = b'--b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
MULTIPART = FIELD + b"One-Click\r\n--b0undary--\r\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=b0undary", MULTIPART),
        ("multipart/form-data; boundary=b0undary", FIELD),
        ("multipart/form-data", b""),
        ("application/x-www-form-urlencoded; charset=utf-8", b"List-Unsubscribe=One-Click\r\n"),
        ("text/plain", b"\xff\xfe"),
        ("", b"List-Unsubscribe=One-Click"),
    ],
)
def test_the_form_of_a_one_click_post_does_not_matter(
    shop: Path, stranger: Client, collector: Collector, kind: str, body: bytes
) -> None:
    """However a mail program wraps the form, whole or broken, the signed address says what is wanted."""
    done = stranger.generic("POST", path(shop, LEAVE), body, content_type=kind)
    assert (done.status_code, dict(done.cookies), done.has_header("Location")) == (200, {}, False)
    assert collector.rows == [row("Unsubscribed", "m1")]


def test_no_other_method_acts(shop: Path, stranger: Client, collector: Collector) -> None:
    """What is neither a look nor a post is refused, with the methods there are."""
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = stranger.generic(method, path(shop, LEAVE))
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST"), method
    assert collector.rows == []


def test_a_confirmation_after_leaving_promises_nothing(
    shop: Path, stranger: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has left the topic since asking for it is told so, before and after the button."""
    assert b"This request is over" not in stranger.get(path(shop, JOIN)).content
    left = Record(12, consents={"news/email": Consent("out", 1, 1, "hark")})
    monkeypatch.setattr(type(source().state), "record", lambda _state, _subject: left)
    for page in (stranger.get(path(shop, JOIN)), stranger.post(path(shop, JOIN))):
        assert page.status_code == 200
        assert b"This request is over" in page.content
        assert b"You will get" not in page.content


def test_a_topic_that_cannot_be_read_stops_nobody_from_leaving(
    shop: Path, stranger: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a broken definition of the topic its name stands in for the team's words."""
    broken = [Document("topic", "news", 9, {"says": 7, "no": "such key"})]
    monkeypatch.setattr(type(source().state), "documents", lambda _state: broken)
    done = stranger.post(path(shop, LEAVE))
    assert done.status_code == 200
    assert "You will get no more of “news” by email." in done.content.decode()
    assert collector.rows == [row("Unsubscribed", "m1", "You will get no more of “news” by email.")]


@pytest.mark.parametrize("link", [LEAVE, JOIN])
def test_done_is_said_only_when_it_is_on_disk(
    shop: Path, stranger: Client, collector: Collector, link: Link
) -> None:
    """While the collector refuses the answer is 503 with Retry-After, which mail programs try again."""
    collector.fails = True
    assert_nothing_promised(stranger.post(path(shop, link)))


def test_without_a_collector_nothing_is_promised(shop: Path, stranger: Client) -> None:
    """With no server.json, or nobody behind it, the answer is 503 too, in words for a customer."""
    assert_nothing_promised(stranger.post(path(shop, LEAVE)))
    (shop / "run").mkdir(exist_ok=True)
    nobody = {"url": f"http://127.0.0.1:{free_port()}", "token": "t", "pid": 1}
    (shop / "run" / "serve.json").write_bytes(msgspec.json.encode(nobody))
    try:
        assert_nothing_promised(stranger.post(path(shop, LEAVE)))
    finally:
        (shop / "run" / "serve.json").unlink()


def assert_nothing_promised(refused: Any) -> None:
    assert refused.status_code == 503
    assert int(refused["Retry-After"]) > 0
    for word in (b"Done", b"Thank you", b"You will get", b"collector", b"Errno"):
        assert word not in refused.content
    assert b"try again" in refused.content
