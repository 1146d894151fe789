"""A text of one document changed in places."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hark.definitions.rewrite import body_of, rewritten

TEXT = """\
# ours since spring
campaign: basket   # the first
hypothesis: >
  People forget
  their baskets.
# what begins it
trigger: {event: 'Product Added'}
goal:
  # the order, not the visit
  event: Order Completed
  within: 14d   # two weeks

steps:
  - send: {channel: email, template: one}   # at once
  - wait: {for: 1d}
  - send: {channel: sms, template: two}     # then again
# the end
"""
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "a", "yes", "4%", "# x", "a: b", "x\ny\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqr"), inner, max_size=3),
    max_leaves=6,
)


def read(text: str) -> dict[str, Any]:
    found = body_of(text)
    assert found is not None
    return found


def test_one_value_is_changed_and_every_other_line_stays() -> None:
    """Another time in the goal changes its line alone; the comments stand."""
    body = read(TEXT)
    body["goal"]["within"] = "7d"
    assert rewritten(TEXT, body) == TEXT.replace("within: 14d", "within: 7d ")


def test_steps_take_their_comments_along() -> None:
    """A step that moves keeps what was written beside it; what is not steps stays byte for byte."""
    body = read(TEXT)
    body["steps"] = [body["steps"][2], {"wait": {"for": "3d"}}, body["steps"][0]]
    found = rewritten(TEXT, body)
    assert found.startswith(TEXT[: TEXT.index("steps:")])
    assert found.endswith("# the end\n")
    assert found.index("# then again") < found.index("3d") < found.index("# at once")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["campaign", "goal", "steps", "topic", "trigger"]), VALUES, min_size=1)
)
def test_the_text_says_what_it_was_told_to(body: dict[str, Any]) -> None:
    """For any document, the text rewritten reads as exactly that."""
    assert read(rewritten(TEXT, body)) == body
    flow = "{campaign: x, goal: {event: y}}"
    assert read(rewritten(flow, body)) == body
