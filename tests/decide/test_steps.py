"""Steps within steps: branches, splits, updates, exits; references; waits for a moment."""

from __future__ import annotations

import pytest
from scipy.stats import chisquare

from hark.clock import instant, unit_hash
from hark.decide.reasons import Exit
from hark.definitions.sentences import of_campaign
from hark.learn.also import measured
from hark.learn.entries import first_entry, outcome
from hark.model import DAY, HOUR, JSON, FactName
from tests.decide.story import SEND, Story, campaign, control_key, plan_of

ENDS = "[{exit: gone}]"
BRANCH = (
    f"[{{branch: [{{when: {{trait: {{level: pro}}}}, steps: [{SEND}]}},"
    f" {{when: {{did: {{event: Order, times: {{gte: 2}}}}}}, steps: [{{wait: {{for: 1d}}}}, {SEND}]}},"
    f" {{otherwise: {ENDS}}}]}}, {{wait: {{for: 2d}}}}, {SEND}]"
)


@pytest.mark.parametrize(
    "level, orders, steps, ended",
    [("pro", 2, ["0.0.0", "2"], Exit.FINISHED), ("free", 2, ["0.1.1", "2"], Exit.FINISHED),
     ("free", 1, [], Exit.STEP)],
)  # fmt: skip
def test_a_branch_goes_the_first_way_that_holds(
    level: str, orders: int, steps: list[str], ended: Exit
) -> None:
    """Of the conditions, asked at that moment, the first that holds leads on; then all go on behind it."""
    story = Story(plan_of(campaign(BRANCH)), level=level)
    for _ in range(orders):
        story.does("Order")
    story.does("Signed Up")
    story.wait(6 * DAY)
    assert [fact["step"] for fact in story.found(FactName.MESSAGE_WANTED)] == steps
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [ended]


def test_a_branch_without_a_way_is_passed() -> None:
    """Where no condition holds and there is no `otherwise` the run goes on behind the branch."""
    branch = f"{{branch: [{{when: {{trait: {{plan: pro}}}}, steps: {ENDS}}}]}}"
    story = Story(plan_of(campaign(f"[{branch}, {SEND}]")))
    story.does("Signed Up")
    assert [fact["step"] for fact in story.found(FactName.MESSAGE_WANTED)] == ["1"]


def test_a_branch_asks_when_it_is_reached() -> None:
    """What happened during a wait counts for the branch behind it."""
    branch = f"{{branch: [{{when: {{did: Opened App}}, steps: {ENDS}}}]}}"
    story = Story(plan_of(campaign(f"[{{wait: {{for: 1d}}}}, {branch}, {SEND}]")))
    story.does("Signed Up")
    story.does("Opened App")
    story.wait(2 * DAY)
    assert story.messages() == []
    assert story.found(FactName.CAMPAIGN_EXITED)[0]["values"] == {"says": "gone"}


@pytest.mark.parametrize("since, ended", [("after", True), ("before", False)])
def test_a_branch_may_ask_what_came_after_the_entry(since: str, ended: bool) -> None:
    """What was done before the run began is not done since the entry; what came after is."""
    branch = f"{{branch: [{{when: {{did: {{event: Opened App, since: entry}}}}, steps: {ENDS}}}]}}"
    story = Story(plan_of(campaign(f"[{{wait: {{for: 1d}}}}, {branch}, {SEND}]")))
    if since == "before":
        story.does("Opened App")
    story.does("Signed Up")
    if since == "after":
        story.does("Opened App")
    story.wait(2 * DAY)
    assert (story.messages() == []) is ended


SPLIT = (
    f"[{{id: test, split: {{short: {{weight: 3, steps: [{SEND}]}},"
    f" long: {{steps: [{{wait: {{for: 1d}}}}, {SEND}]}}}}}}]"
)


@pytest.mark.parametrize("key", [f"key-{number}" for number in range(8)])
@pytest.mark.parametrize("control", ["none", "50%"])
def test_a_split_falls_by_the_documented_hash(key: str, control: str) -> None:
    """The way follows from u of the split's own salt, in the control alike, and is written down with its
    share."""
    story = Story(plan_of(campaign(SPLIT, control=control)), key=key)
    story.does("Signed Up")
    (found,) = story.found(FactName.SPLIT_ENTERED)
    short = unit_hash("campaign/hello/split/test", key) < 0.75
    assert (found["way"], found["share"]) == (("short", 0.75) if short else ("long", 0.25))
    story.wait(2 * DAY)
    sends = story.found(FactName.MESSAGE_WANTED) + story.found(FactName.MESSAGE_WITHHELD)
    assert [one["step"] for one in sends] == ["test.short.0" if short else "test.long.1"]


