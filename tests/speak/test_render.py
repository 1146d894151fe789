"""From a template and data to a message."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.speak.confirm import CONFIRM
from hark.speak.plain import plain
from hark.speak.render import Rendered, Withheld, problem, render
from tests.speak.letters import template

MJML = (
    "<mjml><mj-head><mj-style>@media (prefers-color-scheme: dark) { .c { color: #eee } }</mj-style></mj-head>"
    "<mj-body><mj-raw>{% if customer.vip and event.total &gt; 5 %}</mj-raw><mj-section><mj-column>"
    "<mj-text>Dear {{ customer.name | default: 'friend' }}</mj-text>"
    "<mj-button href=\"{{ links.shop }}?to={{ customer.name | default: 'x' | url_encode }}\">Look</mj-button>"
    "</mj-column></mj-section><mj-raw>{% endif %}</mj-raw></mj-body></mjml>"
)


def made(data: object = None, **parts: str) -> Rendered:
    said = render(template(**parts), data if isinstance(data, dict) else {})
    assert isinstance(said, Rendered), said
    return said


def test_values_are_escaped_in_html_and_only_there() -> None:
    """A value's markup is text in the HTML part, and stands as typed in subject and text."""
    said = made(
        {"n": "<b>Tom & 'J'</b>"}, subject="{{ n }}", html="<p title='{{ n }}'>{{ n }}</p>", text="{{ n }}"
    )
    assert (
        said.html
        == "<p title='&lt;b&gt;Tom &amp; &#39;J&#39;&lt;/b&gt;'>&lt;b&gt;Tom &amp; &#39;J&#39;&lt;/b&gt;</p>"
    )
    assert (said.subject, said.text) == ("<b>Tom & 'J'</b>",) * 2


@given(st.text(st.sampled_from("<>&'\"ab \r\n\0{}%"), max_size=30))
def test_no_value_opens_a_tag(value: str) -> None:
    """Whatever a customer calls themselves, the HTML part has the template's tags and no others."""
    said = render(
        template(html="<p title='{{ n }}'>{{ n | default: 'x' }}</p>", subject="s"), {"n": f"a{value}"}
    )
    assert isinstance(said, Rendered)
    assert said.html is not None
    inside = said.html.removeprefix("<p title='").removesuffix("</p>")
    assert inside.count("<") == 0
    assert inside.count("'") == 1


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: x@y.example", "a\nBcc: b", "a\rb", "a\x0bb", "a\u2028b", "a\x00b", "a\x85b"]
)
def test_a_subject_is_one_line(value: str) -> None:
    """Line breaks and control characters of a value become spaces: they cannot start another header."""
    subject = made({"n": value}, subject="Hi {{ n }}").subject
    assert subject.isprintable()
    assert subject.splitlines() == [subject]
    assert subject.startswith("Hi a ")


def test_a_subject_that_comes_out_empty_withholds_the_message() -> None:
    """No message goes out without a subject."""
    assert render(template(subject="{% if x %}Hi{% endif %}"), {}) == Withheld("missing_variable", "subject")


def test_liquid_passes_through_mjml() -> None:
    """Values, defaults, filters in attributes and conditions around sections survive the MJML compiler."""
    data = {
        "customer": {"vip": True, "name": "A & B"},
        "event": {"total": 6},
        "links": {"shop": "https://s.example"},
    }
    html = made(data, mjml=MJML).html or ""
    assert "Dear A &amp; B" in html
    assert 'href="https://s.example?to=A+%26+B"' in html
    assert "prefers-color-scheme: dark" in html
    assert "Dear" not in (made(data | {"event": {"total": 5}}, mjml=MJML).html or "")


def test_compiled_mail_calls_nobody() -> None:
    """Compiled MJML loads no web fonts: opening a message must not tell a third party."""
    html = made(
        {"customer": {"vip": True}, "event": {"total": 6}, "links": {"shop": "https://s.example"}}, mjml=MJML
    ).html
    assert "googleapis" not in (html or "")
    assert "@import" not in (html or "")


@pytest.mark.parametrize("include", ["/etc/hostname", "file:///etc/hostname", "https://x.example/a.mjml"])
def test_mjml_includes_nothing(include: str) -> None:
    """A template cannot pull files of the server into a message."""
    said = render(template(mjml=f'<mjml><mj-body><mj-include path="{include}" /></mj-body></mjml>'), {})
    assert isinstance(said, Withheld)
    assert said.reason == "template_error"


def test_styles_are_inlined_and_media_queries_kept() -> None:
    """A style sheet in `html` lands on the elements; what depends on the screen stays in the head."""
    page = "<style>p{color:red} @media (prefers-color-scheme:dark){p{color:#fff}}</style><p>x</p>"
    html = made(html=page).html or ""
    assert '<p style="color: red;">' in html
    assert "prefers-color-scheme" in html


def test_loops_inside_tables_survive_the_inliner() -> None:
    """Rows made by a loop stay in their table, because styles are inlined after the loop has run."""
    rows = "{% for i in (1..2) %}<tr><td>{{ i }}</td></tr>{% endfor %}"
    page = f"<style>td{{color:red}}</style><table>{rows}</table>"
    html = made(html=page).html or ""
    assert html.count('<tr><td style="color: red;">') == 2
    assert html.index("<table>") < html.index("<tr>") < html.index("</table>")


def test_local_style_sheets_are_not_read() -> None:
    """A link to a style sheet makes the renderer read no file and fetch no address."""
    page = "<link rel='stylesheet' href='/etc/hostname'><style>p{color:red}</style><p>x</p>"
    assert "color: red" in (made(html=page).html or "")


