"""The simulated shop: that its truth is what the lives say, and that it is fair to measure against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from statistics import mean

import msgspec
import pytest

from hark.clock import instant, moment
from hark.definitions.contents import Content
from hark.definitions.parse import parse
from hark.definitions.types import Campaign, Segment, Send, Topic
from hark.demo.life import (
    DAYS,
    INTAKE_US,
    QUIET_US,
    READS,
    REST_US,
    RESTLESS_US,
    START,
    WINDOW_US,
    Customer,
    answer,
    customer,
)
from hark.demo.run import CAMPAIGN, LISTENING, SPEAKING, STEP_US, sender
from hark.demo.shop import Shop, goes_quiet, truth
from hark.model import DAY, HOUR, JSON, Event, Instant, Kind
from hark.understand.addresses import path_of

SEED = 7
MANY = [customer(SEED, number) for number in range(400)]


def history(calls: list[JSON], user: str) -> list[Event]:
    """A customer's tracked calls as events, read from what goes over the wire."""
    mine = [call for call in calls if call.get("userId") == user and call["type"] == "track"]
    ordered = sorted(mine, key=lambda call: datetime.fromisoformat(call["timestamp"]))
    return [_event(number, call) for number, call in enumerate(ordered)]


def _event(seq: int, call: JSON) -> Event:
    at, properties = instant(call["timestamp"]), msgspec.json.encode(call["properties"])
    return Event(1, at, seq, call["event"], Kind.TRACK, "shop", call["messageId"], at, at, at,
                 properties=properties)  # fmt: skip


def orders(events: list[Event]) -> Iterator[Instant]:
    return (event.at for event in events if event.name == "Order Completed")


@pytest.fixture(scope="module")
def calls() -> list[JSON]:
    return Shop(SEED, len(MANY)).until(START + 2 * DAYS * DAY)


@pytest.fixture(scope="module")
def definitions() -> dict[str, object]:
    found = parse(SPEAKING.read_text()) + parse(sender(2525))
    return {f"{one.kind} {one.name}": one.definition for one in found}