def test_the_ways_of_a_split_have_their_shares() -> None:
    """Among 2,000 keys the ways are as frequent as their weights say, and independent of the control."""
    plan = plan_of(campaign(SPLIT, control="50%"))
    counts = {("short", True): 0, ("short", False): 0, ("long", True): 0, ("long", False): 0}
    for number in range(2000):
        story = Story(plan, key=f"person-{number}")
        story.does("Signed Up")
        (found,) = story.found(FactName.SPLIT_ENTERED)
        counts[found["way"], found["arm"] == "control"] += 1
    assert chisquare([*counts.values()], [750, 750, 250, 250]).pvalue > 0.001


UPDATE = "{update: {traits: {won_back_at: now, basket: {ref: event.basket.id}, stage: won}}}"
WON = "segment: won\nwhere: {trait: {stage: won}}\n---\n"


def test_an_update_sets_traits() -> None:
    """Values, the moment and references become traits at once, for the next step and for segments."""
    branch = f"{{branch: [{{when: {{trait: {{stage: won}}}}, steps: [{SEND}]}}]}}"
    story = Story(plan_of(WON + campaign(f"[{UPDATE}, {branch}]")))
    story.does("Signed Up", basket={"id": 7})
    traits = {name: trait.value for name, trait in story.record.traits.items()}
    assert traits.items() >= {"won_back_at": "2026-03-02T10:00:00Z", "basket": 7, "stage": "won"}.items()
    assert FactName.SEGMENT_ENTERED in story.names()
    assert len(story.messages()) == 1


def test_an_update_does_nothing_in_the_control() -> None:
    """A shadow walks on, and no trait changes."""
    story = Story(plan_of(campaign(f"[{UPDATE}, {SEND}]", control="50%")), key=control_key())
    story.does("Signed Up", basket={"id": 7})
    assert set(story.record.traits) == {"email"}
    assert FactName.TRAITS_UPDATED not in story.names()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == ["control"]


BASKET = campaign(
    f"[{{wait: {{until: {{event: Order, where: {{id: {{ref: event.id}}}}}}, for: 1d}}}}, {SEND}]",
    key="event.id",
    reenter="always",
    goal="{event: Bought, where: {id: {ref: event.id}, size: {gte: {ref: customer.size}}}, within: 7d}",
    exit="[goal]",
)


def test_goals_and_waits_compare_with_their_own_run() -> None:
    """Of two runs under different keys an event ends the wait, or is the goal, of the one it belongs to."""
    story = Story(plan_of(BASKET), size=3)
    story.does("Signed Up", id="a")
    story.does("Signed Up", id="b")
    story.does("Order", id="b")
    assert [fact["run"] for fact in story.found(FactName.MESSAGE_WANTED)] == [story.record.runs[1].id]
    story.does("Bought", id="a", size=2)
    assert FactName.GOAL_REACHED not in story.names()
    story.does("Bought", id="a", size=3)
    assert [fact["run"] for fact in story.found(FactName.GOAL_REACHED)] == [story.record.runs[0].id]


@pytest.mark.parametrize("size", [None, "three", [3]])
def test_a_reference_that_finds_nothing_fitting_makes_it_false(size: JSON) -> None:
    """A missing trait, or one of another type, is no error and no match."""
    story = Story(plan_of(BASKET), size=size)
    story.does("Signed Up", id="a")
    story.does("Bought", id="a", size=3)
    assert FactName.GOAL_REACHED not in story.names()


def waits_to(if_past: str, offset: str = "-24h") -> str:
    wait = f"{{wait: {{to: event.starts_at, offset: {offset}, if_past: {if_past}}}}}"
    return f"[{wait}, {SEND}, {{wait: {{to: event.starts_at}}}}, {SEND}]"


