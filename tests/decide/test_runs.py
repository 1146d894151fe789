"""A run's way: steps, waits, goals, exits, entering again."""

from __future__ import annotations

import pytest

from hark.clock import derived_id, instant
from hark.decide.assignment import CONTROL
from hark.decide.course import GRACE_US
from hark.decide.reasons import Exit, Held
from hark.model import DAY, HOUR, MINUTE, FactName
from tests.decide.story import SEND, START, Story, campaign, control_key, plan_of

WAITING = f"[{SEND}, {{wait: {{until: {{event: Opened App}}, for: 3d}}}}, {SEND}]"
SLOW = (
    "segment: slow\nwhere: {all: [{did: {event: Order, times: {gte: 2}}},"
    " {did_not: {event: Order, within: 45d}}]}\n---\n"
)


def test_an_entry_writes_the_exposure_and_the_message() -> None:
    """A trigger writes Campaign Entered, then the message, with ids derived from their parts alone."""
    story = Story(plan_of(campaign()))
    story.does("Signed Up", plan="pro")
    entered, wanted = story.found(FactName.CAMPAIGN_ENTERED)[0], story.found(FactName.MESSAGE_WANTED)[0]
    run = derived_id("run", "hello", 1, "", "0")
    assert entered["run"] == wanted["run"] == run
    assert wanted["message"] == derived_id("message", run, "0")
    assert wanted["to"] == "mara@shop.example"
    assert (entered["arm"], entered["propensity"], entered["first"]) == ("treatment", 1.0, True)
    assert story.record.runs[0].trigger == b'{"plan": "pro"}'


def test_a_wait_for_an_event_ends_by_the_event() -> None:
    """The run goes on at the event, not at the span's end."""
    story = Story(plan_of(campaign(WAITING)))
    story.does("Signed Up")
    story.wait(DAY)
    assert next(fact.name for fact in story.does("Opened App")) == FactName.MESSAGE_WANTED
    assert story.wait(3 * DAY) == []


def test_a_wait_for_an_event_ends_by_its_span() -> None:
    """Without the event the run goes on when the span is over, at that very moment."""
    story = Story(plan_of(campaign(WAITING)))
    story.does("Signed Up")
    wanted = story.wait(5 * DAY)[0]
    assert (wanted.name, wanted.at) == (FactName.MESSAGE_WANTED, START + 3 * DAY)


def test_an_event_at_the_very_end_of_a_wait_comes_before_the_timer() -> None:
    """At one instant events precede timers, and a forward window holds its end."""
    story = Story(plan_of(campaign(WAITING)))
    story.does("Signed Up")
    story.now = START + 3 * DAY
    facts = story.does("Opened App")
    assert [fact.name for fact in facts] == [FactName.MESSAGE_WANTED, FactName.CAMPAIGN_EXITED]


def test_an_event_from_before_the_wait_does_not_end_it() -> None:
    """An event that arrives late and happened before the wait began is not what the run waits for."""
    story = Story(plan_of(campaign(WAITING)))
    story.now += HOUR
    story.does("Signed Up")
    assert story.does("Opened App", at=START) == []


@pytest.mark.parametrize(
    "zone, trait, expected",
    [
        ("customer", "America/New_York", "2026-03-02T14:00:00Z"),
        ("customer", "no/such_zone", "2026-03-03T09:00:00Z"),
        ("Asia/Tokyo", "America/New_York", "2026-03-03T00:00:00Z"),
    ],
)
def test_a_wait_until_a_time_of_day_is_local(zone: str, trait: str, expected: str) -> None:
    """09:00 comes in the customer's zone, in UTC where that is unknown, or in the zone that is named."""
    story = Story(plan_of(campaign(f'[{{wait: {{at: "09:00", zone: {zone}}}}}, {SEND}]')), timezone=trait)
    story.does("Signed Up")
    assert story.record.due == instant(expected)


def test_a_wait_until_a_time_on_working_days_skips_the_others() -> None:
    """From Monday 10:00 the next 09:00 on a Monday is a week away."""
    story = Story(plan_of(campaign(f'[{{wait: {{at: "09:00", days: [mon]}}}}, {SEND}]')))
    story.does("Signed Up")
    assert story.record.due == instant("2026-03-09T09:00:00Z")


def test_a_goal_counts_at_its_own_time() -> None:
    """The fact of a goal that arrives late stands at the goal's time; its value is the named property."""
    story = Story(plan_of(campaign()))
    story.does("Signed Up")
    story.now += 2 * DAY
    (fact,) = story.does("Bought", at=START + HOUR, revenue=12.5)
    assert (fact.name, fact.at) == (FactName.GOAL_REACHED, START + HOUR)
    assert story.found(FactName.GOAL_REACHED)[0]["value"] == 12.5


