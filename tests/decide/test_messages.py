"""What happens to a wanted message: rules at the want and at the hand-off, outcomes, caps, quiet hours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hark.clock import instant
from hark.decide.plan import Plan
from hark.decide.reasons import Held
from hark.model import DAY, HOUR, MINUTE, Balance, FactName, MessageDue, Sent
from tests.decide.story import SEND, START, Story, campaign, control_key, documents, plan_of, read

QUIET = (
    'policy: attention\nquiet_hours: {from: "21:00", to: "08:00", zone: customer,'
    " fallback_zone: Europe/Paris}\n---\n"
)
TWO = f"[{SEND}, {{wait: {{for: 1h}}}}, {SEND}]"


def cap(text: str) -> str:
    return f"policy: attention\ncaps: [{text}]\n---\n"


def wanted(text: str, key: str = "key-0", **traits: str) -> Story:
    story = Story(plan_of(text), key=key, **traits)
    story.does("Signed Up")
    return story


def control() -> Story:
    return wanted(campaign(control="50%"), control_key())


def global_control() -> Story:
    from hark.clock import unit_hash

    key = next(f"key-{n}" for n in range(1000) if unit_hash("global", f"key-{n}") < 0.1)
    return wanted("policy: attention\nglobal_control: {share: 10%}\n---\n" + campaign(control="20%"), key)


def programme_control() -> Story:
    from hark.clock import unit_hash

    key = next(f"key-{n}" for n in range(1000) if unit_hash("programme/care", f"key-{n}") < 0.1)
    programme = "programme: care\ncontrol: 10%\ngoal: {event: Bought, within: 30d}\n---\n"
    return wanted(programme + campaign(control="20%", programme="care"), key)


def expired() -> Story:
    story = wanted(campaign("[{send: {channel: email, template: hello, expires: 2h}}]"))
    story.now += 2 * HOUR
    story.deliver()
    return story


def goal_reached() -> Story:
    story = wanted(campaign(exit="[goal]"))
    story.now += MINUTE
    story.does("Bought")
    story.deliver()
    return story


def exited() -> Story:
    segment = "segment: fans\nwhere: {trait: {fan: true}}\n---\n"
    story = Story(plan_of(segment + campaign(trigger="{enters: fans}", exit="[{leaves: fans}]", steps=TWO)))
    story.knows(fan=True)
    story.knows(fan=False)
    story.deliver()
    return story


def paused() -> Story:
    story = wanted(campaign())
    story.plan = plan_of(campaign(paused="true"))
    story.deliver()
    return story


def suppressed() -> Story:
    story = wanted(campaign())
    story.commands("suppress", address="mara@shop.example")
    story.deliver()
    return story


def not_reachable() -> Story:
    story = wanted(campaign())
    story.knows(email=None)
    story.deliver()
    return story


def no_consent() -> Story:
    story = wanted(campaign())
    story.does("Unsubscribed", topic="news", channel="email")
    story.deliver()
    return story


def not_pending() -> Story:
    story = Story(plan_of("topic: tips\n---\n" + campaign()))
    story.does("Subscription Requested", topic="tips")
    story.does("Unsubscribed", topic="tips")
    story.deliver()
    return story


def capped() -> Story:
    return wanted(cap("{messages: 1, per: 7d, on_cap: skip}") + campaign(f"[{SEND}, {SEND}]"))


def restarted() -> Story:
    story = Story(plan_of(campaign(f"[{SEND}, {{wait: {{for: 1d}}}}]", on_retrigger="restart")))
    story.does("Signed Up")
    story.does("Signed Up")
    return story


CONTENT = """content: guide
title: A guide
url: https://shop.example/guide
format: guide
---
"""
TO_READ = "{send: {channel: email, template: hello, content: by_stage}}"


def no_content() -> Story:
    story = Story(plan_of(CONTENT + campaign(f"[{TO_READ}]")))
    story.does("Content Read", content="/guide")
    story.does("Signed Up")
    return story


def already_read() -> Story:
    story = Story(plan_of(QUIET + CONTENT + campaign(f"[{TO_READ}]")))
    story.now = START + 13 * HOUR
    story.does("Signed Up")
    story.does("Content Read", content="/guide")
    story.now += DAY
    story.deliver()
    return story


DEFERS_ONLY = (Held.QUIET_HOURS, Held.PROVIDER, Held.UNKNOWN, Held.WEIGHING, Held.RESUMED)


def over_budget() -> Story:
    policy = "policy: attention\nbudget: {refill: 1 per 30d, most: 1, max_wait: 1d}\n---\n"
    story = Story(plan_of(policy + campaign()))
    story.record.attention = Balance(0.5, START)
    story.does("Signed Up")
    return story


def asked_before() -> Story:
    story = Story(plan_of(campaign(intent="ask")))
    before = Sent("m", "r", "hello", "hello", "news", "email", START, "sent", START, version=1, sent_at=START)
    story.record.sends.append(before)
    story.now += 6 * DAY
    story.does("Signed Up")
    return story


def no_payoff() -> Story:
    return wanted("policy: attention\nasks: {after: {did: Bought}}\n---\n" + campaign(intent="ask"))


def open_ticket() -> Story:
    story = Story(plan_of(campaign()))
    story.does("Ticket Opened")
    story.now += MINUTE
    story.does("Signed Up")
    return story


def rehearsed() -> Story:
    story = wanted(campaign(rehearsal="yes"))
    story.deliver()
    return story


def outranked() -> Story:
    policy = "policy: attention\narbitration: {within: 1h, on_outranked: skip}\n---\n"
    other = campaign(worth="9").replace("campaign: hello", "campaign: dear").replace("Signed Up", "Called")
    story = Story(plan_of(policy + campaign() + "---\n" + other))
    story.does("Called")
    story.does("Signed Up")
    story.now += HOUR
    story.hands_off(story.messages()[1])
    story.facts = [fact for fact in story.facts if read(fact).get("campaign") != "dear"]
    return story


def already_done() -> Story:
    """Moved to a version which has a wait before the step that the run did already."""
    pause = "{wait: {for: 1d}, id: pause}"
    old, new = campaign(f"[{SEND}, {pause}]"), campaign(f"[{pause}, {SEND}]")
    story = wanted(old)
    story.plan = Plan.compile(documents(new, 2), documents(old))
    story.commands("migrate", campaign="hello", to=2)
    story.wait(DAY)
    return story


def copied() -> Story:
    story = wanted(campaign())
    story.gives(MessageDue(1, story.now, story.messages()[0], copy="another"))
    return story


WITHHELD: dict[Held, Callable[[], Story]] = {
    Held.CONTROL: control,
    Held.GLOBAL_CONTROL: global_control,
    Held.PROGRAMME_CONTROL: programme_control,
    Held.EXPIRED: expired,
    Held.GOAL_REACHED: goal_reached,
    Held.EXITED: exited,
    Held.RESTARTED: restarted,
    Held.PAUSED: paused,
    Held.SUPPRESSED: suppressed,
    Held.NOT_REACHABLE: not_reachable,
    Held.NO_CONSENT: no_consent,
    Held.NOT_PENDING: not_pending,
    Held.CAP: capped,
    Held.SAME_ADDRESS: copied,
    Held.BUDGET: over_budget,
    Held.ASKED_RECENTLY: asked_before,
    Held.NO_PAYOFF: no_payoff,
    Held.OPEN_TICKET: open_ticket,
    Held.OUTRANKED: outranked,
    Held.REHEARSAL: rehearsed,
    Held.ALREADY_DONE: already_done,
    Held.NO_CONTENT: no_content,
    Held.ALREADY_READ: already_read,
}


@pytest.mark.parametrize("reason", [one for one in Held if one not in DEFERS_ONLY], ids=str)
def test_each_reason_withholds(reason: Held) -> None:
    """Every reason to withhold has a case that gives it; the exposure stays, and nothing is sent."""
    story = WITHHELD[reason]()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [reason]
    assert FactName.MESSAGE_SENDING not in story.names()
    assert reason == Held.NOT_PENDING or FactName.CAMPAIGN_ENTERED in story.names()


def test_a_message_goes_once() -> None:
    """Handing the same message off twice sends it once, and its outcome is written once."""
    story = wanted(campaign())
    (message,) = story.messages()
    assert [fact.name for fact in story.hands_off(message)] == [FactName.MESSAGE_SENDING]
    assert story.hands_off(message) == []
    assert [fact.name for fact in story.comes_out(message)] == [FactName.MESSAGE_SENT]
    assert story.comes_out(message) == []


def test_an_unknown_outcome_is_written_and_never_sent_again() -> None:
    """A message whose fate is unknown keeps its place and is not handed off again."""
    story = wanted(cap("{messages: 1, per: 7d}") + campaign(TWO))
    (message,) = story.messages()
    story.hands_off(message)
    assert [fact.name for fact in story.comes_out(message, "unknown")] == [FactName.MESSAGE_UNKNOWN]
    assert story.hands_off(message) == []
    story.wait(2 * HOUR)
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.CAP]


def test_a_lasting_failure_suppresses_the_address() -> None:
    """After a permanent failure the address it was sent to gets nothing more, however it is written."""
    story = wanted(campaign(TWO))
    (message,) = story.messages()
    story.hands_off(message)
    story.knows(email="MARA@shop.example")
    story.comes_out(message, "failed", detail="550 no such user", permanent=True)
    story.wait(2 * HOUR)
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.SUPPRESSED]
    story.knows(email="mara@new.example")
    assert "mara@new.example" not in story.record.suppressed


def test_a_failure_gives_its_place_back() -> None:
    """A message that failed counts against no cap."""
    story = wanted(cap("{messages: 1, per: 7d}") + campaign(TWO))
    (message,) = story.messages()
    story.hands_off(message)
    story.comes_out(message, "failed", detail="451 try later")
    story.wait(2 * HOUR)
    assert len(story.messages()) == 2


@pytest.mark.parametrize("end", ["", ", {exit: nothing more to say}"])
def test_a_message_that_waits_is_not_sent_once_the_goal_is_reached(end: str) -> None:
    """However its run's steps ended by themselves."""
    story = Story(plan_of(QUIET + campaign(f"[{SEND}{end}]", exit="[goal]")))
    story.now = START + 13 * HOUR
    story.does("Signed Up")
    story.does("Bought")
    story.now += DAY
    story.deliver()
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.GOAL_REACHED]