def test_what_is_asked_of_the_shop_is_what_its_customers_do(calls: list[JSON]) -> None:
    """Every event that the questions, the segment and the levels name occurs: none of them is empty."""
    found = parse(LISTENING.read_text())
    assert {one.kind for one in found} == {"question", "segment", "engagement", "content"}
    done = {call["event"] for call in calls if call["type"] == "track"}
    asked = set(re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+|Signed Up", LISTENING.read_text()))
    assert len(asked) == 5
    assert asked <= done
    read = {call["properties"]["content"] for call in calls if call.get("event") == "Content Read"}
    published = {path_of(one.definition.url) for one in found if isinstance(one.definition, Content)}
    assert len(published) == 2
    assert published < read, "one is left to be found by `hark content --seen`"


def test_about_five_in_a_hundred_are_planted() -> None:
    """Over thirty seeds the true lift is 0.05 on average, from a rate of about 0.11, and never far off."""
    found = [truth(seed, 1_500) for seed in range(1, 31)]
    assert mean(one.lift for one in found) == pytest.approx(0.05, abs=0.003)
    assert mean(one.nobody for one in found) == pytest.approx(0.11, abs=0.01)
    assert all(0.02 < one.lift < 0.09 for one in found)


def test_enough_enter_for_the_intervals_promised() -> None:
    """At the default size every arm has over 1,200 people: a half-width of at most 0.03."""
    assert all(truth(seed).entered > 2_400 for seed in (1, 2, 3))


def test_the_segment_agrees_on_who_goes_quiet_and_when(
    calls: list[JSON], definitions: dict[str, object]
) -> None:
    """By the segment's pure meaning a customer is first inside just after the moment the simulator says."""
    segment = definitions["segment gone_quiet"]
    assert isinstance(segment, Segment)
    checked = 0
    for one in MANY:
        quiet = goes_quiet(one)
        if quiet is not None:
            known = [event for event in history(calls, one.id) if event.at <= quiet]
            assert not segment.where.holds(known, quiet - 1)
            assert segment.where.holds(known, quiet + 1)
            checked += 1
    assert checked > 100


def test_the_truth_follows_from_the_calls_alone(calls: list[JSON]) -> None:
    """Counting orders on the wire after each quiet moment gives the rate with nobody written to."""
    quiet = [(one, at) for one in MANY if one.subscribed and (at := goes_quiet(one)) is not None]
    ordered = sum(
        any(at < order <= at + WINDOW_US for order in orders(history(calls, one.id))) for one, at in quiet
    )
    known = truth(SEED, len(MANY))
    assert known.entered == len(quiet)
    assert known.nobody == pytest.approx(ordered / len(quiet))


def test_a_mail_changes_nothing_but_the_visit_it_brings() -> None:
    """The same people written to and not: every other call stays, byte for byte."""
    alone, mailed = Shop(SEED, 200), Shop(SEED, 200)
    for email in list(mailed.customers):
        mailed.received(email, START + 20 * DAY)
    end = START + 2 * DAYS * DAY
    without, with_mail = _by_id(alone.until(end)), _by_id(mailed.until(end))
    brought = with_mail.keys() - without.keys()
    assert {key: with_mail[key] for key in without} == without
    assert brought
    assert all("-m0-" in key for key in brought)


def _by_id(calls: list[JSON]) -> dict[str, JSON]:
    return {call["messageId"]: call for call in calls}


def test_an_answer_is_an_order_well_within_the_window() -> None:
    """However late in a step or a night a mail arrives, its order falls inside the goal's 14 days."""
    found = [answer(SEED, number, 0, START) for number in range(5_000)]
    visits = [visit for visit in found if visit is not None]
    assert 0.03 < len(visits) / len(found) < READS * 0.2
    assert all(visit.ordered_at is not None for visit in visits)
    assert all(0 < (visit.ordered_at or 0) - START < WINDOW_US - 3 * DAY for visit in visits)


def test_nobody_visits_around_the_moment_of_going_quiet() -> None:
    """No gap lies between 6 days and 7.5 days, so how far the clock goes at once does not matter."""
    gaps = [b.at - a.last_view for one in MANY for a, b in zip(one.visits, one.visits[1:], strict=False)]
    assert not [gap for gap in gaps if RESTLESS_US < gap < QUIET_US + REST_US - HOUR]
    assert STEP_US <= REST_US


def test_steps_of_any_size_give_the_same_calls() -> None:
    """What happens does not depend on how often somebody looks."""
    whole, parts = Shop(3, 100), Shop(3, 100)
    end = START + DAYS * DAY
    in_parts = [call for step in range(1, 121) for call in parts.until(START + step * DAYS * DAY // 120)]
    assert whole.until(end) == in_parts


def test_calls_are_ordered_and_have_ids_of_their_own(calls: list[JSON]) -> None:
    """Times never go back, no messageId comes twice, and ids name the seed."""
    times = [call["timestamp"] for call in calls]
    assert [instant(time) for time in times] == sorted(instant(time) for time in times)
    assert len({call["messageId"] for call in calls}) == len(calls)
    assert all(call["messageId"].startswith(f"c{SEED}-") for call in calls)


def test_a_newcomer_comes_when_told() -> None:
    """A customer who arrives later has a life that begins then."""
    shop = Shop(SEED, 10)
    shop.until(START + 2 * DAYS * DAY)
    late: Customer = shop.arrives(START + 3 * DAYS * DAY)
    first = shop.until(START + 3 * DAYS * DAY + 10 * HOUR)[0]
    assert first["anonymousId"] == f"a-{late.id}"
    assert late.email in shop.customers


def test_the_definitions_say_what_the_simulator_assumes(definitions: dict[str, object]) -> None:
    """Window, days of quiet, intake and half the people left alone are the same in YAML and in Python."""
    campaign, topic = definitions[f"campaign {CAMPAIGN}"], definitions["topic news"]
    assert isinstance(campaign, Campaign)
    assert isinstance(topic, Topic)
    assert campaign.goal is not None
    assert campaign.goal.within_us == WINDOW_US
    assert campaign.ends == START + INTAKE_US, moment(START + INTAKE_US)
    assert campaign.control == 0.5
    assert topic.default == "out"
    assert isinstance(campaign.variants[0].steps[0], Send)
    assert START + INTAKE_US + WINDOW_US + DAY < START + DAYS * DAY
