"""STOP and START by text message: heard first, as far as they say, and by nobody else."""

from __future__ import annotations

import msgspec
import pytest

from hark.collect.hooks.events import mapped
from hark.definitions.mapping import Source
from hark.definitions.parse import parse
from tests.decide.story import START, Story, plan_of

FORM = {"MessageSid": "SM1", "From": "+447700900123", "To": "+447700900999"}


def twilio() -> Source:
    (one,) = parse("source: texts\nuse: twilio\n")
    assert isinstance(one.definition, Source)
    return one.definition


def names(**form: str) -> list[str]:
    found = mapped(twilio(), {"body": FORM | form, "header": {}, "query": {}})
    return [call["event"] for call in found.calls]


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop. ", "STOPALL", "Unsubscribe", "cancel", "END", "quit!", "REVOKE"]
)
def test_a_text_that_is_the_word_leaves(text: str) -> None:
    """In any case, with any stop behind it."""
    assert names(Body=text) == ["Unsubscribed"]


@pytest.mark.parametrize("text", ["START", "unstop", "Yes"])
def test_a_text_that_is_the_other_word_takes_it_back(text: str) -> None:
    """The words that carriers know."""
    assert names(Body=text) == ["Subscription Requested"]


@pytest.mark.parametrize(
    "text", ["please stop by on Monday", "Can't stop", "start over?", "yes please", "stopp", "1"]
)
def test_any_other_text_is_a_text(text: str) -> None:
    """A word within a sentence is no answer."""
    assert names(Body=text) == ["Message Received"]


def test_the_providers_own_word_counts() -> None:
    """A messaging service tells by OptOutType what it took for an answer, in any language."""
    assert names(Body="ALTO", OptOutType="STOP") == ["Unsubscribed"]
    assert names(Body="HOLA", OptOutType="START") == ["Subscription Requested"]


def test_start_takes_back_what_the_same_source_said_and_no_more() -> None:
    """Earlier answers hold again; another source cannot say it; a topic never asked for stays out."""
    story = Story(plan_of("topic: offers\ndefault: out\n"), phone="+447700900123")
    story.does("Unsubscribed", channel="sms", wording="STOP")
    assert story.record.consents["*/sms"].wording == "STOP"
    other = msgspec.structs.replace(story.event("Subscription Requested", channel="sms"), source="web")
    story.gives(other)
    assert set(story.record.consents) == {"*/sms"}
    story.does("Subscription Requested", START - 1, channel="sms")
    assert set(story.record.consents) == {"*/sms"}, "an older START does not undo a newer STOP"
    story.does("Subscription Requested", channel="sms")
    assert story.record.consents == {}
