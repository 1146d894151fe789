"""Definitions written in the console: what saving would change, and saving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hark.definitions.parse import parse
from tests.console.collector import Collector
from tests.console.shop import END, PEOPLE
from tests.console.test_pages import html, last_order, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

EDIT = "/definitions/segment/gone_quiet"
QUIETER = """\
segment: gone_quiet
where:
  all:
    - did: Order Completed
    - did_not: {event: Order Completed, within: 3d}
"""
DAY = 86_400_000_000


def test_the_text_is_the_version_in_force(ann: Client) -> None:
    """The page shows YAML that means the document in force; all documents are in the list."""
    page = told(ann, EDIT)
    (document,) = parse(page["text"])
    assert (document.kind, document.name, page["version"]) == ("segment", "gone_quiet", 1)
    listed = {(one["kind"], one["name"]) for one in told(ann, "/definitions")["lines"]}
    assert {("topic", "news"), ("template", "whats_new"), ("campaign", "come_back")} <= listed
    assert ann.get("/definitions/segment/none").status_code == 404
    assert ann.get(EDIT + "?version=7").status_code == 404


def test_before_it_is_saved_an_edit_shows_who_would_come_and_go(ann: Client, collector: Collector) -> None:
    """With a shorter time those quiet for three to seven days would come, and nobody would go."""
    coming = [number for number in range(PEOPLE) if END - 7 * DAY < last_order(number) <= END - 3 * DAY]
    answer = ann.post(EDIT, {"text": QUIETER, "do": "check"}, headers={"HX-Request": "true"})
    words = answer.content.decode()
    assert f"+{len(coming)}<" in words
    assert "−0<" in words
    assert "version 2, by where" in words
    assert coming
    assert collector.rows == []


def test_saving_hands_over_the_next_version(ann: Client, collector: Collector) -> None:
    """The command has the document, who wrote it and why; then the page waits for it to be in force."""
    answer = ann.post(EDIT, {"text": QUIETER.replace("\n", "\r\n"), "note": "too slow", "do": "save"})
    assert answer["Location"] == "/saved/segment/gone_quiet/2"
    (row,) = collector.rows
    body = row["body"]
    assert (body["author"], body["note"]) == ("ann@shop.example", "too slow")
    assert body["documents"][0]["body"] == parse(QUIETER)[0].body
    assert 'http-equiv="refresh"' in html(ann, answer["Location"])
    assert ann.get("/saved/segment/gone_quiet/1")["Location"] == "/segments/gone_quiet"
    assert ann.get("/saved/template/whats_new/1")["Location"] == "/templates/whats_new"


def test_nothing_is_handed_over_where_nothing_changes(ann: Client, collector: Collector) -> None:
    """Saving the text as it stands makes no version."""
    answer = ann.post(EDIT, {"text": told(ann, EDIT)["text"], "do": "save"})
    assert answer["Location"] == "/saved/segment/gone_quiet/1"
    assert collector.rows == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("segment: gone_quiet\nwhere: {di: Order Completed}", "text:2"),
        ("campaign: x\ntrigger: {enters: nobody}", "text:1"),
        ("", "no document in the text"),
        ("template: t\nchannel: email\nsubject: '{{ x'\ntext: a", "template t"),
    ],
)
def test_a_wrong_text_is_told_line_by_line(ann: Client, collector: Collector, text: str, says: str) -> None:
    """What is wrong stands with its line, what was typed stays, and nothing is saved."""
    answer = ann.post(EDIT, {"text": text, "do": "save"})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert collector.rows == []


def test_where_collect_is_away_nothing_is_lost_silently(ann: Client, collector: Collector) -> None:
    """503 that says that nothing was saved."""
    collector.fails = True
    answer = ann.post(EDIT, {"text": QUIETER, "do": "save"})
    assert answer.status_code == 503
    assert "Nothing was saved" in answer.content.decode()
