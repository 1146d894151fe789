"""Links to places elsewhere: looking reports nothing, the button does, once, and only ours are links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import override_settings

from hark.console.source import Source
from hark.speak.keyfile import open_keys
from hark.speak.links import Key, Links, Report, Unsubscribe
from tests.console.collector import Collector
from tests.engine.world import World

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

SOCIAL = """
source: social
links:
  mastodon:
    event: Followed
    network: Mastodon
    url: "https://mastodon.example/@shop?lang=en"
    says: You follow <us>
"""
FOLLOWED = Report(1, "social", "mastodon", "m1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ada, and a link for what she does elsewhere."""
    made = World(tmp_path)
    made.define(SOCIAL)
    made.track("ada", "A")
    made.catch_up()
    return made


@pytest.fixture
def visitor(stranger: Client, world: World, collector: Collector) -> Iterator[Client]:
    """Somebody without an account or a cookie, before that directory."""
    from django.conf import settings

    shop = settings.HARK_SOURCE
    found = Source(world.data, shop.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield stranger


def path(world: World, link: Report | Unsubscribe = FOLLOWED) -> str:
    return Links("", open_keys(world.data)).url(link)


def test_looking_reports_nothing(visitor: Client, world: World, collector: Collector) -> None:
    """GET and HEAD answer a page with the tagged way there and one button, set no cookie, append nothing."""
    page = visitor.get(path(world))
    text = page.content.decode()
    assert page.status_code == 200 and text.count("<button>") == 1
    assert "lang=en&amp;utm_source=hark&amp;utm_medium=email&amp;utm_content=mastodon" in text
    assert "You follow &lt;us&gt;" in text and "You follow <us>" not in text
    assert visitor.head(path(world)).status_code == 200
    assert not page.cookies and collector.rows == []


def test_the_button_reports_once(visitor: Client, world: World, collector: Collector) -> None:
    """Pressed twice, and once more from a later message: the same call without a cookie, and one event of
    Ada's, marked as her own word and no activity."""
    later = path(world, Report(1, "social", "mastodon", "m2"))
    answers = [visitor.post(one) for one in (path(world), path(world), later)]
    assert [(one.status_code, bool(one.cookies)) for one in answers] == [(200, False)] * 3
    assert all("Thank you" in one.content.decode() for one in answers)
    assert {(row["lane"], row["kind"], row["source"]) for row in collector.rows} == {(1, "track", "social")}
    for row in collector.rows:
        world.raw("track", json.dumps(row["body"]).encode())
    world.catch_up()
    (event,) = [one for one in world.events() if one.name == "Followed"]
    said = json.loads(event.properties)
    assert (event.subject, event.active, said["self_reported"]) == (world.reader.find("ada"), False, True)


def test_a_forged_link_is_no_link(visitor: Client, world: World, collector: Collector) -> None:
    """Another key's token, a changed one, one made for leaving a topic, and a link that nobody defined: 404
    for looking and for pressing."""
    ours = path(world)
    forged = [
        Links("", (Key("k1", "x" * 32),)).url(FOLLOWED),
        ours[:-1] + ("A" if ours[-1] != "A" else "B"),
        path(world, Unsubscribe(1, "news", "email", "m1")).replace("/u/", "/r/"),
        path(world, Report(1, "social", "facebook", "m1")),
        path(world, Report(1, "shop", "mastodon", "m1")),
        "/r/",
    ]
    for one in forged:
        assert (visitor.get(one).status_code, visitor.post(one).status_code) == (404, 404), one
    assert collector.rows == []


def test_a_report_that_cannot_be_kept_is_not_thanked_for(
    visitor: Client, world: World, collector: Collector
) -> None:
    """503 and the word to try again, as long as nothing takes the call."""
    collector.fails = True
    answer = visitor.post(path(world))
    assert answer.status_code == 503 and "try again" in answer.content.decode()
    assert "Thank you" not in answer.content.decode()
