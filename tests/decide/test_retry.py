"""A message that the provider could not take: tried again at growing intervals, never sent twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.clock import derived_id
from hark.decide.reasons import Held
from hark.decide.record import decode, encode, fresh
from hark.decide.retry import wait_us
from hark.decide.step import step
from hark.decide.why import explain
from hark.model import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Event,
    FactName,
    Input,
    Instant,
    MessageDue,
    Outcome,
    Record,
    TimerDue,
)
from tests.decide.story import START, Story, campaign, plan_of, read
from tests.decide.test_laws import CAPS, END, KEYS, PLAN, stories
from tests.decide.test_messages import QUIET, TWO, cap, wanted

LATER = {"detail": "451 4.3.0 later", "temporary": True}
ENDS = (FactName.MESSAGE_SENT, FactName.MESSAGE_FAILED, FactName.MESSAGE_UNKNOWN, FactName.MESSAGE_WITHHELD)


def refused(story: Story) -> Event:
    """The first message is handed off at its moment, and the provider can't take it; what came of it."""
    sent = next(one for one in story.record.sends if one.state == "wanted")
    story.now = max(story.now, sent.due_at)
    story.hands_off(sent.message)
    return story.comes_out(sent.message, "failed", **LATER)[-1]


def refused_to_the_end(story: Story) -> Event:
    while (fact := refused(story)).name == FactName.MESSAGE_DEFERRED:
        pass
    return fact


def test_the_message_is_wanted_again_and_goes() -> None:
    """A failure for now defers the message; at its new moment it is handed off again and arrives."""
    story = wanted(campaign())
    fact = refused(story)
    said = read(fact)
    assert (fact.name, said["reason"], said["attempt"]) == (FactName.MESSAGE_DEFERRED, "provider", 1)
    assert said["detail"] == "451 4.3.0 later"
    assert story.hands_off("another") == []
    story.now = said["until"]
    assert [one.name for one in story.deliver()] == [FactName.MESSAGE_SENDING, FactName.MESSAGE_SENT]
    assert len(story.messages()) == 1


def test_the_waits_grow_and_end() -> None:
    """Waits of 1, 3, 9, 27, 81, 240, 240 minutes, each up to a quarter shorter; then it has failed."""
    story = wanted(campaign())
    last = refused_to_the_end(story)
    tried = [fact.at for fact in story.facts if fact.name == FactName.MESSAGE_SENDING]
    assert len(tried) == 8
    for (before, after), minutes in zip(pairwise(tried), (1, 3, 9, 27, 81, 240, 240), strict=True):
        assert 0.75 * minutes * MINUTE <= after - before <= minutes * MINUTE + 1_000
    assert (last.name, read(last)["attempt"]) == (FactName.MESSAGE_FAILED, 8)
    assert story.record.sends == []


def test_a_webhook_has_the_specification_s_schedule() -> None:
    """Standard Webhooks, *Deliverability and reliability*: ten attempts, the waits as in its table, each up
    to a quarter shorter."""
    steps = "[{webhook: {sender: crm}}]"
    keys = {"goal": "", "control": "", "why": "", "topic": "", "transactional": "true"}
    sender = "sender: crm\nchannel: webhook\nurl: https://crm.example/x\nsecret_env: CRM\n---\n"
    story = wanted(sender + campaign(steps, **keys))
    last = refused_to_the_end(story)
    tried = [fact.at for fact in story.facts if fact.name == FactName.MESSAGE_SENDING]
    table = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    for (before, after), seconds in zip(pairwise(tried), table, strict=True):
        assert 0.75 * seconds * SECOND <= after - before <= seconds * SECOND + 1_000
    assert (last.name, read(last)["attempt"]) == (FactName.MESSAGE_FAILED, 10)


def test_the_waits_of_many_messages_are_spread() -> None:
    """Messages refused at one instant come back all over the quarter, each always at the same moment."""
    messages = [derived_id("message", number) for number in range(400)]
    waits = [wait_us(message, 6) for message in messages]
    assert waits == [wait_us(message, 6) for message in messages]
    assert 3 * HOUR <= min(waits) < 3.02 * HOUR < 3.98 * HOUR < max(waits) <= 4 * HOUR
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize(("expires", "attempts"), [("1m", 2), ("9m", 3), ("90m", 5)])
def test_nothing_is_tried_after_the_expiry(expires: str, attempts: int) -> None:
    """If the next attempt would come at or after the expiry the message has failed there and then."""
    story = wanted(campaign(f"[{{send: {{channel: email, template: hello, expires: {expires}}}}}]"))
    last = refused_to_the_end(story)
    assert (last.name, read(last)["attempt"]) == (FactName.MESSAGE_FAILED, attempts)
    assert all(fact["until"] < story.found(FactName.MESSAGE_WANTED)[0]["expires"] for fact in deferred(story))
    assert last.at < story.found(FactName.MESSAGE_WANTED)[0]["expires"]


