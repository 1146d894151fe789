"""Counted links lead where a message of ours did and nowhere else; machines are told from people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hark.clock import SetClock
from hark.console.pages.clicks import PICTURE, waiting
from hark.console.source import source
from hark.model import DAY
from hark.speak.keyfile import open_keys, read_keys
from hark.speak.links import Click, Key, Link, Links, Open, Unsubscribe
from hark.speak.render import Rendered
from hark.speak.tracking import tracked
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

TARGET = "https://shop.example/new?a=1&b=2"
CLICK, OPEN = Click(12, "m1", 0, TARGET), Open(12, "m1")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"

HOSTS = ["evil.example", "//evil.example", "https:evil.example", "evil.example%2f@shop.example", "a.evil.ex"]
SCHEMES = [
    "https://",
    "http://",
    "//",
    "\\\\",
    "/\\",
    "javascript:alert(1)//",
    "data:text/html,",
    "%68ttps://",
]
STARTS = [
    "?url=",
    "?next=",
    "?to=",
    "#",
    "@",
    "/..//",
    "%0d%0aLocation:",
    ";",
    "%00",
    ".",
    "https:/",
    "%09//",
]
PAYLOADS = [f"{start}{host}" for start in SCHEMES + STARTS for host in HOSTS]


def links(shop: Path) -> Links:
    return Links("", open_keys(shop))


def test_a_link_leads_where_the_message_did(shop: Path, stranger: Client, collector: Collector) -> None:
    """302 to the signed address, whatever else is asked for; the picture is one pixel."""
    asked = links(shop).url(CLICK) + "?url=https://evil.example"
    found = stranger.get(asked, headers={"User-Agent": BROWSER})
    assert (found.status_code, found["Location"]) == (302, TARGET)
    picture = stranger.get(links(shop).url(OPEN), headers={"User-Agent": BROWSER})
    assert (picture.content, picture["Content-Type"]) == (PICTURE, "image/gif")
    waiting.tell(source(), "m1")
    said = [(row["body"]["name"], row["body"]["properties"].get("machine")) for row in collector.rows]
    assert said == [("Message Clicked", None), ("Message Opened", None)]
    assert collector.rows[0]["body"]["properties"]["url"] == TARGET


def test_what_a_machine_asks_for_is_marked(shop: Path, stranger: Client, collector: Collector) -> None:
    """A scanner gets the same answer, and its request is never the customer's."""
    assert stranger.head(links(shop).url(CLICK)).status_code == 302
    stranger.get(links(shop).url(OPEN), headers={"User-Agent": "Mozilla/5.0"})
    waiting.tell(source(), "m1")
    assert [row["body"]["properties"]["why"] for row in collector.rows] == ["method", "agent"]


def test_no_payload_opens_a_redirect(shop: Path, stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the token, behind it, within it: no Location but the message's own."""
    monkeypatch.setattr(waiting, "add", lambda *_: None)
    token = links(shop).token(CLICK)
    assert len(set(PAYLOADS)) >= 100
    for payload in (one.replace("#", "%23") for one in PAYLOADS):
        for path in (f"/k/{payload}", f"/k/{token[:-4]}{payload}", f"/k/{payload}.{token}"):
            found = stranger.get(path)
            assert found.get("Location", "/sign-in?next=").startswith("/sign-in?next="), path
        assert stranger.get(f"/k/{token}?{payload}")["Location"] == TARGET


@pytest.mark.parametrize("link", [CLICK, OPEN, Unsubscribe(12, "news", "email", "m1")], ids=["k", "o", "u"])
def test_altered_foreign_and_unknown_links_are_none(shop: Path, stranger: Client, link: Link) -> None:
    """Each changed character, another directory's key, a key id that there is not, another purpose: 404."""
    ours = links(shop).url(link)
    start = len(link.path)
    for place in range(start, len(ours)):
        other = ours[:place] + ("A" if ours[place] != "A" else "B") + ours[place + 1 :]
        assert stranger.get(other).status_code == 404, place
    foreign = Links("", (Key("k1", "x" * 32),)).url(link)
    unknown = link.path + "k9" + ours[ours.index(".") :]
    purposes = [ours.replace(link.path, path, 1) for path in ("/u/", "/c/", "/p/", "/k/", "/o/", "/r/")]
    for path in (foreign, unknown, link.path + "x", *(one for one in purposes if one != ours)):
        assert stranger.get(path).status_code == 404, path


def test_links_of_ninety_days_ago_outlive_new_keys(shop: Path, clock: SetClock) -> None:
    """A link has no end, and keys that were added since don't change what the old one signed."""
    old = links(shop)
    sent = old.token(CLICK)
    clock.at += 90 * DAY
    lines = "\n".join(f"{key.id}_{key.secret}" for key in old.keys)
    keys = read_keys(lines + "\nk2_" + "n" * 32 + "\nk3_" + "o" * 32)
    clock.at -= 90 * DAY
    now = Links("", keys)
    assert now.read(sent) == CLICK
    assert now.token(CLICK).startswith("k3."), "new links are signed by the newest key"
    assert Links("", keys[1:]).read(sent) is None, "a key that was taken away signs nothing"


def test_a_message_is_counted_only_where_it_is_wanted() -> None:
    """Off: as it was. On: links lead by us, ours stay, and a hidden one and a picture are added."""
    ours = Links("https://hark.example", (Key("k1", "s" * 32),))
    there, out = "https://a.example/?x=1&amp;y=2", "https://hark.example/u/t"
    html = f'<body><a href="{there}">A</a> <a href="{out}">out</a></body>'
    content = Rendered("s", html, "t")
    assert tracked(content, ours, 1, "m", opens=False, clicks=False) == content
    made = tracked(content, ours, 1, "m", opens=True, clicks=True).html or ""
    assert ours.url(Click(1, "m", 0, "https://a.example/?x=1&y=2")) in made
    assert 'href="https://hark.example/u/t"' in made
    assert made.count("https://hark.example/k/") == 2
    assert made.count("https://hark.example/o/") == 1
    assert made.endswith("</body>")
