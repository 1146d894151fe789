"""Layouts, snippets and languages: what is put together, and what is refused before anybody gets it."""

from __future__ import annotations

from typing import Any

import pytest

from hark.definitions.parse import parse, read
from hark.definitions.problems import DefinitionError
from hark.definitions.types import Template
from hark.speak.book import Book
from hark.speak.checking import Checking
from hark.speak.compose import compose
from hark.speak.contract import Verdict
from hark.speak.parts import DEEPEST, BrokenTemplateError, parts_of, whole
from hark.speak.places import NOWHERE_ELSE
from hark.speak.render import Rendered, render
from tests.speak.letters import AT, LINKS, row

SHOP = """
layout: main
mjml: |
  <mjml><mj-body><mj-section><mj-column><mj-text>The Shop</mj-text></mj-column></mj-section>
  {{ content }}
  {% snippet 'foot' %}</mj-body></mjml>
text: |
  The Shop
  {{ content }}
---
snippet: foot
mjml: "<mj-section><mj-column><mj-text>12 High Street</mj-text></mj-column></mj-section>"
---
snippet: card
mjml: "<mj-text>{{ item.name }}: {{ price }}</mj-text>"
text: "{{ item.name }}: {{ price }}"
---
template: hello
channel: email
subject: Hello {{ customer.first_name }}
layout: main
mjml: |
  <mj-section><mj-column><mj-text>Dear {{ customer.first_name }}</mj-text>
  {% snippet 'card', item: event.best, price: '9.99' %}</mj-column></mj-section>
languages:
  de:
    subject: Hallo {{ customer.first_name }}
    mjml: <mj-section><mj-column><mj-text>Liebe {{ customer.first_name }}</mj-text></mj-column></mj-section>
  fr: {subject: "Bonjour {{ customer.first_name }}"}
---
template: plain_one
channel: email
subject: s
layout: main
text: "{% snippet \\"card\\", item: event.best, price: event.price %}"
"""
DATA: dict[str, Any] = {
    "customer": {"first_name": "Ada"}, "event": {"best": {"name": "Tea & <cake>"}, "price": 7}
}  # fmt: skip


def definitions(text: str = SHOP) -> list[Any]:
    return [one.definition for one in parse(text)]


def book(text: str = SHOP) -> Book:
    return Book.of(definitions(text))


def made(template: Template) -> Rendered:
    said = render(template, DATA)
    assert isinstance(said, Rendered), said
    return said


def test_a_message_stands_in_its_layout_with_its_snippets() -> None:
    """The layout is around, a snippet in it too, and a snippet's values are what was given to it."""
    said = made(book().templates["hello"])
    html = said.html or ""
    places = [
        html.index(words) for words in ("The Shop", "Dear Ada", "Tea &amp; &lt;cake&gt;: 9.99", "12 High")
    ]
    assert places == sorted(places)
    assert "{%" not in html
    assert said.text == "The Shop\n\nDear Ada\n\nTea & <cake>: 9.99\n\n12 High Street\n"
    assert made(book().templates["plain_one"]).text == "The Shop\nTea & <cake>: 7\n"


@pytest.mark.parametrize(
    ("traits", "subject", "inside"),
    [
        ({}, "Hello Ada", "Dear Ada"),
        ({"locale": "de-AT"}, "Hallo Ada", "Liebe Ada"),
        ({"language": "fr"}, "Bonjour Ada", "Dear Ada"),
        ({"locale": "pt_BR", "lang": "de"}, "Hallo Ada", "Liebe Ada"),
        ({"locale": "xx"}, "Hello Ada", "Dear Ada"),
    ],
)
def test_a_customer_reads_their_language(traits: dict[str, str], subject: str, inside: str) -> None:
    """The first language that the traits name and the template has; what that leaves out is the base's."""
    composed = compose(row(customer={"first_name": "Ada", **traits}, event=DATA["event"]), book(), LINKS, AT)
    assert not isinstance(composed, Verdict), composed
    assert composed[0].subject == subject
    assert inside in (composed[0].html or "")


WRONG = {
    "name }}\nlayout: main": ("name }}\nlayout: mane", 'there is no layout "mane" (did you mean "main"?)'),
    "{% snippet 'card', item": (
        "{% snippet 'cart', item",
        'there is no snippet "cart" (did you mean "card"?)',
    ),
    "<mjml><mj-body>": ("<mjml><mj-bdy>", "MJML"),
    "{{ item.name }}: {{ price }}</mj": ("{{ item.name | nope }}</mj", "there is no filter 'nope'"),
    "layout: main\ntext": ("layout: main\nhtml", "the layout main has no html"),
    'text: "{{ item.name }}: {{ price }}"': ("html: x", "the snippet card has no text"),
}


@pytest.mark.parametrize("right", WRONG)
def test_what_does_not_fit_together_is_refused_when_it_is_saved(right: str) -> None:
    """With the template's name and what to write, also where a layout or a snippet is what changed."""
    wrong, expected = WRONG[right]
    assert right in SHOP
    with pytest.raises(DefinitionError, match=r"template (hello|plain_one)") as refused:
        read([("shop.yaml", SHOP.replace(right, wrong))], wrong=Checking(NOWHERE_ELSE))
    assert any(expected in str(one) for one in refused.value.problems)
    assert read([("shop.yaml", SHOP)], wrong=Checking(NOWHERE_ELSE))


def test_a_broken_template_breaks_no_other() -> None:
    """What lies in the state and can't be put together withholds its own messages, with the reason."""
    broken = book(
        SHOP.replace("layout: main\nmjml: |\n  <mj-section><mj", "layout: gone\nmjml: |\n  <mj-section><mj")
    )
    said = compose(row(event=DATA["event"]), broken, LINKS, AT)
    assert isinstance(said, Verdict)
    assert said.detail.startswith("template_error: there is no layout")
    assert "plain_one" in broken.templates


@pytest.mark.parametrize("names", [("a", "a"), ("b", "a")])
def test_a_snippet_does_not_hold_itself(names: tuple[str, str]) -> None:
    """Circles end with a name after a few levels, and doubling with the length."""
    first, second = names
    call = "text: \"{{% snippet '{}' %}}\"\n---\n".format
    circle = f"snippet: a\n{call(first)}snippet: b\n{call(second)}"
    template = f"template: t\nchannel: sms\n{call('a')}".removesuffix("---\n")
    with pytest.raises(BrokenTemplateError, match=f"over {DEEPEST} deep"):
        found = definitions(circle + template)
        whole(found[-1], parts_of(found))
