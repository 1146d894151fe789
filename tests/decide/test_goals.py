"""What a run is for: goals that are conditions, goals beside the goal, in every arm and in one replay."""

from __future__ import annotations

import pytest

from hark.decide.why import explain
from hark.model import DAY, HOUR, FactName
from tests.decide.story import MINUTE, START, Story, campaign, control_key, plan_of

STAYS = "{when: {did_not: {event: Cancelled, since: entry}}, within: 7d}"
"""A goal that something does not happen."""


def reached(story: Story) -> list[tuple[float, object]]:
    """(days after the start, which goal) of each goal reached."""
    facts = [fact for fact in story.facts if fact.name == FactName.GOAL_REACHED]
    found = zip(facts, story.found(FactName.GOAL_REACHED), strict=True)
    return [((fact.at - START) / DAY, said.get("also", 0)) for fact, said in found]


@pytest.mark.parametrize("inside", [False, True], ids=["treated", "control"])
def test_what_did_not_happen_is_a_goal(inside: bool) -> None:
    """Nobody cancels: at the window's end, to the moment and by time alone, the goal is reached in both
    arms."""
    plan = plan_of(campaign(goal=STAYS, control="50%"))
    story = Story(plan, key=control_key(0.5, inside))
    story.does("Signed Up")
    story.wait(7 * DAY - 1)
    assert reached(story) == []
    story.wait(10 * DAY)
    assert reached(story) == [(7, 0)]
    last = explain(story.facts)[-1].sentence
    said = "at its window's end was one who did not do Cancelled since entering the campaign"
    assert last == f"reached the goal of hello: {said}"


def test_what_did_happen_is_none() -> None:
    """Who cancels within the window has not reached it; who had cancelled before has, since it is asked since
    the entry."""
    for before in (True, False):
        story = Story(plan_of(campaign(goal=STAYS)))
        if before:
            story.does("Cancelled")
        story.wait(HOUR)
        story.does("Signed Up")
        story.wait(DAY)
        if not before:
            story.does("Cancelled")
        story.wait(20 * DAY)
        assert len(reached(story)) == int(before)


def test_a_judged_goal_ends_nothing_early() -> None:
    """With `exit: [goal]` the steps go on to their end: the goal comes at the window's end, after all of
    them."""
    steps = "[{wait: {for: 3d}}, {send: {channel: email, template: hello}}]"
    story = Story(plan_of(campaign(steps, goal=STAYS, exit="[goal]")))
    story.does("Signed Up")
    story.wait(8 * DAY)
    assert story.names().count(FactName.MESSAGE_WANTED) == 1
    assert story.reasons(FactName.CAMPAIGN_EXITED) == ["finished"]


def test_goals_beside_the_goal_are_followed_once() -> None:
    """Each is written down the first time, with its place, within its own window, which may be the longer
    one; the goal itself and the exit know nothing of it."""
    also = "[{event: Opened, within: 1d}, {event: Told, within: 30d}]"
    story = Story(plan_of(campaign(also=also, exit="[goal]")))
    story.does("Signed Up")
    story.wait(HOUR)
    for _ in range(2):
        story.does("Opened")
    story.wait(2 * DAY)
    story.does("Opened")
    story.wait(26 * DAY)
    story.does("Told")
    story.wait(10 * DAY)
    story.does("Told")
    assert [also for _, also in reached(story)] == [1, 2]
    assert story.reasons(FactName.CAMPAIGN_EXITED) == ["finished"]
    assert [line.sentence for line in explain(story.facts) if line.event == FactName.GOAL_REACHED] == [
        "reached goal 2 (followed beside the goal) of hello by Opened",
        "reached goal 3 (followed beside the goal) of hello by Told",
    ]


def test_the_goal_counts_as_before() -> None:
    """An event that is both the goal and one beside it is written for both."""
    story = Story(plan_of(campaign(also="[{any_of: [Bought, Opened], within: 7d}]")))
    story.does("Signed Up")
    story.wait(MINUTE)
    story.does("Bought", revenue=3)
    assert [also for _, also in reached(story)] == [0, 1]
