"""A pause: waits go on, or stand still and go on with what was left of them, as its author chose."""

from __future__ import annotations

from msgspec.structs import replace

from hark.decide.plan import Plan
from hark.decide.reasons import Exit, Held
from hark.model import DAY, HOUR, FactName
from tests.decide.story import SEND, START, Story, campaign, documents

STEPS = f"[{{wait: {{until: {{event: Opened App}}, for: 3d}}}}, {SEND}]"
KEEP = "{timers: keep}"


def plan(version: int, **keys: str) -> Plan:
    older = [one for before in range(1, version) for one in documents(campaign(STEPS, **keys), before)]
    return Plan.compile(documents(campaign(STEPS, **keys), version), older)


def paused(how: str, after: int = DAY, **keys: str) -> Story:
    """On the way since START, and the campaign paused `after` later."""
    story = Story(plan(1, **keys))
    story.does("Signed Up")
    story.wait(after)
    story.plan = plan(2, paused=how, **keys)
    if how == KEEP:
        story.commands("stand", campaign="hello")
    return story


def goes_on(story: Story, **keys: str) -> None:
    story.plan = plan(3, **keys)
    story.commands("go_on", campaign="hello")


def test_a_pause_lets_waits_pass() -> None:
    """By `yes` or `{timers: pass}` the wait ends at its moment, and what it leads to is withheld."""
    for how in ("yes", "{timers: pass}"):
        story = paused(how)
        story.wait(5 * DAY)
        assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.PAUSED]
        assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.FINISHED]


def test_a_pause_that_keeps_the_timers_keeps_what_was_left() -> None:
    """Paused after one of three days, for two days: the message is wanted two days after it goes on."""
    story = paused(KEEP)
    assert story.wait(2 * DAY) == []
    goes_on(story)
    story.wait(4 * DAY)
    [wanted] = [fact for fact in story.facts if fact.name == FactName.MESSAGE_WANTED]
    assert wanted.at == START + 5 * DAY
    assert story.found(FactName.CAMPAIGN_PAUSED)[0]["left_us"] == 2 * DAY
    assert story.found(FactName.CAMPAIGN_RESUMED)[0]["until"] == START + 5 * DAY


def test_what_comes_while_it_stands_still_ends_the_wait_afterwards() -> None:
    """The event it waits for is not missed: the run goes on as soon as its campaign does."""
    story = paused(KEEP)
    assert story.does("Opened App") == []
    story.wait(DAY)
    goes_on(story)
    story.wait(0)
    assert [fact.at for fact in story.facts if fact.name == FactName.MESSAGE_WANTED] == [START + 2 * DAY]


def test_a_goal_ends_what_stands_still() -> None:
    """Goals are watched for as ever, and a run that exits on its goal does not go on."""
    story = paused(KEEP, exit="[goal]")
    story.does("Bought")
    goes_on(story, exit="[goal]")
    story.wait(9 * DAY)
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.GOAL]
    assert story.messages() == []


def test_what_would_end_after_the_goals_window_ends() -> None:
    """After a pause of 6 days the rest of the wait would end on day 9 of a window of 7."""
    story = paused(KEEP)
    story.wait(6 * DAY)
    goes_on(story)
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.TOO_LATE]


def test_a_message_that_waited_is_kept_too() -> None:
    """What was wanted and not handed off waits with its campaign, and is due at once when that goes on."""
    story = paused(KEEP, after=3 * DAY)
    [message] = story.messages()
    story.hands_off(message)
    assert story.reasons(FactName.MESSAGE_DEFERRED) == [Held.PAUSED]
    story.wait(HOUR)
    goes_on(story)
    assert story.record.sends[0].due_at == story.now
    story.deliver()
    assert story.names()[-1] == FactName.MESSAGE_SENT


def test_a_message_is_not_kept_longer_than_it_is_worth() -> None:
    """One that expires is asked once more just before, and then withheld."""
    story = paused(KEEP, after=3 * DAY)
    [message] = story.messages()
    expires = story.now + HOUR
    story.record.sends = [replace(story.record.sends[0], expires_at=expires)]
    story.hands_off(message)
    story.now = story.record.sends[0].due_at
    assert story.now < expires
    story.hands_off(message)
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.PAUSED]