def test_a_cap_of_a_channel_holds_for_that_channel_alone() -> None:
    """Who has had their one text message may still get an e-mail; a second text message is held."""
    text = "template: text\nchannel: sms\ntext: Hello\n---\n"
    steps = (
        f"[{{send: {{channel: sms, template: text}}}}, {SEND}, {{send: {{channel: sms, template: text}}}}]"
    )
    limit = cap("{messages: 1, per: 7d, channel: sms}")
    story = Story(plan_of(text + limit + campaign(steps)), phone="+15550123")
    story.does("Signed Up")
    assert [fact["channel"] for fact in story.found(FactName.MESSAGE_WANTED)] == ["sms", "email"]
    assert [fact["channel"] for fact in story.found(FactName.MESSAGE_WITHHELD)] == ["sms"]


def test_without_any_cap_an_unknown_outcome_is_still_waited_for() -> None:
    """What the provider says of it later counts, whether or not a cap has to remember it."""
    story = wanted(campaign())
    (message,) = story.messages()
    story.hands_off(message)
    story.comes_out(message, "unknown")
    story.wait(DAY)
    story.does("Looked")
    assert [fact.name for fact in story.comes_out(message)] == [FactName.MESSAGE_SENT]


@pytest.mark.parametrize("busy", [True, False])
def test_an_outcome_is_not_waited_for_longer_than_thirty_days(busy: bool) -> None:
    """An answer of the last moment counts, one after that does not; whether anything else happened to the
    customer meanwhile is no matter."""
    for late in (-1, 0):
        story = wanted(campaign())
        (message,) = story.messages()
        story.hands_off(message)
        story.wait(30 * DAY + late)
        if busy:
            story.does("Signed Up")
        told = [fact.name for fact in story.comes_out(message, "unknown")]
        assert told == ([FactName.MESSAGE_UNKNOWN] if late else [])