def test_the_text_part_is_made_of_the_html() -> None:
    """Without `text:` the words, lists and addresses of the HTML become the text part."""
    page = (
        "<head><title>no</title><style>p{}</style></head><h1>New</h1>"
        "<p>Dear  Ada,\n<br>two <b>things</b>:</p><p><img alt='Logo'></p>"
        "<ul><li>one</li><li><a href='https://s.example/?a=1&amp;b=2'>two</a></li></ul>"
        "<a href='https://s.example'>https://s.example</a><script>no()</script>"
    )
    assert made(html=page).text == (
        "New\n\nDear Ada,\ntwo things:\n\nLogo\n\n- one\n- two (https://s.example/?a=1&b=2)\nhttps://s.example\n"
    )


WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="<>&"), min_size=1, max_size=9
)
PIECES = st.sampled_from(
    [
        "<p>{{ n }}</p>", "<h1>Big {{ n }}</h1>", "{% if vip %}<p>vip</p>{% else %}<p>you</p>{% endif %}",
        "<ul>{% for one in many %}<li>{{ one }}</li>{% endfor %}</ul>", "<img alt='{{ n }}' src='x.png'>",
        "<a href='https://a.example/?{{ n | url_encode }}'>see</a>", "<div>{{ g | default: 'x' }}<br></div>",
        "<a href='{{ link }}'>there</a>", "<table><tr><td>{{ n }}</td><td>b</td></tr></table>",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=6), WORDS, st.lists(WORDS, max_size=3), st.booleans())
def test_the_words_are_the_same_before_and_after_the_data(
    pieces: list[str], name: str, many: list[str], vip: bool
) -> None:
    """The text part made of the template once is the text that would be made of each message."""
    data = {"n": name, "many": many, "vip": vip, "link": "https://b.example/"}
    html = "".join(pieces) or "<p>x</p>"
    said = made(data, html=html)
    assert said.text.split() == plain(said.html or "").split()


def test_markup_that_only_the_data_make_is_read_from_the_message() -> None:
    """A filter that makes markup, and a tag written in part by a condition, are told when it is made."""
    html = "<p>{{ n | newline_to_br }}</p><p {% if n %}class='a'{% endif %}>b</p>"
    assert made({"n": "one\ntwo"}, html=html).text.split() == ["one", "two", "b"]


def test_a_text_part_may_be_written_beside_the_html() -> None:
    """What the author wrote is sent as it is."""
    said = made({"n": "Ada"}, html="<p>Dear {{ n }}</p>", text="Hi {{ n }}!")
    assert (said.html, said.text) == ("<p>Dear Ada</p>", "Hi Ada!")


KEYS = re.compile(r"k\d+k")


@pytest.mark.parametrize("many", [2_000, pytest.param(100_000, marks=pytest.mark.torture)])
def test_nobody_reads_what_is_anothers(many: int) -> None:
    """Shuffled renders of many customers in four threads: each message has its own customer's data only."""
    letter = template(subject="Hi {{ customer.key }}", mjml=MJML.replace("customer.name", "customer.key"))
    order = list(range(many))
    Random(7).shuffle(order)

    def one(number: int) -> bool:
        key = f"k{number}k"
        data = {
            "customer": {"key": key, "vip": number % 2 == 0},
            "event": {"total": 6},
            "links": {"shop": key},
        }
        said = render(letter, data)
        assert isinstance(said, Rendered)
        text = f"{said.subject} {said.html} {said.text}"
        return set(KEYS.findall(text)) == {key}

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, order, chunksize=100))


def test_a_text_template_has_no_html() -> None:
    """A template of text alone makes a message of text alone."""
    assert made({"n": "Ada"}, text="Hi {{ n }}\n") == Rendered("s", None, "Hi Ada\n")


def test_the_same_data_give_the_same_message() -> None:
    """Rendering twice gives the same bytes."""
    data = {"customer": {"vip": True}, "event": {"total": 6}, "links": {"shop": "https://s.example"}}
    assert made(data, mjml=MJML) == made(data, mjml=MJML)


@pytest.mark.parametrize(
    ("parts", "part_of_the_problem"),
    [
        ({"subject": "{{ x"}, ""),
        ({"text": "{% if x %}"}, "endif"),
        ({"html": "{{ x | nope }}"}, "nope"),
        ({"mjml": "<mjml><mj-body>"}, "MJML"),
        ({"mjml": "<mjml><mj-body><mj-text>{% nope %}</mj-text></mj-body></mjml>"}, "nope"),
    ],
)
def test_a_broken_template_is_found_before_anybody_gets_it(
    parts: dict[str, str], part_of_the_problem: str
) -> None:
    """`problem` names what is wrong with each part of a template without any data."""
    found = problem(template(**parts))
    assert found is not None
    assert part_of_the_problem in found
    assert problem(template(mjml=MJML)) is None


def test_the_confirmation_says_what_was_asked_for_in_light_and_dark() -> None:
    """The built-in confirmation has the topic's words, the link in both parts, and colours for dark mode."""
    data = {"topic": {"name": "news", "says": "What is <new>"}, "links": {"confirm": "https://h.example/c/t"}}
    said = render(CONFIRM, data)
    assert isinstance(said, Rendered)
    assert said.subject == "Please confirm: What is <new>"
    assert "What is &lt;new&gt;" in (said.html or "")
    assert "What is <new>" in said.text
    assert 'href="https://h.example/c/t"' in (said.html or "")
    assert "https://h.example/c/t" in said.text
    assert "prefers-color-scheme: dark" in (said.html or "")
    assert problem(CONFIRM) is None