@pytest.mark.parametrize(
    "at, arrives, counts",
    [
        (START, START + HOUR, False),
        (START + 1, START + HOUR, True),
        (START + 7 * DAY, START + 7 * DAY, True),
        (START + 7 * DAY + 1, START + 7 * DAY + 1, False),
        (START + 7 * DAY, START + 7 * DAY + GRACE_US, True),
        (START + 7 * DAY, START + 7 * DAY + GRACE_US + 1, False),
    ],
)
def test_the_goals_window(at: int, arrives: int, counts: bool) -> None:
    """A goal counts strictly after the entry, up to the window's end, if it arrives within the grace."""
    story = Story(plan_of(campaign(fresh="30d")))
    story.does("Signed Up")
    story.row -= 2
    story.now = arrives
    story.does("Bought", at=at)
    assert (FactName.GOAL_REACHED in story.names()) is counts


def test_the_control_reaches_goals_too() -> None:
    """Goals are watched for in every arm, from the entry on, whatever became of the steps."""
    story = Story(plan_of(campaign(control="50%")), key=control_key())
    story.does("Signed Up")
    story.wait(DAY)
    story.does("Bought", revenue=3)
    assert story.found(FactName.GOAL_REACHED)[0]["arm"] == CONTROL


def test_exit_on_goal_ends_the_steps_and_holds_what_waits() -> None:
    """After the goal nothing more is wanted, and a message not handed off yet is withheld."""
    story = Story(plan_of(campaign(WAITING, exit="[goal]")))
    story.does("Signed Up")
    story.now += MINUTE
    story.does("Bought")
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.GOAL]
    story.deliver()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.GOAL_REACHED]
    assert story.wait(5 * DAY) == []
    assert story.record.due is None


def test_without_exit_the_goal_does_not_end_the_steps() -> None:
    """A goal ends the steps only where the campaign says so."""
    story = Story(plan_of(campaign(WAITING)))
    story.does("Signed Up")
    story.now += MINUTE
    story.does("Bought")
    story.wait(5 * DAY)
    assert len(story.messages()) == 2


def test_entering_a_segment_starts_a_run_by_time_alone() -> None:
    """45 days after the second order the customer is slow, and the campaign starts at that moment."""
    story = Story(plan_of(SLOW + campaign(trigger="{enters: slow}", exit="[{leaves: slow}]")))
    story.does("Order")
    story.now += DAY
    story.does("Order")
    facts = story.wait(60 * DAY)
    assert [fact.name for fact in facts[:3]] == [
        FactName.SEGMENT_ENTERED,
        FactName.CAMPAIGN_ENTERED,
        FactName.MESSAGE_WANTED,
    ]
    assert {fact.at for fact in facts} == {START + 46 * DAY}


def test_leaving_the_segment_ends_the_steps() -> None:
    """With `exit: {leaves}` the steps end when the customer leaves the segment, and what waits is held."""
    story = Story(plan_of(SLOW + campaign(WAITING, trigger="{enters: slow}", exit="[{leaves: slow}]")))
    story.does("Order")
    story.does("Order")
    story.wait(46 * DAY)
    story.does("Order")
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.LEFT_SEGMENT]
    story.deliver()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.EXITED]


def test_one_live_run_for_each_key() -> None:
    """Two baskets are walked at once; the same basket again is not."""
    steps = f"[{{wait: {{for: 2d}}}}, {SEND}]"
    story = Story(plan_of(campaign(steps, key="event.basket.id", reenter="always")))
    for basket in (7, 8, 7):
        story.does("Signed Up", basket={"id": basket})
    assert [fact["key"] for fact in story.found(FactName.CAMPAIGN_ENTERED)] == ["7", "8"]
    story.wait(3 * DAY)
    story.does("Signed Up", basket={"id": 7})
    assert [fact["first"] for fact in story.found(FactName.CAMPAIGN_ENTERED)] == [True, False, False]
    assert len({fact["run"] for fact in story.found(FactName.CAMPAIGN_ENTERED)}) == 3


@pytest.mark.parametrize("reenter, after, entries", [
    ("never", 400 * DAY, 1),
    ("always", 0, 2),
    ("{after: 30d}", 30 * DAY - 1, 1),
    ("{after: 30d}", 30 * DAY, 2),
])  # fmt: skip
def test_entering_again(reenter: str, after: int, entries: int) -> None:
    """The re-entry rule counts from the last entry."""
    story = Story(plan_of(campaign(reenter=reenter)))
    story.does("Signed Up")
    story.now += after
    story.does("Signed Up")
    assert len(story.found(FactName.CAMPAIGN_ENTERED)) == entries


def test_what_is_imported_starts_nothing() -> None:
    """Imported events change traits, summaries, segments and goals, and never start a run."""
    two = "segment: two\nwhere: {did: {event: Order, times: {gte: 2}}}\n---\n"
    second = campaign(trigger="{enters: two}").replace("campaign: hello", "---\ncampaign: second")
    story = Story(plan_of(two + campaign() + second))
    for at in (START - 5 * DAY, START - 4 * DAY, START - 1):
        story.imports("Order", at)
        story.imports("Signed Up", at)
    assert story.names() == [FactName.SEGMENT_ENTERED]
    assert story.record.runs == []
    assert "two" in story.record.members


