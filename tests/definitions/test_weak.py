"""What rests on weak signals is said with its figures, and never refused."""

from __future__ import annotations

import pytest

from hark.definitions.document import Document
from hark.definitions.learned import Graded, Signals
from hark.definitions.parse import definition, read
from hark.definitions.resolve import resolved
from hark.definitions.weak import said, warnings

FIGURES = (0.3, 0.5, (0.02, 0.01, 0.03))
SIGNALS = Signals(
    "staying",
    "2026-03-01",
    900,
    {
        "Ordered": Graded("strong", "2026-02-01", *FIGURES),
        "Looked": Graded("weak", "2026-02-02", *FIGURES),
        "Scrolled": Graded("none", "2026-02-03", *FIGURES),
    },
)
CAMPAIGN = """\
campaign: hello
trigger: {event: Signed Up}
goal: {GOAL, within: 14d}
control: none
why: a test
topic: news
steps: [{send: {channel: email, template: hello}}]
---
topic: news
---
template: hello
channel: email
subject: Hello
text: Hello
---
segment: lookers
where: {did: Looked}
"""
LADDER = (
    "engagement: reader\nlevels:\n  - {name: below, when: {did: Ordered}}\n  - {name: top, when: {WHEN}}\n"
)


def found(text: str, signals: Signals | None = SIGNALS) -> list[str]:
    return [f"{one.line}: {one.message}" for one in warnings(read([("f", text)]), signals)]


def test_the_figures_and_since_when_stand_in_the_warning() -> None:
    """The line is the goal's, and the hint says where to look for more."""
    [one] = warnings(read([("f", CAMPAIGN.replace("GOAL", "event: Looked"))]), SIGNALS)
    assert (one.file, one.line) == ("f", 3)
    assert one.message == (
        "the goal of hello rests on what tells little of staying: Looked (a weak sign since 2026-02-02: 50% "
        "of those who did it early stayed, 2.0 points more than others as active (95 %: +1.0 to +3.0))"
    )
    assert "hark signals" in one.hint


@pytest.mark.parametrize(
    ("goal", "doubted"),
    [
        ("event: Scrolled", True),
        ("event: Ordered", False),
        ("event: Never Seen", False),
        ("any_of: [Looked, Scrolled]", True),
        ("any_of: [Looked, Ordered]", False),
        ("any_of: [Looked, Never Seen]", False),
        ("response: yes, event: Looked", False),
        ("when: {did: {event: Looked, within: 7d}}", True),
        ("when: {all: [{did: {event: Looked, within: 7d}}, {did: Ordered}]}", False),
        ("when: {did_not: {event: Looked, within: 7d}}", False),
        ("when: {not: {did: {event: Scrolled, within: 7d}}}", False),
        ("when: {in_segment: lookers}", False),
    ],
)
def test_a_goal_is_doubted_if_all_that_it_names_is_weak(goal: str, doubted: bool) -> None:
    """One strong event is enough, and so is one of which nothing is known; what must not be done is no goal
    to lead to, and a response is no goal of the product."""
    text = CAMPAIGN.replace("GOAL", goal)
    if "response" in goal:
        text = text.replace("why: a test", "why: a test\ntransactional: yes").replace("control: none\n", "")
        text = text.replace("why: a test\n", "").replace("topic: news\nsteps", "steps")
    assert bool(found(text)) is doubted
    assert not found(text, None)


@pytest.mark.parametrize(
    ("when", "doubted"),
    [
        ("did: Scrolled", True),
        ("did: {event: Email Opened, within: 30d}", True),
        ("any: [{did: Message Clicked}, {did: Looked}]", True),
        ("any: [{did: Message Replied}, {did: Looked}]", False),
        ("all: [{did: Looked}, {trait: {plan: pro}}]", True),
        ("trait: {plan: pro}", False),
        ("since_last: {event: Looked, gte: 3d}", True),
        ("returned: {after_gap: 30d, within: 7d}", False),
    ],
)
def test_a_level_is_doubted_if_only_weak_events_lead_to_it(when: str, doubted: bool) -> None:
    """Opens and clicks are weak by definition; traits say nothing of it either way."""
    message = found(LADDER.replace("WHEN", when))
    assert [one.partition(" rests")[0] for one in message] == (['4: level "top"'] if doubted else [])


def test_opens_are_weak_before_anything_is_graded() -> None:
    """They need no grades."""
    [one] = found(LADDER.replace("WHEN", "did: Email Opened"), None)
    assert one.endswith("Email Opened (that somebody opened or clicked is a weak sign)")


def test_what_a_segment_says_counts_once_it_is_looked_up() -> None:
    """In force, a level that names a segment rests on the segment's events."""
    text = LADDER.replace("WHEN", "in_segment: lookers") + "---\nsegment: lookers\nwhere: {did: Looked}\n"
    parsed = read([("f", text)])
    typed = [definition(Document(one.kind, one.name, 1, one.body)) for one in parsed]
    assert not warnings(parsed, SIGNALS)
    assert [one.partition(" rests")[0] for one in said(resolved(typed[:1], typed)[0], SIGNALS)] == [
        'level "top"'
    ]
