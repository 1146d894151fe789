"""Mails of blocks: what people put together in forms, as the mail that leaves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.definitions.parse import parse
from hark.definitions.problems import DefinitionError
from hark.definitions.shared import Block
from hark.definitions.types import Template
from hark.speak.blocks import document, readable_on
from hark.speak.book import Book
from hark.speak.plain import plain
from hark.speak.preview import About, Preview, preview
from hark.speak.render import html_source
from tests.speak.letters import AT

FILE = "0123456789abcdef" * 2 + ".png"
BRAND = f"""
brand: main
logo: {FILE}
logo_alt: Shop
site: https://shop.example
accent: "#aa2200"
font: serif
address: |
  Shop & Sons
  12 High Street
"""
MAIL = f"""
template: news
channel: email
subject: News for {{{{ customer.first_name }}}}
blocks:
  - heading: "Tea & more"
  - text: |
      Hello {{{{ customer.first_name | default: "there" }}}}, this is **new** at [ours](https://shop.example/new?a=1&b=2).

      {{% if data.percent > 5 %}}Big{{% else %}}Small{{% endif %}} <script>alert(1)</script>
  - image: {FILE}
    alt: A "cup"
    to: https://shop.example/cup
  - button: Have a look
    to: "https://shop.example/{{{{ customer.id }}}}"
  - line: yes
  - products: data.items
    most: 2
  - snippet: foot
"""
SNIPPET = """
snippet: foot
mjml: <mj-section><mj-column><mj-text>See you</mj-text></mj-column></mj-section>
"""
ITEMS = [
    {"name": "Cup <1>", "price": 9, "url": "https://shop.example/1", "image": "https://cdn.example/1.png"},
    {"name": "Pot"},
    {"name": "Third"},
]


def shown(*texts: str, **data: object) -> Preview:
    given = [one.definition for one in parse("\n---\n".join(texts))]
    about = About(data={"percent": 10, "items": ITEMS, **data})
    return preview("news", Book.of(given), about, AT)


def test_blocks_become_a_mail_in_the_brands_looks() -> None:
    """Words, pictures, links, values and conditions stand in the HTML, escaped, and in the plain part."""
    said = shown(BRAND, MAIL, SNIPPET).said
    assert said is not None
    assert said.html is not None
    html = said.html
    assert said.subject == "News for Ada"
    for part in (
        *("Tea &amp; more", "Hello Ada, this is <strong>new</strong> at", "Big &lt;script&gt;", "See you"),
        *('href="https://shop.example/new?a=1&amp;b=2"', 'href="https://shop.example/sample"'),
        *(f'src="https://preview.invalid/i/{FILE}"', "A &quot;cup&quot;", "Shop &amp; Sons<br", "#aa2200"),
        *("Georgia", "Cup &lt;1&gt;", 'src="https://cdn.example/1.png"', "Pot"),
    ):
        assert part in html, part
    assert "Third" not in html
    assert "<script" not in html
    assert "prefers-color-scheme: dark" in html
    for words in (
        "Tea & more",
        "Hello Ada, this is new at ours (https://shop.example/new?a=1&b=2)",
        "See you",
    ):
        assert words in said.text, said.text
    assert "{{" not in html + said.text


def test_without_a_brand_it_is_plain() -> None:
    """Nobody has to make one first."""
    said = shown(MAIL, SNIPPET).said
    assert said is not None
    assert "#3355dd" in (said.html or "")


def test_a_layout_stands_around_blocks() -> None:
    """As around MJML; then the brand gives colours only."""
    layout = "layout: own\nmjml: <mjml><mj-body>{{ content }}</mj-body></mjml>"
    said = shown(layout, BRAND, MAIL.replace("subject:", "layout: own\nsubject:"), SNIPPET).said
    assert said is not None
    assert "High Street" not in (said.html or "")
    assert "Tea &amp; more" in (said.html or "")


def test_a_name_that_is_missing_withholds_the_mail() -> None:
    """A product without a name is no product."""
    assert shown(BRAND, MAIL, SNIPPET, items=[{"price": 3}]).why_not.startswith("missing_variable: one.name")


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("{heading: a, text: b}", "exactly one of"),
        ("{button: a}", 'needs "to"'),
        (f"{{image: {FILE}}}", 'needs "alt"'),
        ("{heading: a, to: 'https://x.example'}", "is no key of a block heading"),
        ("{button: a, to: 'javascript:alert(1)'}", "expected a link"),
        ("{image: '../../secret.key', alt: x}", "expected a picture"),
        ("{image: 'http://x.example/a.png', alt: x}", "expected a picture"),
        ("{products: customer}", ""),
        ("{products: 'event.items %}'}", "expected a list"),
    ],
)
def test_a_wrong_block_is_told_what_is_wrong(block: str, says: str) -> None:
    """In words, at its place; nothing is half taken."""
    text = f"template: news\nchannel: email\nsubject: s\nblocks: [{block}]\n"
    if not says:
        parse(text)
        return
    with pytest.raises(DefinitionError, match=re.escape(says)):
        parse(text)


def test_blocks_and_mjml_exclude_each_other() -> None:
    """One body only."""
    text = "template: news\nchannel: email\nsubject: s\nmjml: <mjml/>\nblocks: [{heading: a}]\n"
    with pytest.raises(DefinitionError, match="blocks"):
        parse(text)


PLAIN_LETTERS = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="{}*[]\ue000\ue001")


@given(st.text(PLAIN_LETTERS, min_size=1).filter(str.strip))
def test_any_words_are_words(words: str) -> None:
    """Whatever is typed into a heading stands as text in the mail, and never becomes markup."""
    mail = Template("news", "email", "s", mjml=document([Block("heading", words)], None))
    assert " ".join(words.split()) in " ".join(plain(html_source(mail) or "").split())


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, from its text."""

    def luminance(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@given(st.integers(0, 0xFFFFFF))
def test_a_buttons_words_can_be_read(number: int) -> None:
    """Whatever the brand's colour: 4.5 to 1 at least, and never less than the other choice."""
    colour = f"#{number:06x}"
    found = contrast(colour, readable_on(colour))
    assert found >= 4.5
    assert found == max(contrast(colour, "#ffffff"), contrast(colour, "#000000"))