def test_a_run_keeps_the_version_it_started_with() -> None:
    """After a new version the run walks the old one's steps, and messages say so."""
    from hark.decide.plan import Plan
    from tests.decide.story import documents

    old = documents(campaign(WAITING))
    new = documents(campaign(f"[{{wait: {{for: 1h}}}}, {SEND}]"), version=2)
    story = Story(Plan.compile(old))
    story.does("Signed Up")
    story.plan = Plan.compile(new, old)
    story.wait(5 * DAY)
    assert [(fact["version"], fact["step"]) for fact in story.found(FactName.MESSAGE_WANTED)] == [
        (1, "0"),
        (1, "2"),
    ]


def test_runs_and_messages_are_forgotten_when_they_can_matter_no_more() -> None:
    """The record of a customer whose campaigns are over stays small, but remembers arms and entries."""
    story = Story(plan_of(campaign(reenter="always")))
    for _ in range(20):
        story.does("Signed Up")
        story.deliver()
        story.wait(10 * DAY)
    assert len(story.record.runs) == 1
    assert len(story.record.sends) == 0
    assert (len(story.record.exposures), story.record.exposures[0].entries) == (1, 20)


def test_what_is_goal_and_leaving_at_once_is_the_goal() -> None:
    """The order that brings a customer back ends the steps as the goal, not as leaving the segment."""
    keys = {
        "trigger": "{enters: slow}",
        "exit": "[goal, {leaves: slow}]",
        "goal": "{event: Order, within: 7d}",
    }
    story = Story(plan_of(SLOW + campaign(WAITING, **keys)))
    story.does("Order")
    story.does("Order")
    story.wait(46 * DAY)
    story.does("Order")
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.GOAL]


def test_a_run_without_a_goal_is_kept_while_it_waits() -> None:
    """A transactional run has no goal's window; it lives until its steps are over."""
    keys = {"goal": "", "control": "", "why": "", "topic": "", "transactional": "true"}
    text = "topic: tips\n---\n" + campaign(f"[{{wait: {{for: 5d}}}}, {SEND}]", **keys)
    story = Story(plan_of(text))
    story.does("Signed Up")
    story.wait(3 * DAY)
    story.does("Subscription Requested", topic="tips")
    story.wait(3 * DAY)
    assert len(story.messages()) == 2


def test_a_run_is_kept_until_its_message_is_out() -> None:
    """A hand-off long after the steps and the goal's window still finds the run, and what started it."""
    keys = {"goal": "", "control": "", "why": "", "topic": "", "transactional": "true"}
    story = Story(plan_of(campaign(**keys)))
    story.does("Signed Up", order=7)
    story.now += 5 * DAY
    story.hands_off(story.messages()[0])
    assert [run.trigger for run in story.record.runs] == [b'{"order": 7}']
    story.comes_out(story.messages()[0])
    assert story.record.runs == []


DIGEST = f"[{{wait: {{for: 1d}}}}, {SEND}]"


def test_a_trigger_that_comes_again_begins_the_steps_anew() -> None:
    """With `restart` the wait begins again, under the new trigger; entry, arm and goal's window stay."""
    story = Story(plan_of(campaign(DIGEST, on_retrigger="restart", reenter="always", key="event.id")))
    story.does("Signed Up", id="a", size=1)
    story.wait(20 * HOUR)
    story.does("Signed Up", id="a", size=2)
    story.wait(20 * HOUR)
    assert story.messages() == []
    assert story.record.runs[0].trigger == b'{"id": "a", "size": 2}'
    (wanted,) = [fact for fact in story.wait(20 * HOUR) if fact.name == FactName.MESSAGE_WANTED]
    assert wanted.at == START + 44 * HOUR
    assert len(story.found(FactName.CAMPAIGN_ENTERED)) == 1
    assert story.record.runs[0].goal_until == START + 7 * DAY


def test_what_was_sent_before_a_restart_may_be_sent_again_after_it() -> None:
    """Each round's messages have ids of their own."""
    story = Story(plan_of(campaign(f"[{SEND}, {{wait: {{for: 1d}}}}]", on_retrigger="restart")))
    story.does("Signed Up")
    story.deliver()
    story.does("Signed Up")
    story.deliver()
    assert story.names().count(FactName.MESSAGE_SENT) == 2
    assert len(set(story.messages())) == 2


def test_triggers_are_gathered() -> None:
    """With `gather` the wait goes on, and the run keeps what came."""
    story = Story(plan_of(campaign(DIGEST, on_retrigger="gather")))
    for number in range(3):
        story.does("Signed Up", number=number)
        story.wait(HOUR)
    story.wait(DAY)
    (run,) = story.record.runs
    assert (run.trigger, run.gathered) == (b'{"number": 0}', [b'{"number": 1}', b'{"number": 2}'])
    assert len(story.messages()) == 1
    assert FactName.NOT_ELIGIBLE not in story.names()
