"""How much of a customer's attention there is, what takes it, and which of several messages goes first."""

from __future__ import annotations

import pytest

from hark.decide.attention import standing
from hark.decide.reasons import Held
from hark.model import DAY, HOUR, MINUTE, Balance, FactName, Handover
from tests.decide.story import SEND, START, Story, campaign, plan_of

EARNED = "earned: {goal: 2, read: 1, reply: 3, return: 0.5}"
BUDGET = (
    f"policy: attention\nbudget: {{refill: 1 per 2d, most: 4, tell: 2, ask: 4, ignored: 1, {EARNED}}}\n---\n"
)


def left(story: Story) -> float:
    """What is left now."""
    budget = story.plan.weights.budget
    assert budget
    return standing(story.record, budget, story.now).left


def told(text: str = BUDGET + campaign(reenter="always")) -> Story:
    """Somebody whom one message has just been handed off to."""
    story = Story(plan_of(text))
    story.does("Signed Up")
    story.deliver()
    return story


def test_a_message_takes_what_its_intent_costs_and_time_brings_it_back() -> None:
    """4 points less 2; a day on nothing was done, so one more; half a point a day refills, never over the
    most."""
    story = told()
    assert left(story) == 2
    story.now += DAY
    assert left(story) == 2.5
    story.now += 1
    assert left(story) == pytest.approx(1.5, abs=1e-5)
    story.now += 20 * DAY
    assert left(story) == 4


@pytest.mark.parametrize(
    ("event", "more"),
    [("Looked", 0.5), ("Content Read", 1.5), ("Survey Answered", 3.5), ("Bought", 2.5)],
)
def test_signs_of_welcome_bring_some_back(event: str, more: float) -> None:
    """Whatever is done within the day is a return, and the message was not ignored; a goal, reading and an
    answer bring more."""
    story = told(BUDGET.replace("most: 4", "most: 40") + campaign())
    story.record.attention = Balance(10, story.now, [story.now])
    before = left(story)
    story.now += HOUR
    story.does(event)
    assert left(story) == pytest.approx(before + more + HOUR / DAY / 2, abs=1e-5)
    grown = left(story)
    story.now += 3 * DAY
    assert left(story) == pytest.approx(grown + 1.5, abs=1e-5)


def test_a_message_waits_until_it_can_be_paid() -> None:
    """Two messages take all of it; the third waits the 4 days that refill its price."""
    policy = BUDGET.replace("ignored: 1", "ignored: 0, max_wait: 10d")
    steps = f"[{SEND}, {SEND}, {SEND}]"
    story = Story(plan_of(policy + campaign(steps)))
    story.does("Signed Up")
    story.deliver()
    assert story.names().count(FactName.MESSAGE_SENT) == 2
    held = story.found(FactName.MESSAGE_WANTED)[2]
    assert (held["reason"], held["due"]) == (Held.BUDGET, pytest.approx(START + 4 * DAY, abs=2000))
    story.now = held["due"]
    story.deliver()
    assert story.names().count(FactName.MESSAGE_SENT) == 3


@pytest.mark.parametrize("known", [True, False])
def test_a_merge_gives_nobody_new_attention(known: bool) -> None:
    """A visitor's message took 2 of 4 points before they turned out to be a customer, who had 3 left or was
    never written to: 2 are left, and what nothing is done after for a day takes one more."""
    story, visitor = Story(plan_of(BUDGET + campaign())), told()
    story.now = visitor.now
    if known:
        story.record.attention = Balance(3, story.now)
    story.gives(Handover(1, story.now, 2, visitor.record))
    assert left(story) == 2
    story.now += DAY + 1
    assert left(story) == pytest.approx(1.5, abs=1e-5)


def test_what_is_transactional_takes_nothing() -> None:
    """Nor is it held back by an empty balance."""
    text = campaign(transactional="yes", topic="", why="", control="", reenter="always").replace(
        "control: \n", ""
    )
    story = told(BUDGET + text.replace("control: none\n", "").replace("why: a test\n", ""))
    assert story.names()[-1] == FactName.MESSAGE_SENT
    assert left(story) == 4


