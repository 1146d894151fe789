"""The customer's own page: their language, no account, no JavaScript, and only what they changed is said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hark.console.source import source
from hark.model import Consent, Record, Trait
from hark.speak.keyfile import open_keys
from hark.speak.links import Key, Links, Preferences
from hark.speak.words import languages, words
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

LINK = Preferences(12, "email", "m7")


def path(shop: Path) -> str:
    return Links("", open_keys(shop)).url(LINK)


def known_as(monkeypatch: pytest.MonkeyPatch, consents: dict[str, Consent], **traits: str) -> None:
    """Subject 12 with these answers and traits."""
    stated = {"email": "mara@shop.example", **traits}
    record = Record(12, traits={name: Trait(value, 1, 1) for name, value in stated.items()})
    record.consents = consents
    monkeypatch.setattr(type(source().state), "record", lambda _state, _subject: record)


def ticked(content: bytes) -> dict[str, bool]:
    boxes = re.findall(r'<input type="checkbox" name="([^"]+)"( checked)?>', content.decode())
    return {name: bool(checked) for name, checked in boxes}


def said(collector: Collector) -> list[Any]:
    bodies = [row["body"] for row in collector.rows]
    return [(one["name"], one["topic"], one["channel"], one.get("asked")) for one in bodies]


def test_looking_changes_nothing(shop: Path, stranger: Client, collector: Collector) -> None:
    """GET and HEAD answer without cookie, script or account, with the form in the page itself."""
    page = stranger.get(path(shop))
    assert page.status_code == 200
    assert not page.cookies
    assert b"<script" not in page.content
    assert b'<form method="post">' in page.content
    assert stranger.head(path(shop)).status_code == 200
    assert collector.rows == []


def test_only_what_changed_is_said(
    shop: Path, stranger: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick that is taken away leaves the topic, a new one joins it, the same form again says nothing."""
    known_as(monkeypatch, {"news/email": Consent("in", 1, 1, "web")})
    assert ticked(stranger.get(path(shop)).content) == {"news/email": True}
    again = stranger.post(path(shop), {"news/email": "on", "do": "save"})
    assert (again.status_code, said(collector)) == (200, [])
    done = stranger.post(path(shop), {"do": "save"})
    assert ticked(done.content) == {"news/email": False}
    assert said(collector) == [("Unsubscribed", "news", "email", True)]
    known_as(monkeypatch, {"news/email": Consent("out", 1, 1, "web")})
    assert ticked(stranger.post(path(shop), {"news/email": "on"}).content) == {"news/email": True}
    assert said(collector)[1:] == [("Subscription Confirmed", "news", "email", True)]
    assert collector.rows[1]["body"]["wording"] == "What is new in the shop"


def test_one_button_leaves_everything(shop: Path, stranger: Client, collector: Collector) -> None:
    """Whatever is ticked; every topic and channel, also those not offered."""
    done = stranger.post(path(shop), {"news/email": "on", "do": "leave"})
    assert done.status_code == 200
    assert said(collector) == [("Unsubscribed", "", "", None)]
    assert "You are unsubscribed from everything." in done.content.decode()


def test_a_field_that_is_not_offered_says_nothing(
    shop: Path, stranger: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody joins a topic that there is not, by a form of their own making."""
    known_as(monkeypatch, {})
    stranger.post(path(shop), {"secret/email": "on", "news/sms": "on", "*/email": "on"})
    assert {one[1:3] for one in said(collector)} <= {("news", "email")}


@pytest.mark.parametrize("language", languages())
def test_it_speaks_the_customers_language(
    shop: Path, stranger: Client, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """By the trait `locale`, in whichever form, before what the browser accepts."""
    known_as(monkeypatch, {}, locale=f"{language}-XX")
    page = stranger.get(path(shop), headers={"Accept-Language": "ja, en;q=0.8"})
    assert f'<html lang="{language}">' in page.content.decode()
    assert words(language)["choose_title"] in page.content.decode()


def test_without_a_trait_the_browsers_language_holds(
    shop: Path, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that Hark speaks; English if there is none."""
    known_as(monkeypatch, {})
    for accepted, expected in (("ja, de-AT;q=0.9, fr", "de"), ("ja", "en"), ("", "en")):
        page = stranger.get(path(shop), headers={"Accept-Language": accepted})
        assert f'<html lang="{expected}">' in page.content.decode()


@pytest.mark.parametrize("language", languages())
def test_every_language_says_everything(language: str) -> None:
    """The same sentences with the same blanks as in English."""
    blanks = {name: set(re.findall(r"{\w+}", text)) for name, text in words(language).items()}
    assert blanks == {name: set(re.findall(r"{\w+}", text)) for name, text in words("en").items()}


def test_an_address_is_not_shown_whole(shop: Path, stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forwarded link does not tell whose it was."""
    known_as(monkeypatch, {})
    assert b"mara@shop.example" not in stranger.get(path(shop)).content


def test_a_foreign_link_is_no_link_and_nothing_is_promised(
    shop: Path, stranger: Client, collector: Collector
) -> None:
    """Another key's token is 404; while the answer can't be kept it is 503 with Retry-After."""
    foreign = Links("", (Key("k1", "x" * 32),)).url(LINK)
    assert stranger.get(foreign).status_code == stranger.post(foreign).status_code == 404
    collector.fails = True
    refused = stranger.post(path(shop), {"do": "leave"})
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (503, True)
