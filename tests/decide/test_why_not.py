"""Why not: what is lacking for one customer to enter a campaign, as the rules that decide it say."""

from __future__ import annotations

import pytest

from hark.decide.record import decode, encode
from hark.decide.why_not import Standing, why_not
from hark.model import DAY
from tests.decide.story import Story, campaign, control_key, plan_of

SLOW = """
segment: slow
where: {all: [{did: {event: Order, times: {gte: 2}}}, {did_not: {event: Order, within: 45d}}]}
---
"""
ENTERS = SLOW + campaign(trigger="{enters: slow}", audience="{trait: {plan: pro}}")


def asked(story: Story) -> dict[str, Standing]:
    before = encode(story.record)
    found = why_not(decode(before), story.plan, "hello", story.now)
    assert encode(story.record) == before
    return {one.asks: one for one in found}


def test_what_is_missing_of_a_segment_is_said_part_by_part() -> None:
    """Of two parts only the one that does not hold is named, and so is what the audience lacks."""
    story = Story(plan_of(ENTERS))
    for _ in range(2):
        story.does("Order")
    found = asked(story)
    assert found["trigger"].holds is False
    assert found["trigger"].sentence == "is not in slow: not one who did not do Order in the last 45 days"
    assert found["not_in_audience"].sentence == "lacks for the audience: have plan pro"


def test_who_is_inside_already_is_told_so() -> None:
    """Who came into the segment before the campaign was there would have to leave it first."""
    story = Story(plan_of(SLOW + campaign(trigger="{event: Other}")), plan_trait="pro")
    for _ in range(2):
        story.does("Order")
    story.wait(46 * DAY)
    story.plan = plan_of(ENTERS)
    assert "only who comes into it enters" in asked(story)["trigger"].sentence


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        (campaign(paused="yes"), "paused", "the campaign was paused"),
        (campaign(starts='"2027-01-01"'), "out_of_dates", "the campaign runs from 2027-01-01"),
        (campaign(topic="other"), "no_consent", "has not agreed to get other by email"),
    ],
)
def test_each_rule_is_named_with_its_values(text: str, reason: str, says: str) -> None:
    """The reason's stable name and its sentence, as it would be written down."""
    head = "topic: other\n---\n"
    found = asked(Story(plan_of(head + text)))
    assert found[reason].sentence.startswith(says)
    assert found["trigger"].sentence == "enters once they do Signed Up"


def test_who_entered_is_told_when_they_may_again() -> None:
    """Once in, re-entry stands in the way, with its date."""
    story = Story(plan_of(campaign(reenter="{after: 90d}")))
    story.does("Signed Up")
    story.wait(8 * DAY)
    assert (
        asked(story)["already_entered"].sentence
        == "entered on 2026-03-02 10:00 UTC and may enter again 2026-05-31 10:00 UTC"
    )


def test_the_control_and_the_first_message_are_said_too() -> None:
    """Where all else holds: who would be left alone, and what would hold the message back now."""
    alone = Story(plan_of(campaign(control="50%")), key=control_key())
    assert asked(alone)["control"].sentence.startswith("is in the control")
    quiet = (
        "policy: attention\nquiet_hours: {from: '09:00', to: '12:00', zone: UTC, fallback_zone: UTC}\n---\n"
    )
    found = asked(Story(plan_of(quiet + campaign())))["quiet_hours"]
    assert found.sentence.startswith("a message now: it was 10:00 in UTC, within quiet hours; it would wait")


def test_nothing_stands_in_the_way() -> None:
    """Who only has to do it is told just that; an api campaign waits for its call."""
    assert [one.holds for one in asked(Story(plan_of(campaign()))).values()] == [None]
    called = asked(Story(plan_of(campaign(trigger="{api: yes}"))))
    assert called["trigger"].sentence == "enters once a call names them"