def pair(first: str, second: str, policy: str, **keys: str) -> Story:
    """Two campaigns started by one event; `first` stands first, `second` is worth twice as much."""
    one = campaign(worth=first, **keys)
    other = campaign(worth=second, **keys).replace("campaign: hello", "campaign: other")
    story = Story(plan_of(policy + one + "---\n" + other))
    story.does("Signed Up")
    return story


@pytest.mark.parametrize(("first", "second", "goes"), [("1", "2", "other"), ("2", "1", "hello")])
def test_the_worthier_campaign_takes_the_place(first: str, second: str, goes: str) -> None:
    """Of two that want the customer at the same instant the one worth more goes, whichever was asked
    first."""
    story = pair(first, second, "policy: attention\ncaps: [{messages: 1, per: 7d}]\n---\n")
    story.deliver()
    assert [sent["campaign"] for sent in story.found(FactName.MESSAGE_SENT)] == [goes]
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.CAP]


def test_the_worthier_goes_first_where_the_balance_pays_for_one() -> None:
    """What goes before is paid first; the other waits."""
    story = pair("1", "2", BUDGET.replace("most: 4", "most: 2").replace("ask: 4", "ask: 2, max_wait: 9d"))
    story.deliver()
    assert [sent["campaign"] for sent in story.found(FactName.MESSAGE_SENT)] == ["other"]
    assert story.reasons(FactName.MESSAGE_DEFERRED) == [Held.BUDGET]


def test_what_the_author_expects_counts_beside_worth() -> None:
    """Worth times expected effect: 1 at 8 % goes before 2 at 2 %."""
    story = Story(
        plan_of(
            "policy: attention\ncaps: [{messages: 1, per: 7d}]\n---\n"
            + campaign(worth="2", expects="2%")
            + "---\n"
            + campaign(worth="1", expects="8%").replace("campaign: hello", "campaign: other")
        )
    )
    story.does("Signed Up")
    story.deliver()
    assert [sent["campaign"] for sent in story.found(FactName.MESSAGE_SENT)] == ["other"]


def test_within_the_window_the_outranked_waits() -> None:
    """Both wait an hour for what else comes; then the worthier goes, and the other an hour after it."""
    story = pair("1", "2", "policy: attention\narbitration: {within: 1h}\n---\n")
    assert {said["due"] for said in story.found(FactName.MESSAGE_WANTED)} == {START + HOUR}
    assert {said["reason"] for said in story.found(FactName.MESSAGE_WANTED)} == {Held.WEIGHING}
    story.now += HOUR
    story.deliver()
    assert [sent["campaign"] for sent in story.found(FactName.MESSAGE_SENT)] == ["other"]
    (held,) = story.found(FactName.MESSAGE_DEFERRED)
    assert (held["reason"], held["values"]["campaign"]) == (Held.OUTRANKED, "other")
    story.now = held["until"] + MINUTE
    story.deliver()
    assert len(story.found(FactName.MESSAGE_SENT)) == 2


def test_an_ask_waits_for_no_other_ask() -> None:
    """A week after the first the next one goes; who only tells is not held by it."""
    for days, gone in ((6, 1), (8, 2)):
        text = campaign(intent="ask", reenter="always")
        story = told(text)
        story.now += days * DAY
        story.does("Signed Up")
        story.deliver()
        assert story.names().count(FactName.MESSAGE_SENT) == gone


