"""A campaign's journey as a drawing, and its counts."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.console.diagram import WIDE, Box, diagram
from hark.definitions.parse import parse
from hark.definitions.steps import every
from hark.definitions.types import Branch, Campaign, Split
from tests.console.test_pages import told
from tests.decide.story import SEND, TOPIC, campaign

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

STEP = st.sampled_from([SEND, "{wait: {for: 1d}}", "{update: {traits: {seen: yes}}}", "{exit: enough}"])


def branch(ways: list[list[str]]) -> str:
    whens = [f"{{when: {{did: A{place}}}, steps: [{', '.join(way)}]}}" for place, way in enumerate(ways)]
    return f"{{branch: [{', '.join(whens)}]}}"


def split(ways: list[list[str]]) -> str:
    return (
        "{split: {"
        + ", ".join(f"w{place}: {{steps: [{', '.join(way)}]}}" for place, way in enumerate(ways))
        + "}}"
    )


STEPS = st.recursive(
    STEP,
    lambda inner: st.one_of(
        st.lists(st.lists(inner, min_size=1, max_size=3), min_size=1, max_size=3).map(branch),
        st.lists(st.lists(inner, min_size=1, max_size=3), min_size=2, max_size=3).map(split),
    ),
    max_leaves=8,
)


def defined(text: str) -> Campaign:
    return next(one.definition for one in parse(TOPIC + text) if isinstance(one.definition, Campaign))


def overlap(one: Box, other: Box) -> bool:
    apart = one.x + WIDE <= other.x or other.x + WIDE <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_no_box_lies_over_another_and_none_is_missing(steps: list[str]) -> None:
    """Whatever is nested in what: boxes are apart and inside the drawing, and every step that can be reached
    has its own."""
    found = defined(campaign(f"[{SEND}, {', '.join(steps)}]"))
    drawn = diagram(found)
    assert not [pair for pair in combinations(drawn.boxes, 2) if overlap(*pair)]
    assert all(
        one.x >= 0 and one.x + WIDE <= drawn.width and one.y + one.height <= drawn.height
        for one in drawn.boxes
    )
    known = [one.id for one in every(found.variants[0].steps) if not isinstance(one, Branch | Split)]
    named = [one.step for one in drawn.boxes if one.variant]
    assert len(named) == len(set(named)) and set(named) <= set(known)
    if not any("exit" in one for one in steps):
        assert named == known


def test_the_shops_journey_adds_up(ann: Client) -> None:
    """Everybody who entered is under way, awaited, at the goal or over; and the report knows as many."""
    page = told(ann, "/campaigns/come_back/journey")
    now, report = page["journey"], told(ann, "/campaigns/come_back")["report"]
    assert sum(now["entered"].values()) == sum(arm["entered"] for arm in report["arms"])
    assert now["entered"]["control"] == next(
        arm["entered"] for arm in report["arms"] if arm["arm"] == "control"
    )
    [send] = now["places"]
    assert send["sent"] + send["withheld"] + send["queued"] <= now["entered"]["treatment"]
    assert (
        f"{sum(now['entered'].values()):,} entered"
        in ann.get("/campaigns/come_back/journey").content.decode()
    )
    assert ann.get("/campaigns/come_back/journey?version=9").status_code == 404
