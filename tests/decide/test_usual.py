"""The campaigns of a usual team, as documents that run: each with the story of one customer it is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from hark.clock import instant, unit_hash
from hark.decide.members import message_of
from hark.decide.plan import Plan
from hark.decide.record import fresh
from hark.decide.step import step
from hark.definitions.document import Document
from hark.definitions.parse import parse
from hark.model import DAY, GROUP_MESSAGE, GROUPS, HOUR, FactName, Kind
from tests.decide.story import START, Story

HEAD = "topic: news\ndefault: in\n---\n"
MAIL = "template: {}\nchannel: email\nsubject: Hello\ntext: Hello\n---\n"
FILE = Path(__file__).with_name("usual.txt")


def documents(name: str) -> str:
    """The documents of one campaign, with a template for every name that they send."""
    text = next(part for part in FILE.read_text().split("\n=== ") if part.startswith(f"{name}\n"))
    text = text.partition("\n")[2]
    return "".join(MAIL.format(one) for one in dict.fromkeys(re.findall(r"template: (\w+)", text))) + text


def plan_of(text: str) -> Plan:
    return Plan.compile([Document(one.kind, one.name, 1, one.body) for one in parse(HEAD + text)])


def passes(story: Story, days: float, every: int = 6 * HOUR) -> None:
    """So many days pass; what is due goes."""
    end = story.now + int(days * DAY)
    while story.now < end:
        story.wait(min(every, end - story.now))
        story.deliver()


def _basket(story: Story) -> None:
    story.does("Basket Updated", basket_id="b1")
    story.does("Basket Updated", basket_id="b2")
    story.wait(HOUR)
    story.does("Order Completed", basket_id="b1")
    passes(story, 1)


def _signs_up(story: Story) -> None:
    story.does("Signed Up")
    passes(story, 4)


def _goes_quiet(story: Story) -> None:
    for _ in range(2):
        story.does("Order Completed", revenue=20)
        passes(story, 1)
    passes(story, 50, DAY)


def _uses_it_thrice(story: Story) -> None:
    for _ in range(3):
        story.does("Report Made")
        passes(story, 1)
    passes(story, 3)


def _price_falls(story: Story) -> None:
    story.does("Product Viewed", product_id="p1")
    passes(story, 2)
    story.does("Price Dropped", product_id="p1", now=8, before=10)
    story.does("Price Dropped", product_id="p2", now=9.9, before=10)
    passes(story, 1)


def _gets_comments(story: Story) -> None:
    for _ in range(5):
        story.does("Comment Received")
        passes(story, 0.05)
    passes(story, 2)
    run = next(run for run in story.record.runs if run.campaign == "digest")
    assert len(run.gathered) == 4


def _orders(story: Story) -> None:
    story.does("Unsubscribed")
    story.does("Order Completed", order="o1")
    story.does("Order Completed", order="o2")
    passes(story, 1)


def _asks_for_it(story: Story) -> None:
    story.does("Subscription Requested", topic="letters", channel="email")
    passes(story, 1)
    assert story.record.consents["letters/email"].state == "pending"
    story.does("Subscription Confirmed", topic="letters", channel="email")
    passes(story, 1)


def _sleeps(story: Story) -> None:
    story.does("App Opened")
    passes(story, 200, DAY)


def _invites(story: Story) -> None:
    for _ in range(3):
        story.does("Referral Joined")
        passes(story, 1)
    passes(story, 2)


def _does_less(story: Story) -> None:
    for _ in range(14):
        story.does("App Opened")
        passes(story, 1)
    passes(story, 15)


def _account_grows(story: Story) -> None:
    """The account walks; what it has to say is told to its member, as the engine does it."""
    account = fresh(GROUPS + 1, "g:account:acme", story.now)
    calls = (story.event("Group", kind=Kind.GROUP, seats=60), story.event("Seat Added"))
    for call in calls:
        account, facts = step(account, replace(call, subject=account.subject), story.plan.of(account))
        for fact in facts:
            if fact.name == FactName.MEMBERS_ADDRESSED:
                told = story.event(GROUP_MESSAGE, kind=Kind.GROUP)
                story.gives(replace(told, properties=message_of(fact, account)))
    passes(story, 1)


def _registers(story: Story) -> None:
    story.does("Webinar Registered", webinar="w1", starts_at="2026-03-10T15:00:00Z")
    passes(story, 10, HOUR)
    sent = [fact.at for fact in story.facts if fact.name == FactName.MESSAGE_SENT]
    assert sent == [instant("2026-03-09T15:00:00Z"), instant("2026-03-10T14:00:00Z")]


def _weeks(story: Story) -> None:
    passes(story, 15)
    at = [fact.at for fact in story.facts if fact.name == FactName.CAMPAIGN_ENTERED]
    assert at == [
        instant("2026-03-02T14:00:00Z"),
        instant("2026-03-09T13:00:00Z"),
        instant("2026-03-16T13:00:00Z"),
    ]


def _ticket(story: Story) -> None:
    story.does("Ticket Opened", ticket_id="t1")
    passes(story, 1)
    story.does("Ticket Solved", ticket_id="t1")
    passes(story, 3)


def _makes_up_their_mind(story: Story) -> None:
    """Looks on two days, reads the guide that comes, puts one into the basket, and gets what is for that."""
    for _ in range(2):
        story.does("Product Viewed", product_id="p1")
        passes(story, 1)
    story.does("Content Read", content="/guides/what-to-look-for", active_s=200)
    passes(story, 1)
    story.does("Product Added", product_id="p1")
    passes(story, 10)
    told = [one["content"] for one in story.found(FactName.MESSAGE_SENT)]
    assert told == ["what_to_look_for", "how_a_club_chose", "sizes_explained"]


@dataclass(frozen=True)
class Case:
    """What happens to the customer a campaign is for, and which messages go."""

    happens: Callable[[Story], None]
    goes: list[str]
    traits: dict[str, object] = field(default_factory=dict)


CASES = {
    "abandoned basket by basket id": Case(_basket, ["basket"]),
    "trial ending": Case(
        lambda story: passes(story, 10),
        ["trial"],
        {"trial_ends_at": "2026-03-10", "timezone": "Europe/Paris"},
    ),
    "slow at a step": Case(_signs_up, ["stuck"]),
    "win-back": Case(
        _goes_quiet, ["whats_new" if unit_hash("campaign/come_back/variant", "key-0") < 0.5 else "voucher"]
    ),
    "survey after third use": Case(_uses_it_thrice, ["survey"]),
    "birthday": Case(lambda story: passes(story, 380, DAY), ["birthday", "birthday"], {"born": "1990-03-05"}),
    "price drop": Case(_price_falls, ["cheaper"]),
    "digest": Case(_gets_comments, ["digest"]),
    "receipt": Case(_orders, ["receipt", "receipt"]),
    "double opt-in": Case(_asks_for_it, ["_confirm", "welcome"]),
    "re-permission": Case(_sleeps, ["stay"]),
    "champion ask": Case(_invites, ["champion"]),
    "churn risk": Case(_does_less, ["miss_you", ""]),
    "account-level trigger": Case(_account_grows, ["plan"]),
    "webinar reminders by the event's date": Case(_registers, ["tomorrow", "soon"]),
    "weekly local 9:00": Case(_weeks, ["weekly", "weekly", "weekly"], {"timezone": "America/New_York"}),
    "broadcast with variants": Case(lambda story: passes(story, 5), ["long"]),
    "subject-line bandit": Case(_signs_up, ["playful"]),
    "programme hold-out": Case(
        _signs_up, [] if unit_hash("programme/care", "key-0") < 0.5 else ["first", "second"]
    ),
    "renewal": Case(
        lambda story: passes(story, 60),
        ["renew", "last_day"],
        {"renews_at": "2026-04-05T00:00:00Z", "plan": "pro"},
    ),
    "content by stage": Case(_makes_up_their_mind, ["to_read", "to_read", "to_read"]),
    "support follow-up": Case(_ticket, ["was_it_good"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_usual_campaign_runs(name: str) -> None:
    """Its documents are taken as they are, and the customer it is for gets these messages in this order."""
    case = CASES[name]
    story = Story(plan_of(documents(name)), key="key-0")
    assert story.now == START
    if case.traits:
        story.knows(**case.traits)
    case.happens(story)
    assert [sent["template"] for sent in story.found(FactName.MESSAGE_SENT)] == case.goes