def deferred(story: Story) -> list[dict[str, int]]:
    return story.found(FactName.MESSAGE_DEFERRED)


def test_nothing_is_tried_after_the_goal_s_window() -> None:
    """A message which can no longer bring anybody to the goal is given up; a transactional one goes on."""
    story = wanted(campaign(goal="{event: Bought, within: 1h}"))
    assert refused_to_the_end(story).at < START + HOUR
    assert all(fact["until"] < START + HOUR for fact in deferred(story))
    keys = {"goal": "", "control": "", "why": "", "topic": "", "transactional": "true"}
    receipt = wanted(campaign(**keys))
    assert read(refused_to_the_end(receipt))["attempt"] == 8


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        (("failed", {"detail": "554 no"}), FactName.MESSAGE_FAILED),
        (("failed", {"detail": "550 5.1.1", "permanent": True}), FactName.MESSAGE_FAILED),
        (("unknown", {}), FactName.MESSAGE_UNKNOWN),
        (("unknown", {"temporary": True}), FactName.MESSAGE_UNKNOWN),
    ],
)
def test_only_what_was_certainly_not_accepted_is_tried_again(
    outcome: tuple[str, dict[str, object]], end: FactName
) -> None:
    """A failure for good and an unknown outcome end the message, whatever is said afterwards."""
    story = wanted(cap("{messages: 1, per: 7d}") + campaign())
    (message,) = story.messages()
    story.hands_off(message)
    state, more = outcome
    told = [fact.name for fact in story.comes_out(message, state, **more)]
    assert [name for name in told if name != FactName.ADDRESS_SUPPRESSED] == [end]
    story.comes_out(message, "failed", **LATER)
    story.now += DAY
    assert story.hands_off(message) == []
    assert FactName.MESSAGE_DEFERRED not in story.names()


def test_a_message_that_waits_for_the_provider_keeps_its_place() -> None:
    """The next message is capped while the first waits, and goes in its stead once it is given up."""
    text = cap("{messages: 1, per: 7d, on_cap: skip}") + campaign(TWO)
    kept = wanted(text)
    refused(kept)
    kept.wait(HOUR)
    assert kept.reasons(FactName.MESSAGE_WITHHELD) == [Held.CAP]
    given_up = wanted(text)
    message = given_up.messages()[0]
    given_up.hands_off(message)
    given_up.comes_out(message, "failed", detail="554 no")
    given_up.wait(HOUR)
    assert len(given_up.messages()) == 2


def test_every_rule_is_asked_at_every_attempt() -> None:
    """Between two attempts quiet hours, a pause and leaving the topic are heard, as before the first."""
    story = Story(plan_of(QUIET + campaign()), timezone="UTC")
    story.now = START + 10 * HOUR + 59 * MINUTE + 30_000_000
    story.does("Signed Up")
    refused(story)
    story.now += 2 * MINUTE
    assert [read(fact)["reason"] for fact in story.deliver()] == [Held.QUIET_HOURS]
    gone = wanted(campaign())
    refused(gone)
    gone.does("Unsubscribed", topic="news")
    gone.now += HOUR
    gone.deliver()
    assert gone.reasons(FactName.MESSAGE_WITHHELD) == [Held.NO_CONSENT]


def test_the_timeline_says_what_happened() -> None:
    """Who looks at a customer reads when it is tried again, why, and when it was given up."""
    story = wanted(campaign())
    refused_to_the_end(story)
    lines = [line.sentence for line in explain(story.facts) if line.event != FactName.MESSAGE_SENDING]
    assert lines[3].startswith("the message hello of hello waits until 2026-03-02 10:0")
    assert lines[3].endswith("the provider could not take it at attempt 1 (451 4.3.0 later)")
    assert lines[-1] == "the message hello of hello failed at attempt 8: 451 4.3.0 later"


ANSWERS = st.lists(
    st.sampled_from(["later", "later", "later", "sent", "failed", "gone", "unknown"]), min_size=1, max_size=12
)


