"""Saved questions: from a page to a document and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hark.questions import Progress, ask
from tests.console.collector import Collector
from tests.console.test_gesture import folded
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

ASKED = {"kind": "funnel", "query": "steps=Signed+Up%0AOrder+Completed&within=7d&by=trait%3Afirst_name"}


def test_a_question_saved_from_its_page_has_the_same_answer(
    ann: Client, shop: Path, collector: Collector, tmp_path: Path
) -> None:
    """Saved, folded and opened by its name it shows what its address showed; its files name a version."""
    from django.conf import settings

    from hark.console.source import Source

    saved = ann.post("/questions", {**ASKED, "name": "first_order", "says": "Do they buy in a week?"})
    assert saved["Location"] == "/saved/question/first_order/1"
    ann.post("/questions", {**ASKED, "query": "steps=Signed+Up%0AOrder+Completed", "name": "first_order"})
    state = folded(shop, collector, tmp_path)
    assert [one.version for one in state.versions("question", "first_order")] == [1, 2]
    before = settings.HARK_SOURCE
    settings.HARK_SOURCE = Source(tmp_path / "shop", before.clock, before.url)
    try:
        page = told(ann, "/questions/first_order?version=1")
        assert page["answer"] == told(ann, f"/funnel?{ASKED['query']}")["answer"]
        assert page["ask"]["saved"]["versions"] == [1, 2]
        text = html(ann, "/questions/first_order?version=1")
        assert "Do they buy in a week?" in text
        assert "/questions/first_order?version=1&amp;format=csv" in text
        csv = ann.get("/questions/first_order?version=1&format=csv")
        assert 'filename="first_order.csv"' in csv["Content-Disposition"]
        assert "first_order" in html(ann, "/questions")
        assert ann.get("/questions/first_order?version=3").status_code == 404
        newest = ask(tmp_path / "shop", {"question": {"name": "first_order"}}, before.clock)
        assert newest["steps"] == told(ann, "/questions/first_order")["answer"]["steps"]
    finally:
        settings.HARK_SOURCE = before


def test_without_any_the_page_teaches(ann: Client) -> None:
    """An empty list shows how to get a first one; a name that is none is not found."""
    assert "question: first_order" in html(ann, "/questions")
    assert ann.get("/questions/none").status_code == 404


def test_a_name_that_is_none_is_refused_in_words(ann: Client, collector: Collector) -> None:
    """400 with the answer still there, and no command."""
    answer = ann.post("/questions", {**ASKED, "name": "No Name"})
    assert answer.status_code == 400
    assert "small letters" in answer.content.decode()
    assert collector.rows == []
    assert ann.post("/questions", {"kind": "weather", "name": "x"}).status_code == 404


def test_a_long_question_shows_how_far_it_is(
    ann: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer within a second the page says how far it is and looks again by itself; once the
    answer is there it is loaded anew. Cancelling ends the question and leads back to its form."""
    from hark.console.source import Source

    ended: list[str] = []
    monkeypatch.setattr(Source, "begin", lambda *_: Progress("q1", 3, 8, 2.5))
    monkeypatch.setattr(Source, "cancel", lambda _self, one: ended.append(one))
    stopped = f"/funnel/stopped?{ASKED['query']}&step=1"
    for path in ("/funnel?" + ASKED["query"], "/lifecycle", "/segments/gone_quiet", stopped):
        page = html(ann, path)
        assert '<progress max="8" value="3">' in page
        assert "Looking through the history" in page
        part = ann.get(path, headers={"HX-Request": "true"}).content.decode()
        assert part.lstrip().startswith("<section")
        assert told(ann, path).get("progress") is None, "a program waits for the answer"
    back = f"/funnel?{ASKED['query']}&ask=no"
    assert ann.post("/asking/cancel", {"id": "q1", "back": back})["Location"] == back
    assert ann.post("/asking/cancel", {"id": "q1", "back": "//elsewhere.example"})["Location"] == "/"
    assert ended == ["q1", "q1"]
    assert "Signed Up" in html(ann, back)
    monkeypatch.undo()
    done = ann.get("/lifecycle", headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")
