"""What a template can reach, and where it is stopped."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquid.exceptions import LiquidError, ResourceLimitError

from hark.speak.render import Rendered, Withheld, render
from hark.speak.sandbox import _TEXT, MissingError, present, rendered
from tests.speak.letters import template

DATA: dict[str, Any] = {
    "customer": {"first_name": "Ada", "spaces": "  ", "nothing": None, "tags": ["a", "b"], "plan": "pro"},
    "event": {"total": 12.5, "items": [{"sku": "s1"}, {"sku": "s2"}]},
    "now": "2026-03-01T09:00:00+00:00",
}
ESCAPES = [
    "{{ customer.__class__ }}",
    "{{ customer.__class__.__mro__ }}",
    "{{ customer.__class__.__base__.__subclasses__ }}",
    "{{ customer['__class__'] }}",
    "{{ customer['__init__']['__globals__'] }}",
    "{{ customer.keys }}",
    "{{ customer.items }}",
    "{{ customer.get }}",
    "{{ customer.pop }}",
    "{{ customer.first_name.__class__ }}",
    "{{ customer.first_name.format }}",
    "{{ customer.first_name.encode }}",
    "{{ customer.tags.append }}",
    "{{ customer.tags.__len__ }}",
    "{{ event.total.real }}",
    "{{ event.total.__class__ }}",
    "{{ self }}",
    "{{ context }}",
    "{{ env }}",
    "{{ environment }}",
    "{{ environ.HARK_CANARY }}",
    "{{ template }}",
    "{{ globals }}",
    "{{ builtins }}",
    "{{ __builtins__ }}",
    "{{ forloop }}",
    "{{ loader }}",
    "{{ os }}",
    "{{ os.environ.HARK_CANARY }}",
    "{{ request }}",
    "{{ settings.SECRET_KEY }}",
    "{{ config }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ customer }}",
    "{{ event.items }}",
    "{% include '/etc/passwd' %}",
    "{% render '/etc/passwd' %}",
    "{% include 'hark/settings.py' %}",
    "{% extends '/etc/passwd' %}",
    "{% import os %}",
    "{% for c in customer.__class__.__subclasses__ %}{{ c }}{% endfor %}",
    "{% for k in customer %}{{ k[1].__class__ }}{% endfor %}",
    "{% assign x = customer.__dict__ %}{{ x }}",
    "{% for i in (1..2) %}{{ forloop.__class__ }}{% endfor %}",
    "{% tablerow i in (1..2) %}{{ tablerowloop.__init__ }}{% endtablerow %}",
    "{{ customer | map: '__class__' }}",
    "{{ customer.tags | map: '__class__' }}",
    "{{ customer | sum: '__class__' }}",
    "{{ customer.tags | where: '__class__' | first }}",
    "{{ customer.first_name | safe }}",
    "{{ 'id' | system }}",
    "{{ 'customer.__class__' | eval }}",
]
ROOTS = ("customer", "customer.first_name", "customer.tags", "event.total", "event.items[0]", "now", "links")
INSIDE = (
    *("__class__", "__init__", "__dict__", "__globals__", "__builtins__", "__subclasses__", "__mro__"),
    *("__getattribute__", "__reduce__", "__module__", "__code__", "func_globals", "gi_frame", "f_back"),
    *("format", "format_map", "mro", "copy", "_asdict", "__struct_fields__", "im_func", "co_consts"),
)
"""What holds more than data on an object of Python."""
ESCAPES += [f"{{{{ {root}.{name} }}}}" for root in ROOTS for name in INSIDE]
ESCAPES += [f"{{{{ {root}['{name}'] }}}}" for root in ROOTS[:3] for name in INSIDE[:7]]
LEAKS = (
    "<class",
    "object at 0x",
    "<bound",
    "built-in",
    "canary",
    "root:",
    "Environment",
    "import ",
    "Markup",
)


def test_no_template_reaches_beyond_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of 200 known ways out of a template language gets at attributes, files or the environment."""
    monkeypatch.setenv("HARK_CANARY", "canary")
    assert os.environ["HARK_CANARY"] == "canary"
    assert len(set(ESCAPES)) >= 200
    for payload in ESCAPES:
        for part in ("text", "html", "subject"):
            said = render(template(**{part: payload}), DATA)
            words = said.detail if isinstance(said, Withheld) else said.subject + said.text
            assert not any(leak in words for leak in LEAKS), (payload, words)


