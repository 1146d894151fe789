"""What mail programs would mind, each named once, and nothing of what they would not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hark.speak.lint import CLIPPED_BYTES, lint
from hark.speak.render import Rendered

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "speak.md").read_text()
OUT = "https://hark.example/u/t"
GOOD = Rendered(
    "Ada, new this week",
    "<p>Dear Ada, these came in this week and may be of use to you.</p>"
    "<img src='https://s.example/a.png' alt='Tea'><a href=\"https://shop.example/new\">See</a>"
    f'<a href="https://www.shop.example/">shop.example</a> {OUT}',
    f"Dear Ada\n{OUT}\n",
)
WRONG = {
    "long_subject": Rendered("word " * 20, GOOD.html, GOOD.text),
    "shouting": Rendered("LAST CHANCE TODAY", GOOD.html, GOOD.text),
    "marks": Rendered("Hurry!!", GOOD.html, GOOD.text),
    "clipped": Rendered("s", (GOOD.html or "") + "x" * CLIPPED_BYTES, GOOD.text),
    "no_text": Rendered("s", GOOD.html, " \n"),
    "no_way_out": Rendered("s", GOOD.html, "Dear Ada"),
    "only_pictures": Rendered("s", "<style>p{}</style><img src='https://a.example/b.png' alt='x'>", OUT),
    "empty_link": Rendered("s", (GOOD.html or "") + '<a href="#">x</a>', GOOD.text),
    "http": Rendered("s", (GOOD.html or "") + '<a href="http://a.example/">x</a>', GOOD.text),
    "numeric_link": Rendered("s", (GOOD.html or "") + '<a href="https://1.2.3.4/">x</a>', GOOD.text),
    "shortener": Rendered("s", (GOOD.html or "") + '<a href="https://bit.ly/x">x</a>', GOOD.text),
    "other_place": Rendered("s", (GOOD.html or "") + '<a href="https://a.example/">b.example</a>', GOOD.text),
    "no_alt": Rendered("s", (GOOD.html or "") + '<img src="https://a.example/b.png">', GOOD.text),
    "http_picture": Rendered("s", (GOOD.html or "") + '<img alt="" src="http://a.example/b.png">', GOOD.text),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_thing_is_named(name: str) -> None:
    """What is wrong is found under its own name, said in words, and stands in the docs."""
    found = lint(WRONG[name], OUT)
    assert name in [one.name for one in found]
    assert len(found) == len(set(found))
    assert re.search(rf"`{name}`", DOCS)


def test_a_good_message_has_nothing() -> None:
    """No false alarm for a plain one, with or without a way out; a text message has no HTML to mind."""
    assert lint(GOOD, OUT) == []
    assert lint(Rendered("s", None, "Hi"), None) == []
