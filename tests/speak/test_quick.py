"""A joined parse tree says what the library's own says, step for step; and no template takes long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from liquid import BoundTemplate
from liquid.exceptions import LiquidError, ResourceLimitError

from bench.render import HOSTILE, HOSTILE_DATA
from hark.speak.quick import Loop, Run, joined
from hark.speak.sandbox import _BUDGET, _HTML, _TEXT, Budget, rendered

NAMES = st.sampled_from(["a", "b", "n", "size", "first", "x", "forloop", "now"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
FILTERS = st.sampled_from(["", "", " | default: 'else'", " | default: n", " | upcase", " | size"])
VALUES = st.builds("{{{{ {}{} }}}}".format, PATHS, FILTERS)
TEXTS = st.sampled_from(["text", " ", "<b>", "é & "])
LIMITS = st.sampled_from(["", "", " limit: 2", " reversed", " offset: 1", " offset: continue"])
PIECES = st.recursive(
    st.one_of(
        TEXTS,
        VALUES,
        VALUES,
        st.sampled_from(["{% break %}", "{% assign a = b %}", "{{ forloop.index }}", "{% cycle 'p', 'q' %}"]),
    ),
    lambda inner: st.one_of(
        st.builds("{{% for {} in {}{} %}}{}{{% endfor %}}".format, NAMES, PATHS, LIMITS, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, PATHS, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=12,
)
SCALARS = st.one_of(
    st.sampled_from(["Ada", "", " ", "<i>&\"'", "é"]), st.integers(), st.floats(), st.booleans(), st.none()
)
DATA = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
        max_leaves=8,
    ),
    max_size=5,
)  # fmt: skip


def outcome(template: BoundTemplate, data: dict[str, Any]) -> tuple[str, str, int]:
    """What it says, or which error; and the steps that were left."""
    budget = Budget(200)
    token = _BUDGET.set(budget)
    try:
        return "", template.render(data), budget.left
    except LiquidError as error:
        return type(error).__name__, str(error.args[0]), budget.left
    finally:
        _BUDGET.reset(token)


@example("{{ a.b | default: 'else' }}, {{ a.n }}", {"a": {"b": "", "n": 1}}, False)
@example("{% for x in a %}{{ forloop.index }}{{ x.b }}{% endfor %}", {"a": [{"b": "<"}]}, True)
@given(PIECES, DATA, st.booleans())
def test_a_joined_tree_says_the_same(source: str, data: dict[str, Any], html: bool) -> None:
    """Whatever the template and the data: the same text, or the same error; and where it succeeds the same
    steps."""
    environment = _HTML if html else _TEXT
    try:
        plain, quick = environment.from_string(source), environment.from_string(source)
    except LiquidError:
        return
    quick.nodes[:] = joined(quick.nodes)
    expected, found = outcome(plain, data), outcome(quick, data)
    assert found[:2] == expected[:2]
    assert expected[0] or found[2] == expected[2]


def test_what_is_plain_is_joined() -> None:
    """Texts and values become one run, also in a loop; one that asks for `forloop` stays as it is."""
    template = _TEXT.from_string("a {{ b }} c {% for x in n %}{{ x.a }}, {% endfor %}")
    run, loop = joined(template.nodes)
    assert isinstance(run, Run)
    assert isinstance(loop, Loop)
    assert loop.plain
    (other,) = joined(_TEXT.from_string("{% for x in n %}{{ forloop.index }}, {% endfor %}").nodes)
    assert isinstance(other, Loop)
    assert not other.plain


STOPPED = [name for name in HOSTILE if name.endswith(("uniq", "map: numbers", "strip_html", "escapejs"))]


@pytest.mark.parametrize("name", ["one long loop", "loops in loops", "growing", "much text", *STOPPED])
def test_what_would_take_long_is_stopped(name: str) -> None:
    """Long before it is done, by steps, bytes or names; `bench.render` measures how long that takes."""
    data = HOSTILE_DATA | {"text": "a" * 32_000}
    if name.split(" ", maxsplit=1)[0] in ("marks", "lines", "text") and name.endswith("uniq"):
        return  # one text is one member
    with pytest.raises(ResourceLimitError):
        rendered(HOSTILE[name], data, html=False)