@given(st.text("{}%|.[]()'\"_ abfor inclustmpe:0123<", max_size=60))
def test_any_text_is_a_message_or_a_reason(source: str) -> None:
    """Whatever stands in a template, the answer is a message or a named reason, never an exception."""
    assert isinstance(render(template(text="{{ " + source, html="{% " + source), DATA), Rendered | Withheld)
    assert isinstance(render(template(text=source), DATA), Rendered | Withheld)


@pytest.mark.parametrize("name", ["gone", "customer.gone", "customer.gone.deeper", "customer.nothing"])
@pytest.mark.parametrize("use", ["{{ NAME }}", "{% echo NAME %}", "{% assign x = NAME %}Hi {{ x }}"])
def test_an_unknown_variable_is_never_printed_as_nothing(name: str, use: str) -> None:
    """A variable that is absent or null withholds the message wherever it would be printed."""
    said = render(template(text=use.replace("NAME", name)), DATA)
    assert isinstance(said, Withheld)
    assert said.reason == "missing_variable"


@pytest.mark.parametrize("name", sorted(set(_TEXT.filters) - {"default"}))
def test_no_filter_hides_that_its_variable_is_missing(name: str) -> None:
    """Every filter but `default`, given a missing variable, withholds the message."""
    for source in ("{{ gone | NAME }}", "{{ gone | NAME: 'a' }}", "{{ customer.tags | NAME: gone }}"):
        said = render(template(text=source.replace("NAME", name)), DATA)
        assert isinstance(said, Withheld)
        assert said.reason == "missing_variable"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ gone | default: 'Hello' }}", "Hello"),
        ("{{ customer.spaces | default: 'Hello' | upcase }}", "HELLO"),
        ("{{ customer.nothing | default: 'Hello' }}", "Hello"),
        ("{{ gone | default: '' }}", ""),
        ("{% if gone %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.spaces %}a{% else %}b{% endif %}", "b"),
        ("{% if gone == 'pro' %}a{% else %}b{% endif %}", "b"),
        ("{% if gone != 'pro' %}a{% else %}b{% endif %}", "a"),
        ("{% if gone > 3 %}a{% else %}b{% endif %}", "b"),
        ("{% if gone contains 'x' %}a{% else %}b{% endif %}", "b"),
        ("{% unless gone %}a{% endunless %}", "a"),
        ("{% case gone %}{% when 'x' %}a{% else %}b{% endcase %}", "b"),
        ("{% for x in gone %}a{% else %}none{% endfor %}", "none"),
        ("{% for x in event.items %}{{ x.sku }} {% endfor %}", "s1 s2 "),
        ("{{ customer.tags | join: ', ' }} {{ customer.tags.size }} {{ event.total }}", "a, b 2 12.5"),
        ("{{ false }} {{ 0 }}", "false 0"),
    ],
)
def test_a_missing_variable_can_be_tested_and_given_a_default(source: str, expected: str) -> None:
    """Conditions and loops over a missing variable take the empty way; `default` replaces it, or a blank."""
    assert rendered(source, present(DATA), html=False) == expected


