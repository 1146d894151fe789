"""Answers by a link: looking counts nothing, nor does a machine; a person's click does, and may change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

from hark.console.source import Source
from hark.model import MINUTE, SECOND, Outcome
from hark.questions import ask
from hark.speak.keyfile import open_keys
from hark.speak.links import Key, Links, SurveyLink, WorthLink
from hark.store.contracts import OutboxRow
from tests.console.collector import Collector
from tests.engine.world import World

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

ASKS = """
survey: likely
kind: nps
asks: {en: "How likely are you to recommend us?", de: "Wie wahrscheinlich empfehlen Sie uns?"}
low: {en: Not at all, de: Gar nicht}
high: {en: Very, de: Sehr}
---
survey: why
kind: poll
asks: Why us?
choices: {price: The price, quality: The <quality>}
comment: no
---
topic: news
default: in
---
template: how
channel: email
subject: A question
html: |
  {{ surveys.likely.asks }}
  {% for one in surveys.likely.answers %}<a href="{{ one.url }}">{{ one.label }}</a> {% endfor %}
  {{ worth.asks }} <a href="{{ worth.yes }}">{{ worth.yes_label }}</a>
  <a href="{{ worth.no }}">{{ worth.no_label }}</a>
---
sender: shop
address: "Shop <shop@shop.example>"
---
campaign: asking
trigger: {event: Order Completed}
goal: {event: Came Back, within: 14d}
control: none
why: everybody is asked
topic: news
steps: [{send: {channel: email, template: how}}]
"""
PERSON = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 "
    "Mobile/15E148 Safari/604.1"
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ada was asked by mail, some minutes ago."""
    world = World(tmp_path)
    world.define(ASKS)
    world.identify("ada", email="ada@shop.example", locale="de")
    world.track("ada", "Order Completed")
    engine = world.engine(lambda row: Outcome(row.subject, 0, row.message, "sent"))
    while engine.tick():
        pass
    engine.close()
    world.engine(lambda row: Outcome(row.subject, 0, row.message, "sent")).catch_up()
    world.clock.at += 10 * MINUTE
    return world