class Provider:
    """Answers each attempt by a list drawn, begun again for each message at its own place."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers, self._asked = answers, Counter[str]()

    def __call__(self, message: str, at: Instant) -> Outcome:
        place = int(message[:4], 16) + self._asked[message]
        self._asked[message] += 1
        answer = self._answers[place % len(self._answers)]
        state = answer if answer in ("sent", "unknown") else "failed"
        return Outcome(1, at, message, state, "d", answer == "gone", answer == "later")


def lived(
    events: Sequence[Event], key: str, answers: Sequence[str], looks: Sequence[Instant] = ()
) -> list[Event]:
    """All facts; timers and messages each at their own moment, before the event that comes at it."""
    record, facts, provider = fresh(1, key, START), list[Event](), Provider(answers)

    def give(input: Input) -> None:
        nonlocal record
        record, made = step(decode(encode(record)), input, PLAN)
        facts.extend(made)

    def pass_time(before: Instant) -> None:
        while (due := next_moment(record)) is not None and due[0] < before:
            at, message = due
            if message:
                give(MessageDue(1, max(at, record.now), message))
                if any(one.message == message and one.state == "sending" for one in record.sends):
                    give(provider(message, record.now))
            else:
                give(TimerDue(1, at))

    moments: list[Event | Instant] = [*events, *looks]
    for one in sorted(moments, key=lambda one: (one, -1) if isinstance(one, int) else (one.instant, one.seq)):
        at = one if isinstance(one, int) else one.instant
        pass_time(at)
        give(TimerDue(1, at - 1) if isinstance(one, int) else one)
    return facts


def next_moment(record: Record) -> tuple[Instant, str] | None:
    """The earliest timer ("") or message due."""
    found = [(one.due_at, one.message) for one in record.sends if one.state == "wanted"]
    return min([*found, *([] if record.due is None else [(record.due, "")])], default=None)


@given(stories(), KEYS, ANSWERS)
@settings(max_examples=100, deadline=None)
def test_the_laws_hold_whatever_the_provider_answers(
    events: list[Event], key: str, answers: list[str]
) -> None:
    """At most eight attempts, one end, nothing after leaving, and no cap passed by what may have gone."""
    facts = lived([*events, END], key, answers)
    tried = Counter(read(fact)["message"] for fact in facts if fact.name == FactName.MESSAGE_SENDING)
    ended = Counter(read(fact)["message"] for fact in facts if fact.name in ENDS)
    wanted_ = {read(fact)["message"] for fact in facts if fact.name == FactName.MESSAGE_WANTED}
    assert max(tried.values(), default=0) <= 8
    assert max(ended.values(), default=0) <= 1
    assert wanted_ <= ended.keys()
    assert_nothing_after_leaving(events, facts)
    handed: dict[str, Instant] = {}
    for fact in facts:
        if fact.name == FactName.MESSAGE_SENDING:
            handed[read(fact)["message"]] = fact.at
    gone = (FactName.MESSAGE_SENT, FactName.MESSAGE_UNKNOWN)
    went = [handed[read(fact)["message"]] for fact in facts if fact.name in gone]
    for most, per in CAPS:
        assert all(sum(end - per < at <= end for at in went) <= most for end in went)


def assert_nothing_after_leaving(events: Sequence[Event], facts: Sequence[Event]) -> None:
    """After leaving everything nothing is handed off, unless a topic was asked for again."""
    left: tuple[Instant, int] | None = None
    asked = (0, 0)
    for one in sorted([*events, *facts], key=lambda one: (one.instant, one.seq)):
        if one.name == "Unsubscribed":
            left = max(left or (0, 0), (one.at, one.seq))
        elif one.name == "Subscription Requested":
            asked = max(asked, (one.at, one.seq))
        elif one.name == FactName.MESSAGE_SENDING and left:
            assert asked > left
            assert read(one)["topic"] == "offers"


@given(stories(), KEYS, ANSWERS, st.lists(st.integers(1, 30 * 24), max_size=30))
@settings(max_examples=60, deadline=None)
def test_looking_at_the_time_more_often_changes_nothing(
    events: list[Event], key: str, answers: list[str], hours: list[int]
) -> None:
    """Wherever the engine also looks for what is due, every fact, moment and id is the same."""
    looks = [START + hour * HOUR for hour in hours]
    assert lived([*events, END], key, answers, looks) == lived([*events, END], key, answers)
