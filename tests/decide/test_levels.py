"""Levels of engagement: how somebody rises and falls, what is written of it, and what it starts."""

from __future__ import annotations

import json

import pytest

from hark.decide.why import SENTENCES
from hark.model import DAY, HOUR, JSON, WEEK, Event
from tests.decide.story import SEND, START, Story, campaign, plan_of

LADDER = """engagement: reader
levels:
  - {name: noticed, when: {did: {event: Opened, within: 30d}}}
  - {name: reading, when: {did: {event: Read, within: 10d, times: {gte: 2}}}}
  - {name: returning, when: {did: {event: Read, within: 10d, days: {gte: 3}}}, held_for: 2d, grace: 3d}
"""


def moves(facts: list[Event]) -> list[tuple[JSON, JSON]]:
    """(from, to) of the changes of level."""
    found = [json.loads(fact.properties) for fact in facts if fact.name == "Level Changed"]
    return [(one["from"], one["to"]) for one in found]


def test_a_ladder_is_climbed_from_below() -> None:
    """A level counts only once those below it are met; then several are one change."""
    story = Story(plan_of(LADDER))
    assert moves(story.does("Read") + story.does("Read")) == []
    assert moves(story.does("Opened")) == [(None, "reading")]
    said = SENTENCES["Level Changed"](json.loads(story.facts[-1].properties))
    assert said == "went from below all levels to reading in reader"


def test_levels_without_a_ladder_stand_by_themselves() -> None:
    """The strongest that is met is the level, whatever those below it say."""
    story = Story(plan_of(LADDER.replace("levels:", "ladder: no\nlevels:")))
    assert moves(story.does("Read") + story.does("Read")) == [(None, "reading")]


def test_a_level_takes_time_to_reach_and_is_kept_for_its_grace() -> None:
    """Three days of reading within ten: it counts two days later, and until three days after the first of
    them is ten days old."""
    story = Story(plan_of(LADDER.replace("Read, within: 10d, times", "Read, within: 30d, times")))
    story.does("Opened")
    for _ in range(3):
        story.does("Read")
        story.wait(DAY)
    story.wait(4 * WEEK)
    found = [(fact.at - START, move) for fact, move in zip(_changes(story), moves(story.facts), strict=True)]
    assert found == [
        (0, (None, "noticed")),
        (DAY, ("noticed", "reading")),
        (4 * DAY, ("reading", "returning")),
        (13 * DAY, ("returning", "reading")),
        (30 * DAY, ("reading", None)),
    ]


def _changes(story: Story) -> list[Event]:
    return [fact for fact in story.facts if fact.name == "Level Changed"]


@pytest.mark.parametrize(
    ("trigger", "entered"),
    [
        ("reaches: reading", 1),
        ("reaches: noticed", 1),
        ("reaches: returning", 0),
        ("falls_below: reading", 0),
    ],
)
def test_a_change_of_level_starts_campaigns(trigger: str, entered: int) -> None:
    """A level that is reached on the way counts as reached."""
    text = (
        LADDER + "---\n" + campaign(f"[{SEND}]", trigger=f"{{engagement: {{definition: reader, {trigger}}}}}")
    )
    story = Story(plan_of(text))
    for name in ("Read", "Read", "Opened"):
        story.does(name)
    assert story.names().count("Campaign Entered") == entered


def test_who_is_found_at_a_level_starts_nothing() -> None:
    """Levels that are defined after the fact put people there, which is no change that a campaign answers."""
    story = Story(plan_of("segment: readers\nwhere: {did: Read}"))
    for name in ("Opened", "Read", "Read"):
        story.does(name)
    trigger = "{engagement: {definition: reader, reaches: reading}}"
    story.plan = plan_of(LADDER + "---\n" + campaign(f"[{SEND}]", trigger=trigger))
    summaries: dict[str, JSON] = {}
    for key, leaf in story.plan.leaves.items():
        for event in filter(leaf.takes, story.events):
            summaries[key] = leaf.fold(summaries.get(key), event)
    facts = story.commands("backfill", summaries=summaries)
    assert moves(facts) == [(None, "reading")]
    assert "Campaign Entered" not in story.names()


def test_rising_further_does_not_reach_a_level_again() -> None:
    """Who comes up from a level has reached the next one only."""
    trigger = "{engagement: {definition: reader, reaches: noticed}}"
    story = Story(plan_of(LADDER + "---\n" + campaign(f"[{SEND}]", trigger=trigger, reenter="always")))
    for name in ("Opened", "Read", "Read"):
        story.does(name)
    assert moves(story.facts) == [(None, "noticed"), ("noticed", "reading")]
    assert story.names().count("Campaign Entered") == 1


def test_falling_below_a_level_starts_a_campaign() -> None:
    """Once, at the moment at which the level is lost."""
    trigger = "{engagement: {definition: reader, falls_below: reading}}"
    story = Story(plan_of(LADDER + "---\n" + campaign(f"[{SEND}]", trigger=trigger)))
    for name in ("Opened", "Read", "Read"):
        story.does(name)
    assert "Campaign Entered" not in story.names()
    story.wait(10 * DAY + HOUR)
    (entered,) = [fact for fact in story.facts if fact.name == "Campaign Entered"]
    assert entered.at == START + 10 * DAY


def test_levels_are_conditions() -> None:
    """A segment of those at a level is entered and left with it."""
    where = "---\nsegment: mid\nwhere: {engagement: {definition: reader, level: reading}}"
    story = Story(plan_of(LADDER + where))
    for name in ("Opened", "Read", "Read"):
        story.does(name)
    assert "mid" in story.record.members
    story.wait(11 * DAY)
    assert "mid" not in story.record.members
