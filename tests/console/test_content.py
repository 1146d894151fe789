"""The catalogue's pages: what became of each item, and drafts of what is read and in no document."""

from __future__ import annotations

import re

from django.test import Client

from hark.definitions.parse import parse
from tests.console.collector import Collector
from tests.console.test_pages import html, told


def test_who_read_an_item_and_at_which_stage(ann: Client) -> None:
    """Two had just signed up; the third read what is in no document."""
    (item,) = told(ann, "/content")["answer"]["items"]
    assert (item["content"], item["read"]["readers"]) == ("choosing_shoes", 2)
    assert {name: n for name, n in item["read"]["at_stage"].items() if n} == {"aware": 2}
    page = html(ann, "/content")
    for words in (
        "Choosing shoes",
        "guide, 2 min",
        "1 reading was of texts",
        "At which stage they read it",
        "100 %",
    ):
        assert words in page


def test_a_draft_is_looked_through_before_it_is_saved(ann: Client, collector: Collector) -> None:
    """The page lists what is in no document; its button shows the draft and what saving it would change."""
    (page,) = told(ann, "/content/seen")["answer"]["pages"]
    assert page["address"] == "shop.example/blog/laces"
    assert page["draft"].splitlines()[-1] in html(ann, "/content/seen")
    answer = ann.post("/definitions/new?kind=content", {"text": page["draft"]})
    assert re.search(r"laces</\w+>: new", answer.content.decode())
    assert (answer.status_code, collector.rows) == (200, [])
    ann.post("/definitions/new?kind=content", {"text": page["draft"], "do": "save"})
    (row,) = collector.rows
    assert row["body"]["documents"][0]["body"] == parse(page["draft"])[0].body
