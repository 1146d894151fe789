"""What customers say about being written to."""

from __future__ import annotations

import pytest

from hark.decide.consents import state
from hark.decide.messages import CONFIRM
from hark.model import DAY, HOUR, FactName
from tests.decide.story import START, Story, campaign, plan_of

TOPICS = "topic: tips\n---\ntopic: offers\nopt_in: single\n---\n"


def story() -> Story:
    return Story(plan_of(TOPICS + campaign()))


def said(of: Story, topic: str) -> str:
    return state(of.record, of.plan, topic, "email")


@pytest.mark.parametrize("topic, expected", [("news", "in"), ("tips", "out"), ("unknown", "out")])
def test_without_an_answer_the_topics_default_holds(topic: str, expected: str) -> None:
    """A topic that nobody defined is out."""
    assert said(story(), topic) == expected


def test_double_opt_in_asks_first() -> None:
    """A request is pending and sends one transactional message, and only the confirmation brings "in"."""
    mara = story()
    mara.does("Subscription Requested", topic="tips")
    (wanted,) = mara.found(FactName.MESSAGE_WANTED)
    assert (wanted["template"], wanted["data"], wanted["transactional"]) == (CONFIRM, {"topic": "tips"}, True)
    assert said(mara, "tips") == "pending"
    mara.deliver()
    assert FactName.MESSAGE_SENT in mara.names()
    mara.does("Subscription Confirmed", topic="tips")
    assert said(mara, "tips") == "in"


def test_single_opt_in_does_not_ask() -> None:
    """Where the topic says single, the request is enough."""
    mara = story()
    mara.does("Subscription Requested", topic="offers", channel="email")
    assert said(mara, "offers") == "in"
    assert mara.messages() == []


def test_a_confirmation_nobody_asked_for_changes_nothing() -> None:
    """Neither out of the blue, nor after unsubscribing in between."""
    mara = story()
    mara.does("Subscription Confirmed", topic="tips")
    assert said(mara, "tips") == "out"
    mara.does("Subscription Requested", topic="tips")
    mara.does("Unsubscribed", topic="tips")
    mara.does("Subscription Confirmed", topic="tips")
    assert said(mara, "tips") == "out"


def test_a_repeated_request_does_not_ask_again_at_once() -> None:
    """Requests may come from anybody who knows an address: one confirmation a day at most."""
    mara = story()
    for _ in range(5):
        mara.does("Subscription Requested", topic="tips")
        mara.now += HOUR
    assert len(mara.messages()) == 1
    mara.now = START + DAY
    mara.does("Subscription Requested", topic="tips")
    assert len(mara.messages()) == 2


@pytest.mark.parametrize(
    "said_", [{}, {"topic": "news"}, {"channel": "email"}, {"topic": "news", "channel": "email"}]
)
def test_unsubscribing_reaches_as_far_as_it_says(said_: dict[str, str]) -> None:
    """What is not named means all of it."""
    mara = story()
    mara.does("Subscription Requested", topic="offers")
    mara.does("Unsubscribed", None, **said_)
    assert said(mara, "news") == "out"
    assert said(mara, "offers") == ("in" if "topic" in said_ else "out")


def test_the_latest_answer_holds() -> None:
    """After unsubscribing from everything a new request counts, and one that arrives late does not."""
    mara = story()
    mara.does("Subscription Requested", topic="offers")
    mara.now += DAY
    mara.does("Unsubscribed")
    mara.does("Subscription Requested", at=START + HOUR, topic="offers")
    assert said(mara, "offers") == "out"
    mara.does("Subscription Requested", topic="offers")
    assert said(mara, "offers") == "in"


def test_imported_consents_are_kept_and_write_to_nobody() -> None:
    """An import may bring confirmed subscriptions, and sends no confirmation for requests."""
    mara = story()
    mara.imports("Subscription Requested", START - DAY, topic="tips")
    assert said(mara, "tips") == "pending"
    mara.imports("Subscription Confirmed", START - HOUR, topic="tips")
    assert said(mara, "tips") == "in"
    assert mara.messages() == []


@pytest.mark.parametrize("properties", [{"topic": 5}, {"topic": None}, {}])
def test_an_unreadable_request_says_nothing(properties: dict[str, object]) -> None:
    """A request without a topic that is a text is kept in history and changes nothing."""
    mara = story()
    mara.does("Subscription Requested", None, **properties)
    assert mara.record.consents == {}


def test_an_old_answer_that_arrives_late_does_not_undo_a_newer_one() -> None:
    """Unsubscribing at nine and asking again at ten stays "in", in whichever order the two arrive."""
    mara = story()
    mara.now += DAY
    mara.does("Subscription Requested", topic="offers", channel="email")
    mara.does("Unsubscribed", START, topic="offers", channel="email")
    assert said(mara, "offers") == "in"