@pytest.mark.parametrize(
    "bomb",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..200) %}{% for j in (1..200) %}x{% endfor %}{% endfor %}",
        "{{ (1..1000000000) | join: 'x' }}",
        "{{ (1..1000000000) | reverse | first }}",
        "{% assign x = 'xxxxxxxxxxxxxxxx' %}" + "{% assign x = x | append: x %}" * 40 + "{{ x }}",
        "{% assign x = 'xxxxxxxxxx' %}" + "{% assign x = x | replace: 'x', x %}" * 6 + "{{ x }}",
        "{{ 'x'" + " | append: 'y' | replace: 'y', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'" * 8 + " }}",
        "{% for i in (1..9000) %}" + "x" * 200 + "{% endfor %}",
        "{% capture a %}{% for i in (1..9000) %}" + "x" * 200 + "{% endfor %}{% endcapture %}",
        "{% for i in (1..9000) %}" + "{% if true %}{% endif %}" * 50 + "{% endfor %}",
        "{% for i in (1..9000) %}" + "{% assign x = i | plus: 1 | times: 2 %}" * 20 + "{% endfor %}",
        "{% assign x = 'x' %}" + "{% assign x = x | append: x %}" * 19 + "{% for i in (1..999) %}"
        "{% assign y = x | replace: 'x', 'y' | upcase | reverse %}{% endfor %}",
        "{{ 'a' }}" * 40_000,
    ],
)
def test_a_template_cannot_eat_the_machine(bomb: str) -> None:
    """Loops, outputs and texts that grow without end are stopped and withhold the message as too large."""
    with pytest.raises(ResourceLimitError):
        rendered(bomb, DATA, html=False)
    said = render(template(text=bomb), DATA)
    assert isinstance(said, Withheld)
    assert said.reason == "too_large"


def test_a_part_of_exactly_the_longest_length_passes() -> None:
    """1,000,000 bytes are made, one more are not; a letter of two bytes counts as two."""
    whole = "{{ text }}" * 100
    for letters in ("x" * 10_000, "ä" * 5_000):
        assert len(rendered(whole, {"text": letters}, html=False).encode()) == 1_000_000
        with pytest.raises(ResourceLimitError):
            rendered(whole + "x", {"text": letters}, html=False)


def test_the_bounds_are_of_each_part_anew() -> None:
    """What one part has used is no less for the next, on the same thread."""
    near = "{% for i in (1..4000) %}{{ i }}{% endfor %}"
    for _ in range(3):
        assert rendered(near, DATA, html=False).startswith("123")


@pytest.mark.parametrize("deep", ["{% if true %}" * 500, "{{ " + "a[" * 5000 + "1" + "]" * 5000 + " }}"])
def test_nesting_is_bounded(deep: str) -> None:
    """Deeply nested blocks and paths are an error of the template, not of the process."""
    with pytest.raises(LiquidError):
        rendered(deep, DATA, html=False)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ now | date: '%Y-%m-%d' }}", "2026-03-01"),
        ("{{ 'now' | date: '%H:%M' }}", "09:00"),
        ("{{ '2026-12-24T18:30:00Z' | date: '%d.%m. %H:%M' }}", "24.12. 18:30"),
        ("{{ 0 | date: '%Y-%m-%dT%H:%M' }}", "1970-01-01T00:00"),
        ("{{ 'soon' | date: '%Y' }}", "soon"),
    ],
)
def test_dates_come_from_the_data_and_never_from_the_machine(source: str, expected: str) -> None:
    """Dates are formatted in UTC from what is given; "now" is the moment given with the data."""
    assert rendered(source, present(DATA), html=False) == expected


@pytest.mark.parametrize("source", ["{{ now }}", "{{ today }}", "{{ 'now' | date: '%Y' }}"])
def test_without_a_moment_given_there_is_no_now(source: str) -> None:
    """A template cannot read the machine's clock, so that the same data give the same message."""
    with pytest.raises(MissingError):
        rendered(source, {}, html=False)


@given(st.recursive(st.none() | st.text(max_size=3) | st.integers(), lambda s: st.dictionaries(st.text(), s)))
def test_blank_and_null_are_absent_at_every_depth(value: Any) -> None:
    """What `present` leaves holds no null and no blank text at any depth of objects."""

    def clean(data: Any) -> bool:
        if isinstance(data, dict):
            return all(clean(member) for member in data.values())
        return data is not None and not (isinstance(data, str) and not data.strip())

    assert clean(present({"root": value, "other": {"value": value}}))
