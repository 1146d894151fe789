"""Stages of the purchase decision: by the usual events or as a document says; as condition and trigger."""

from __future__ import annotations

import json

import pytest

from hark.decide.why import SENTENCES
from hark.definitions.stages import built_in
from hark.model import DAY, JSON, WEEK, Event
from tests.decide.story import SEND, Story, campaign, plan_of

OURS = """stage: purchase
stages:
  - nobody
  - {name: looked, when: {did: {event: Looked, within: 10d}}}
  - {name: bought, when: {did: Bought}}
---
"""


def moves(facts: list[Event]) -> list[tuple[JSON, JSON]]:
    found = [json.loads(fact.properties) for fact in facts if fact.name == "Stage Changed"]
    return [(one["from"], one["to"]) for one in found]


def entered(story: Story) -> int:
    return sum(fact.name == "Campaign Entered" for fact in story.facts)


def starting(trigger: str, before: str = "") -> Story:
    return Story(plan_of(before + campaign(f"[{SEND}]", trigger=f"{{stage: {{{trigger}}}}}")))


def test_the_usual_events_lead_from_unaware_to_champion() -> None:
    """Each stage has an event that leads to it; one change goes over several, and the strongest stage counts,
    whether those below it were seen or not."""
    story = starting("reaches: evaluating")
    assert moves(story.does("Page")) == [("unaware", "aware")]
    story.does("Product Viewed")
    story.wait(DAY)
    assert moves(story.does("Product Viewed")) == [("aware", "considering")]
    assert moves(story.does("Order Completed")) == [("considering", "customer")]
    assert moves(story.does("Referral Joined")) == [("customer", "champion")]
    assert entered(story) == 1
    said = SENTENCES["Stage Changed"](json.loads(story.facts[-1].properties))
    assert said == "went from customer to champion in their decision to buy"


def test_who_stops_looking_falls_back() -> None:
    """Without a further look a customer who considered is only aware after 30 days, and unaware after 90."""
    story = starting("falls_below: considering")
    story.does("Page")
    story.does("Product Viewed")
    story.wait(DAY)
    story.does("Product Viewed")
    story.wait(14 * WEEK)
    assert moves(story.facts) == [
        ("unaware", "aware"),
        ("aware", "considering"),
        ("considering", "aware"),
        ("aware", "unaware"),
    ]
    assert entered(story) == 1


def test_a_document_redefines_the_stages() -> None:
    """Its stages alone count, under its names."""
    story = starting("reaches: bought", OURS)
    assert moves(story.does("Page") + story.does("Looked")) == [("nobody", "looked")]
    assert moves(story.does("Bought")) == [("looked", "bought")]
    assert entered(story) == 1


@pytest.mark.parametrize(
    ("asked", "inside"),
    [
        ("nobody", (True, False, False)),
        ("{at_least: looked}", (False, True, True)),
        ("{at_most: looked}", (True, True, False)),
        ("{at_most: nobody}", (True, False, False)),
        ("bought", (False, False, True)),
    ],
)
def test_a_stage_is_a_condition(asked: str, inside: tuple[bool, ...]) -> None:
    """Who is at a stage, at least or at most at it; the first stage is everybody at no other."""
    story = Story(plan_of(f"{OURS}segment: there\nwhere: {{stage: {asked}}}\n"))
    for name, expected in zip(("Seen", "Looked", "Bought"), inside, strict=True):
        story.does(name)
        assert ("there" in story.record.members) is expected


def test_nothing_is_watched_where_nobody_asks_for_stages() -> None:
    """The built-in stages cost nothing until a condition, a trigger or a document wants them."""
    assert plan_of(campaign(f"[{SEND}]")).watch("Order Completed") is None
    assert built_in()[1].names[-1] == "champion"