@pytest.fixture
def visitor(stranger: Client, world: World, collector: Collector) -> Iterator[Client]:
    from django.conf import settings

    from hark.console.pages.answers import lately

    lately.by.clear()
    shop = settings.HARK_SOURCE
    found = Source(world.data, world.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield stranger


def message(world: World) -> str:
    (row,) = world.reader.outbox()
    assert row.state == "sent"
    return row.message


def likely(world: World, choice: str) -> str:
    return Links("", open_keys(world.data)).url(SurveyLink(1, "likely", message(world), choice))


def told(collector: Collector) -> list[dict[str, Any]]:
    return [{"event": row["body"]["event"], **row["body"]["properties"]} for row in collector.rows]


def test_looking_shows_the_answer_and_counts_nothing(
    visitor: Client, world: World, collector: Collector
) -> None:
    """GET and HEAD, of whoever: the question in the customer's language, the link's answer chosen."""
    page = visitor.get(likely(world, "9"), headers=PERSON)
    text = page.content.decode()
    assert "Wie wahrscheinlich" in text and "Gar nicht" in text
    assert 'value="9" required checked' in text and text.count("checked") == 1
    assert visitor.head(likely(world, "9")).status_code == 200
    assert not page.cookies and collector.rows == []


def test_one_click_of_a_person_is_an_answer(visitor: Client, world: World, collector: Collector) -> None:
    """What a person's browser sends by itself counts, with score, survey, message and campaign; a text may be
    added, which is an answer in its place; the event is no activity."""
    path = likely(world, "9")
    visitor.get(path, headers=PERSON)
    world.clock.at += 2 * SECOND
    once = visitor.post(
        path, {"option": "9", "at_once": "yes"}, headers={**PERSON, "Accept": "application/json"}
    )
    assert once.json()["done"]
    again = visitor.post(path, {"option": "3", "text": "Too slow"}, headers=PERSON)
    assert "Ihre Antwort" in again.content.decode()
    first, second = told(collector)
    assert (first["event"], first["survey"], first["score"]) == ("Survey Answered", "likely", 9)
    assert (first["campaign"], first["template"]) == ("asking", "how")
    assert (second["score"], second["text"]) == (3, "Too slow")
    for row in collector.rows:
        world.raw("track", json.dumps(row["body"]).encode())
    world.catch_up()
    found = [one for one in world.events() if one.name == "Survey Answered"]
    assert len(found) == 2 and not any(one.active for one in found)
    report: Any = ask(world.data, {"survey": {"name": "likely"}}, world.clock)
    assert (report["answers"], report["score"]) == (1, -100.0)
    assert [one["text"] for one in report["texts"]] == ["Too slow"]


def test_a_machine_s_click_is_no_answer(visitor: Client, world: World, collector: Collector) -> None:
    """A scanner that runs scripts, by its name or by following all links at once, sends what the page would:
    nothing is written. The button always counts, whoever presses it."""
    at_once = {"at_once": "yes"}
    json_ = {"Accept": "application/json"}
    gateway = {"User-Agent": "Barracuda Sentinel", **json_}
    assert not visitor.post(likely(world, "9"), {"option": "9", **at_once}, headers=gateway).json()["done"]
    world.clock.at += 5 * MINUTE
    for score in ("0", "4", "10"):
        visitor.get(likely(world, score), headers=PERSON)
    posted = visitor.post(likely(world, "10"), {"option": "10", **at_once}, headers={**PERSON, **json_})
    assert not posted.json()["done"]
    assert (
        "data-at-once"
        not in visitor.get(likely(world, "1"), headers={"User-Agent": "curl/8"}).content.decode()
    )
    assert collector.rows == []
    assert visitor.post(likely(world, "10"), {"option": "10"}, headers=gateway).json()["done"]
    assert [one["score"] for one in told(collector)] == [10]


def test_worth_it_takes_one_click(visitor: Client, world: World, collector: Collector) -> None:
    """Yes and no, by links of their own; the report is that of the survey worth_it."""
    links = Links("", open_keys(world.data))
    path = links.url(WorthLink(1, message(world), "yes"))
    assert "Ihre Zeit wert" in visitor.get(path, headers=PERSON).content.decode()
    world.clock.at += 2 * SECOND
    visitor.post(path, {"option": "yes", "at_once": "yes"}, headers=PERSON)
    (one,) = told(collector)
    assert (one["event"], one["worth"], one["template"]) == ("Worth It", True, "how")
    world.raw("track", json.dumps(collector.rows[0]["body"]).encode())
    world.catch_up()
    report: Any = ask(world.data, {"survey": {"name": "worth_it"}}, world.clock)
    assert [(one["option"], one["count"]) for one in report["options"]] == [("yes", 1), ("no", 0)]


def test_only_our_links_and_their_answers_are_taken(
    visitor: Client, world: World, collector: Collector
) -> None:
    """Forged, altered or of a survey that is not defined: 404; no answer is not thanked for; what cannot
    be kept is 503."""
    ours = likely(world, "9")
    forged = Links("", (Key("k1", "x" * 32),)).url(SurveyLink(1, "likely", "m", "9"))
    links = Links("", open_keys(world.data))
    for path in (forged, ours[:-1] + ("A" if ours[-1] != "A" else "B"), ours.replace("/s/", "/u/"),
                 links.url(SurveyLink(1, "gone", "m", "9"))):  # fmt: skip
        assert (visitor.get(path).status_code, visitor.post(path).status_code) == (404, 404), path
    assert not visitor.post(ours, {"option": "11"}, headers={"Accept": "application/json"}).json()["done"]
    why = visitor.get(links.url(SurveyLink(1, "why", message(world), ""))).content.decode()
    assert "The &lt;quality&gt;" in why and "textarea" not in why
    assert collector.rows == []
    collector.fails = True
    assert visitor.post(ours, {"option": "9"}).status_code == 503


def test_a_message_has_a_link_for_each_answer(world: World) -> None:
    """Every score has its own signed link under the customer's language, and so has each of yes and no."""
    from hark.definitions.parse import definition
    from hark.speak.book import Book
    from hark.speak.compose import compose

    links = Links("https://hark.example", open_keys(world.data))
    book = Book.of(definition(one) for one in world.reader.documents() if one.kind in ("template", "survey"))
    (row,) = world.reader.outbox()
    row = OutboxRow(
        row.message, 1, "asking", row.run, "how", "email", "sending", 0, 0,
        {"to": "ada@shop.example", "customer": {"locale": "de"}, "topic": "news"},
    )  # fmt: skip
    made = compose(row, book, links, world.clock.now())
    assert isinstance(made, tuple)
    html = made[0].html or ""
    assert "Wie wahrscheinlich" in html
    tokens = [part.split('"')[0] for part in html.split("https://hark.example/s/")[1:]]
    found = [links.read(token) for token in tokens]
    assert found == [SurveyLink(1, "likely", row.message, str(score)) for score in range(11)]
    assert html.count("https://hark.example/w/") == 2