def test_a_cap_that_waits_defers_until_a_place_is_free() -> None:
    """The second message waits until the first one's place is exactly one window old, then goes."""
    story = wanted(cap("{messages: 1, per: 2d, on_cap: wait, max_wait: 3d}") + campaign(TWO))
    story.deliver()
    story.wait(HOUR)
    assert story.found(FactName.MESSAGE_WANTED)[1]["due"] == START + 2 * DAY
    story.now = START + 2 * DAY
    assert FactName.MESSAGE_SENDING in [fact.name for fact in story.deliver()]


def test_a_cap_does_not_wait_longer_than_it_may() -> None:
    """A message that would wait longer than `max_wait` is withheld at once."""
    story = wanted(cap("{messages: 1, per: 2d, on_cap: wait, max_wait: 46h}") + campaign(TWO))
    story.deliver()
    story.wait(HOUR)
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.CAP]


def test_a_message_that_would_wait_past_its_expiry_is_withheld() -> None:
    """Deferring into the time after the expiry is no deferral."""
    steps = "[{send: {channel: email, template: hello, expires: 1h}}]"
    story = Story(plan_of(QUIET + campaign(steps)))
    story.now = instant("2026-03-02T23:00:00Z")
    story.does("Signed Up")
    assert story.reasons(FactName.MESSAGE_WITHHELD) == [Held.EXPIRED]