@pytest.mark.parametrize(
    ("events", "policy", "intent", "goes"),
    [
        (["Ticket Opened"], "", "tell", False),
        (["Ticket Opened"], "", "help", True),
        (["Ticket Opened", "Ticket Solved"], "", "tell", True),
        (["Ticket Solved", "Ticket Opened"], "", "tell", False),
        (["Ticket Opened"], "tickets: no", "tell", True),
        (["Case Filed"], "tickets: {opened: Case Filed, solved: [Case Shut]}", "ask", False),
        (["Case Filed", "Case Shut"], "tickets: {opened: Case Filed, solved: [Case Shut]}", "ask", True),
    ],
)
def test_who_waits_for_support_gets_only_help(
    events: list[str], policy: str, intent: str, goes: bool
) -> None:
    """An open ticket withholds what tells and asks; solved ones, and a policy that says no, do not."""
    head = f"policy: attention\n{policy}\n---\n" if policy else ""
    story = Story(plan_of(head + campaign(intent=intent)))
    for event in events:
        story.does(event)
        story.now += MINUTE
    story.does("Signed Up")
    assert story.reasons(FactName.MESSAGE_WITHHELD) == ([] if goes else [Held.OPEN_TICKET])


def test_a_ticket_that_nobody_closes_does_not_hold_for_ever() -> None:
    """Two weeks after it was opened it counts no more, and at the hand-off that is asked again."""
    story = Story(plan_of(campaign()))
    story.does("Ticket Opened")
    story.now += 14 * DAY
    story.does("Signed Up")
    assert len(story.messages()) == 1
    story.does("Ticket Opened")
    story.deliver()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.OPEN_TICKET]


STRONG = BUDGET.replace("earned: {goal: 2", "earned: {strong: 3, goal: 2").replace("most: 4", "most: 40")


def graded(**grades: str) -> str:
    """The document of grades."""
    lines = [
        f'  {name}: {{grade: {grade}, since: "2026-03-01", did: 30%, stayed: 50%}}\n'
        for name, grade in grades.items()
    ]
    head = 'signals: staying\nday: "2026-03-01"\ncustomers: 900\ngrades:\n'
    return f"---\n{head}{''.join(lines)}" if grades else ""


def after(names: list[str], grades: str, hours: float = 1) -> float:
    """What the balance grows by when somebody to whom a message went does these things, so much later."""
    story = told(STRONG + campaign() + grades)
    story.record.attention = Balance(10, story.now, [story.now], [story.now])
    story.now += int(hours * HOUR)
    for name in names:
        story.does(name)
    return round(left(story) - 10 - hours / 48, 3)


INVITES = graded(Invited="strong", Looked="weak", Scrolled="none")


@pytest.mark.parametrize(
    ("names", "more"),
    [
        (["Invited"], 3.5),
        (["Looked"], 0.5),
        (["Scrolled"], 0.5),
        (["Unheard Of"], 0.5),
        (["Looked", "Invited"], 3.5),
        (["Invited", "Invited"], 3.5),
    ],
)
def test_what_is_graded_strong_brings_more_once_a_message(names: list[str], more: float) -> None:
    """Half a point for doing anything, three for the first that is graded strong, whatever came before it."""
    assert after(names, INVITES) == more


def test_a_strong_signal_counts_within_a_day_of_the_message() -> None:
    """A moment later it brings nothing; the point of an ignored message is gone."""
    assert after(["Invited"], INVITES, hours=24) == 3.5
    assert after(["Invited"], INVITES, hours=24.001) == -1


def test_the_balance_follows_the_grades_in_force() -> None:
    """The same history under other grades: an event that turned weak brings no more what it brought, and what
    a strong one has brought stays. Opens are weak, whatever is said of them; without grades all are."""
    assert after(["Invited"], graded(Invited="weak", Looked="strong")) == 0.5
    assert after(["Looked"], graded(Invited="weak", Looked="strong")) == 3.5
    assert after(["Invited"], "") == 0.5
    assert not plan_of(STRONG + campaign() + graded(**{"Email Opened": "strong"})).weights.strong
    story = told(STRONG + campaign(reenter="always") + INVITES)
    story.record.attention = Balance(10, story.now, [story.now], [story.now])
    story.now += HOUR
    story.does("Invited")
    story.plan = plan_of(STRONG + campaign(reenter="always") + graded(Invited="none"))
    grown = left(story)
    story.does("Signed Up")
    story.deliver()
    story.now += HOUR
    story.does("Invited")
    assert grown == pytest.approx(13.5 + 1 / 48)
    assert left(story) == pytest.approx(grown - 2 + 0.5 + 1 / 48)
