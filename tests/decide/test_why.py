"""The timeline that explains each decision."""

from __future__ import annotations

import pytest

from hark.decide.reasons import Held, Refusal
from hark.decide.why import SENTENCES, explain, filled, span
from hark.model import (
    CAMPAIGN_TRIGGERED,
    DAY,
    GROUP_MESSAGE,
    GROUP_TRAITS,
    HOUR,
    ConsentName,
    FactName,
    ResponseName,
)
from tests.decide.story import Story, campaign, control_key, plan_of
from tests.decide.test_eligibility import CASES
from tests.decide.test_messages import DEFERS_ONLY, WITHHELD


def said(story: Story, campaign_: str | None = None) -> list[str]:
    return [line.sentence for line in explain([*story.events, *story.facts], campaign_)]


def test_every_fact_has_a_sentence() -> None:
    """No decision is left out of the timeline."""
    events = {GROUP_TRAITS, GROUP_MESSAGE, CAMPAIGN_TRIGGERED}
    assert set(SENTENCES) == {*FactName, *ConsentName, ResponseName.REPLIED, *events}


@pytest.mark.parametrize("reason", list(Refusal), ids=str)
def test_each_refusal_is_said_with_its_values(reason: Refusal) -> None:
    """The sentence of every "no" is filled by the values that its fact carries."""
    (line,) = [line for line in explain(CASES[reason]().facts) if line.event == FactName.NOT_ELIGIBLE]
    assert line.reason == reason
    assert line.sentence.startswith("did not enter hello: ")
    assert "{" not in line.sentence
    assert "not recorded" not in line.sentence


@pytest.mark.parametrize("reason", [one for one in Held if one not in DEFERS_ONLY], ids=str)
def test_each_reason_to_withhold_is_said_with_its_values(reason: Held) -> None:
    """The same for messages."""
    lines = explain(WITHHELD[reason]().facts)
    (line,) = [line for line in lines if line.event == FactName.MESSAGE_WITHHELD]
    assert "was not sent: " in line.sentence
    assert "{" not in line.sentence
    assert "not recorded" not in line.sentence


def test_a_story_reads_as_one() -> None:
    """From the entry to the goal, each line says what happened and why."""
    story = Story(plan_of(campaign(fresh="1h")))
    story.does("Signed Up")
    story.deliver()
    story.now += HOUR
    story.does("Bought", revenue=12.5)
    story.does("Unsubscribed", topic="news")
    assert said(story) == [
        "entered hello after Signed Up, in the arm treatment (probability 1)",
        "the message hello of hello was wanted",
        "ended the steps of hello: came to the end of the steps",
        "the message hello of hello was handed off to mara@shop.example",
        "the message hello of hello was accepted by the provider",
        "reached the goal of hello by Bought, worth 12.5",
        "unsubscribed from news",
        "mara@shop.example is not written to about news any more: whoever reads it has left",
    ]


def test_the_control_is_told_as_what_it_is() -> None:
    """Whoever was left alone reads why."""
    story = Story(plan_of(campaign(control="50%")), key=control_key())
    story.does("Signed Up")
    assert said(story)[:2] == [
        "entered hello after Signed Up, in the control: nothing is sent (probability 0.5)",
        "the message hello of hello was not sent: "
        "is in the control, which is left alone to measure what the message changes",
    ]


def test_one_campaign_can_be_asked_for() -> None:
    """Other campaigns' lines are left out; consents and segments stay, since decisions rest on them."""
    story = Story(plan_of(campaign() + "---\n" + campaign().replace("hello", "other", 1)))
    story.does("Signed Up")
    story.does("Unsubscribed")
    lines = explain([*story.events, *story.facts], "other")
    assert {line.campaign for line in lines} == {"", "other"}


def test_spans_and_missing_values_are_readable() -> None:
    """Spans come in their largest unit; a value that an older fact lacks is named."""
    assert [span(us) for us in (2 * DAY, DAY, 90 * 60 * 1_000_000, 0)] == [
        "2 days",
        "1 day",
        "1.5 hours",
        "an instant",
    ]
    assert filled("{since} and {late}", {"since": 0, "late_us": HOUR}) == "1970-01-01 00:00 UTC and 1 hour"
    assert filled("{nothing}", {}) == "(nothing not recorded)"