@pytest.mark.parametrize(
    "starts_at, due",
    [("2026-03-05T09:00:00Z", "2026-03-04T09:00:00Z"), ("2026-03-05", "2026-03-03T23:00:00Z"),
     ("2026-03-05T09:00", "2026-03-04T08:00:00Z"), (1772701200, "2026-03-04T09:00:00Z"),
     (1772701200000, "2026-03-04T09:00:00Z")],
)  # fmt: skip
def test_a_wait_for_a_moment_of_the_event(starts_at: JSON, due: str) -> None:
    """A time, a local date or time, and a number since 1970 are moments, less or more the offset."""
    story = Story(plan_of(campaign(waits_to("skip"))), timezone="Europe/Berlin")
    story.does("Signed Up", starts_at=starts_at)
    assert story.record.due == instant(due)


@pytest.mark.parametrize(
    "if_past, steps, ended",
    [("skip", ["3"], Exit.FINISHED), ("continue", ["1", "3"], Exit.FINISHED), ("exit", [], Exit.PAST)],
)
def test_a_moment_that_is_past(if_past: str, steps: list[str], ended: Exit) -> None:
    """What depends on a moment that is past is skipped, done at once, or the way ends."""
    story = Story(plan_of(campaign(waits_to(if_past))))
    story.does("Signed Up", starts_at="2026-03-02T20:00:00Z")
    story.wait(DAY)
    assert [fact["step"] for fact in story.found(FactName.MESSAGE_WANTED)] == steps
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [ended]


@pytest.mark.parametrize("properties", [{}, {"starts_at": None}, {"starts_at": "soon"}, {"starts_at": 1e300}])
def test_no_moment_is_a_past_one(properties: JSON) -> None:
    """Where the event names no moment the run does as if it were past."""
    story = Story(plan_of(campaign(waits_to("exit"))))
    story.does("Signed Up", **properties)
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.PAST]


def test_no_wait_goes_past_the_goals_window() -> None:
    """What would be sent when its effect can no longer be seen is not sent."""
    story = Story(plan_of(campaign(waits_to("skip"))))
    story.does("Signed Up", starts_at="2026-03-11T10:00:00Z")
    assert story.reasons(FactName.CAMPAIGN_EXITED) == [Exit.TOO_LATE]


def test_a_message_wanted_before_an_exit_step_still_goes() -> None:
    """An `exit` is an end like that of the steps: what was deferred before it is handed off."""
    quiet = 'policy: attention\nquiet_hours: {from: "09:00", to: "12:00", zone: UTC}\n---\n'
    story = Story(plan_of(quiet + campaign(f"[{SEND}, {{exit: done}}]")))
    story.does("Signed Up")
    story.now += 3 * HOUR
    story.deliver()
    assert FactName.MESSAGE_SENT in story.names()


def test_a_campaign_of_steps_and_references_has_its_sentence() -> None:
    """What a campaign does is said in words, whatever steps it has and whatever it refers to."""
    ways = f"{{when: {{trait: {{level: pro}}}}, steps: [{UPDATE}]}}, {{otherwise: {ENDS}}}"
    steps = f"[{{branch: [{ways}]}}, {SEND}]"
    goal = "{event: Bought, where: {id: {ref: event.id}, size: {gte: {ref: customer.size}}}, within: 7d}"
    plan = plan_of(campaign(steps, goal=goal, trigger="{date: {trait: ends, offset: -3d}}"))
    assert of_campaign(plan.current["hello"].campaign) == (
        "For whoever comes to 3 days before ends: those who have level pro: set won_back_at, basket and"
        " stage; otherwise: end (gone), send hello by email."
        " Nobody is left alone (a test)."
        " It has worked for those who do Bought (id the run's event.id and size of at least the run's"
        " customer.size) within 7 days."
        " Nobody enters twice."
    )


@pytest.mark.parametrize("bought, reached", [("a", True), ("b", False)])
def test_a_goal_with_references_is_measured_by_what_the_runs_found(bought: str, reached: bool) -> None:
    """The report counts the goals that belonged to the customer's own runs, at their own times."""
    plan = plan_of(BASKET)
    story = Story(plan, size=3)
    story.does("Signed Up", id="a")
    story.does("Bought", id=bought, size=3)
    walked = plan.current["hello"].campaign
    entry = first_entry(story.facts, "hello", 1)
    assert entry is not None and walked.goal is not None
    assert outcome(story.events + story.facts, entry, measured(walked, walked.goal)).goal is reached
