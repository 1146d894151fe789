"""What leaves by a step: the channel is chosen by what the customer accepts; other systems and the team are
told in their own way; the control is told nothing."""

from __future__ import annotations

import pytest

from hark.clock import instant
from hark.decide.plan import Plan
from hark.model import DAY, FactName
from tests.decide.story import Story, campaign, control_key, documents, plan_of

BOTH = """
template: short
channel: sms
text: Hello
---
"""
CHOICE = "[{send: {channels: [sms, email], template: {sms: short, email: hello}}}]"
SENDERS = """
sender: crm
channel: webhook
url: https://crm.example/hook
secret_env: CRM
---
"""
TELL = "[{webhook: {sender: crm, body: {who: {ref: customer.email}, lines: [{of: {ref: event.basket}}]}}}]"
ASK = "[{task: {for: support, says: 'Call {{ customer.email }}'}}]"
PHONE = "+447700900123"


def wanted(story: Story) -> list[tuple[str, str]]:
    return [(one["channel"], one["template"]) for one in story.found(FactName.MESSAGE_WANTED)]


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"phone": PHONE}, ("sms", "short")),
        ({}, ("email", "hello")),
        ({"phone": "none"}, ("email", "hello")),
    ],
    ids=["both", "email alone", "no phone number"],
)
def test_the_first_channel_by_which_they_are_reached(
    traits: dict[str, str], expected: tuple[str, str]
) -> None:
    """Of the channels in the order of the document the first with an address is taken, with its template."""
    story = Story(plan_of(BOTH + campaign(CHOICE)), **traits)
    story.does("Signed Up")
    assert wanted(story) == [expected]


def test_the_first_channel_that_they_accept() -> None:
    """Who left the topic on one channel gets it by the next; the address alone is not enough."""
    story = Story(plan_of(BOTH + campaign(CHOICE)), phone=PHONE)
    story.does("Unsubscribed", topic="news", channel="sms")
    story.does("Signed Up")
    assert wanted(story) == [("email", "hello")]


def test_who_accepts_none_is_not_let_in() -> None:
    """Eligibility asks all channels of the first send, and says so for every arm before the draw."""
    story = Story(plan_of(BOTH + campaign(CHOICE)), email="")
    story.does("Signed Up")
    assert story.reasons(FactName.NOT_ELIGIBLE) == ["not_reachable"]


def test_a_channel_lost_before_the_send_is_withheld_by_the_first() -> None:
    """Where none is left at a later send, the message is withheld for what stands against the preferred
    one."""
    steps = "[{wait: {for: 1d}}, " + CHOICE[1:]
    story = Story(plan_of(BOTH + campaign(steps)), phone=PHONE)
    story.does("Signed Up")
    story.does("Unsubscribed")
    story.wait(2 * DAY)
    (held,) = story.found(FactName.MESSAGE_WITHHELD)
    assert (held["channel"], held["reason"]) == ("sms", "no_consent")


def test_another_system_is_told_what_the_run_knows() -> None:
    """References at any depth of the body are replaced; no consent, cap or quiet hour holds it back."""
    strict = (
        "policy: attention\ncaps: [{messages: 1, per: 7d}]\nquiet_hours: {from: '00:00', to: '23:59'}\n---\n"
    )
    story = Story(plan_of(SENDERS + strict + campaign(TELL)))
    story.does("Unsubscribed")
    story.does("Signed Up", basket="b1")
    (told,) = story.found(FactName.MESSAGE_WANTED)
    assert (told["channel"], told["sender"]) == ("webhook", "crm")
    assert told["body"] == {"who": "mara@shop.example", "lines": [{"of": "b1"}]}
    story.deliver()
    assert story.names()[-1] == FactName.MESSAGE_SENT


def test_a_task_is_for_a_team() -> None:
    """What is to be done, and by whom, is in the message."""
    story = Story(plan_of(campaign(ASK)))
    story.does("Signed Up")
    (asked,) = story.found(FactName.MESSAGE_WANTED)
    assert (asked["channel"], asked["for"], asked["says"]) == ("task", "support", "Call {{ customer.email }}")


OWNED = "[{task: {for: support, says: Call, assignee: %s, due: %s}}]"


@pytest.mark.parametrize(
    ("assignee", "expected"),
    [
        ("Bo@Shop.example", {"assignee": "bo@shop.example"}),
        ("customer.owner", {"assignee": "cy@shop.example", "assigned_by": "customer.owner"}),
        ("event.seller.email", {"assignee": "di@shop.example", "assigned_by": "event.seller.email"}),
        ("event.nobody", {"assignee": "", "assigned_by": "event.nobody"}),
        ("event.seller", {"assignee": "", "assigned_by": "event.seller"}),
    ],
    ids=["an address", "a trait", "of the event", "nothing", "no text"],
)
def test_a_task_is_somebodys(assignee: str, expected: dict[str, str]) -> None:
    """An address is in the form of the accounts; what a reference finds is kept with the reference."""
    story = Story(plan_of(campaign(OWNED % (assignee, "2d"))), owner=" CY@shop.example ")
    story.does("Signed Up", seller={"email": "di@shop.example"})
    (asked,) = story.found(FactName.MESSAGE_WANTED)
    assert {one: asked[one] for one in ("assignee", "assigned_by") if one in asked} == expected


@pytest.mark.parametrize(
    ("wanted", "due", "until"),
    [
        ("2026-03-27T10:00:00+01:00", "2d", "2026-03-29T10:00:00+02:00"),
        ("2026-03-27T10:00:00+01:00", "50h", "2026-03-29T12:00:00+02:00"),
        ("2026-03-28T10:00:00+01:00", "23h", "2026-03-29T10:00:00+02:00"),
        ("2026-10-24T10:00:00+02:00", "1w", "2026-10-31T10:00:00+01:00"),
        ("2026-03-28T02:30:00+01:00", "1d", "2026-03-29T03:30:00+02:00"),
    ],
    ids=["two days of 47 hours", "and two hours", "hours alone", "a week of an hour more", "a skipped time"],
)
def test_a_task_is_due_by_the_calendar(wanted: str, due: str, until: str) -> None:
    """Whole days end at the same time of day in the workspace's zone, whatever its clocks did since."""
    told = documents(campaign(OWNED % ("bo@shop.example", due)))
    story = Story(Plan.compile(told, zone="Europe/Rome"))
    story.now = instant(wanted)
    story.does("Signed Up")
    (asked,) = story.found(FactName.MESSAGE_WANTED)
    assert asked["due_by"] == instant(until)


def test_calls_and_tasks_take_no_place_in_the_caps() -> None:
    """They are no message to the customer, so the mail behind them goes."""
    capped = "policy: attention\ncaps: [{messages: 1, per: 7d}]\n---\n"
    steps = TELL[:-1] + ", " + ASK[1:-1] + ", {send: {channel: email, template: hello}}]"
    story = Story(plan_of(SENDERS + capped + campaign(steps)))
    story.does("Signed Up", basket="b1")
    story.deliver()
    assert [one["channel"] for one in story.found(FactName.MESSAGE_SENT)] == ["webhook", "task", "email"]


@pytest.mark.parametrize("steps", [TELL, ASK])
def test_the_control_calls_nobody(steps: str) -> None:
    """In the control nothing leaves, at the moment at which it would have."""
    story = Story(plan_of(SENDERS + campaign(steps, control="50%")), key=control_key())
    story.does("Signed Up", basket="b1")
    assert story.reasons(FactName.MESSAGE_WITHHELD) == ["control"]
    assert not wanted(story)
