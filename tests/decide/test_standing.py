"""Where the runs of a campaign are now."""

from __future__ import annotations

import msgspec

from hark.decide.standing import Journey, Place, Said, Tally
from hark.model import DAY
from tests.decide.story import SEND, Story, campaign, control_key, plan_of

STEPS = (
    f"[{SEND}, {{wait: {{for: 2d}}, id: pause}}, {{send: {{channel: email, template: hello}}, id: again}}]"
)


def standing(*stories: Story, version: int = 1) -> Journey:
    plan = stories[0].plan
    course = plan.current["hello"]
    tally = Tally("hello", version, course.steps)
    for story in stories:
        tally.record(story.record)
        for fact in story.facts:
            tally.fact(fact.name, msgspec.json.decode(fact.properties, type=Said))
    return tally.result()


def test_who_waits_who_is_over_and_who_is_left_alone() -> None:
    """Four customers: one waits, one waits in shadow, one is through (sent once, queued once), one bought."""
    plan = plan_of(campaign(STEPS, control="50%"))
    treated, alone = control_key(inside=False), control_key()
    waits, shadow = Story(plan, treated), Story(plan, alone)
    through, bought = Story(plan, treated), Story(plan, treated)
    for story in (waits, shadow, through, bought):
        story.does("Signed Up")
    [wanted] = through.record.sends
    through.hands_off(wanted.message)
    through.comes_out(wanted.message)
    through.wait(2 * DAY)
    bought.wait(2 * DAY)
    bought.does("Bought")
    found = standing(waits, shadow, through, bought)
    assert found.entered == {"treatment": 3, "control": 1}
    assert (found.running, found.alone, found.watched) == (1, 1, 1)
    assert found.goals == {"treatment": 1}
    assert found.exits == {"finished": 2}
    assert found.places == (
        Place("treatment", "0", queued=2, sent=1),
        Place("treatment", "pause", waiting=1, alone=1),
        Place("treatment", "again", queued=2),
    )


def test_runs_of_other_versions_are_counted_apart() -> None:
    """Who began with version 1 is not at a step of version 2, but is told of."""
    story = Story(plan_of(campaign(STEPS)))
    story.does("Signed Up")
    found = standing(story, version=2)
    assert (found.running, found.others) == (0, {"1": 1})
    assert all(place == Place(place.variant, place.step) for place in found.places)
