"""How a campaign begins: rehearsed, then with a few people, then with all."""

from __future__ import annotations

from hark.clock import unit_hash
from hark.decide.plan import Plan
from hark.model import DAY, FactName
from tests.decide.story import Story, campaign, documents, plan_of


def test_who_was_in_the_rehearsal_can_still_enter() -> None:
    """In a rehearsal all is live but the hand-off; the campaign itself then takes the same customer, once,
    and its message is another one."""
    story = Story(plan_of(campaign(rehearsal="yes")))
    story.does("Signed Up")
    story.deliver()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == ["rehearsal"]
    story.wait(8 * DAY)
    story.plan = plan_of(campaign(), version=2)
    for _ in range(2):
        story.does("Signed Up")
        story.deliver()
        story.wait(8 * DAY)
    assert story.names().count(FactName.MESSAGE_SENT) == 1
    assert len({said["message"] for said in story.found(FactName.MESSAGE_WANTED)}) == 2
    assert story.reasons(FactName.NOT_ELIGIBLE) == ["already_entered"]


def test_what_the_rehearsal_wanted_never_goes() -> None:
    """A message of the rehearsal that waits for its hand-off is withheld after the campaign has begun,
    too."""
    story = Story(plan_of(campaign(rehearsal="yes")))
    story.does("Signed Up")
    story.plan = Plan.compile(documents(campaign(), 2), documents(campaign(rehearsal="yes")))
    story.deliver()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == ["rehearsal"]


def test_the_ramp_takes_the_share_and_keeps_who_is_in() -> None:
    """Of 400 people a ramp of 5 % takes about 5 %, and everybody of it is in that of 50 % too."""
    in_it: dict[str, set[int]] = {}
    for share in ("5%", "50%", "100%"):
        plan = plan_of(campaign(ramp=share))
        in_it[share] = set()
        for number in range(400):
            story = Story(plan, key=f"key-{number}")
            story.does("Signed Up")
            if FactName.CAMPAIGN_ENTERED in story.names():
                in_it[share].add(number)
    assert in_it["5%"] == {n for n in range(400) if unit_hash("campaign/hello/ramp", f"key-{n}") < 0.05}
    assert in_it["5%"] < in_it["50%"] < in_it["100%"] == set(range(400))