@pytest.mark.parametrize("at, zone, until", [
    ("2026-03-02T10:00:00Z", "", None),
    ("2026-03-02T19:59:59Z", "", None),
    ("2026-03-02T20:00:00Z", "", "2026-03-03T07:00:00Z"),
    ("2026-03-03T06:59:59Z", "", "2026-03-03T07:00:00Z"),
    ("2026-03-03T07:00:00Z", "", None),
    ("2026-03-02T10:00:00Z", "America/Los_Angeles", "2026-03-02T16:00:00Z"),
    ("2026-03-28T22:00:00Z", "Europe/London", "2026-03-29T07:00:00Z"),
])  # fmt: skip
def test_quiet_hours(at: str, zone: str, until: str | None) -> None:
    """In the customer's quiet hours a message waits for their end, up to ten minutes more by its hash."""
    story = Story(plan_of(QUIET + campaign()), timezone=zone)
    story.now = instant(at)
    story.does("Signed Up")
    found = story.found(FactName.MESSAGE_WANTED)[0]
    if until is None:
        assert found["due"] == story.now
    else:
        assert 0 <= found["due"] - instant(until) <= 10 * MINUTE
        assert found["reason"] == Held.QUIET_HOURS


def test_quiet_hours_are_asked_again_at_the_hand_off() -> None:
    """A sender that comes late, into quiet hours, gets a deferral and not the message."""
    story = Story(plan_of(QUIET + campaign()))
    story.does("Signed Up")
    story.now = instant("2026-03-02T22:00:00Z")
    (fact,) = story.deliver()
    assert fact.name == FactName.MESSAGE_DEFERRED
    assert story.reasons(FactName.MESSAGE_DEFERRED) == [Held.QUIET_HOURS]
    story.now = instant("2026-03-03T07:10:00Z")
    assert [fact.name for fact in story.deliver()] == [FactName.MESSAGE_SENDING, FactName.MESSAGE_SENT]


def test_transactional_messages_wait_for_nothing() -> None:
    """No topic, no cap, no quiet hours; but a suppressed address is suppressed for them as well."""
    keys = {"goal": "", "control": "", "why": "", "topic": "", "transactional": "true", "reenter": "always"}
    limits = QUIET.replace("---\n", "caps: [{messages: 1, per: 7d}]\n---\n")
    story = Story(plan_of(limits + campaign(**keys)))
    story.now = instant("2026-03-02T23:00:00Z")
    for _ in range(3):
        story.does("Signed Up")
        story.deliver()
    assert story.names().count(FactName.MESSAGE_SENT) == 3
    story.commands("suppress")
    story.does("Signed Up")
    assert story.reasons(FactName.NOT_ELIGIBLE) == ["suppressed"]


def test_places_are_held_from_the_sending_on() -> None:
    """A message that waited for the end of quiet hours holds its place from then, not from the want."""
    limits = QUIET.replace("---\n", "caps: [{messages: 1, per: 2d, on_cap: wait}]\n---\n")
    story = Story(plan_of(limits + campaign(f"[{SEND}, {{wait: {{for: 36h}}}}, {SEND}]")))
    story.now = instant("2026-03-02T22:00:00Z")
    story.does("Signed Up")
    story.now = story.found(FactName.MESSAGE_WANTED)[0]["due"]
    sent_at = story.deliver()[0].at
    story.wait(36 * HOUR)
    assert story.found(FactName.MESSAGE_WANTED)[1]["due"] == sent_at + 2 * DAY


def test_several_that_wait_go_one_after_the_other() -> None:
    """Three messages wanted at once under one a day are due today, tomorrow and the day after."""
    steps = f"[{SEND}, {SEND}, {SEND}]"
    story = wanted(cap("{messages: 1, per: 1d, on_cap: wait}") + campaign(steps))
    assert [fact["due"] - START for fact in story.found(FactName.MESSAGE_WANTED)] == [0, DAY, 2 * DAY]
