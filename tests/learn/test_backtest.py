"""What a back-test says of rates, and of what a comparison could show."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import astuple

from hark.decide.backtest.found import Entry, Found, Message
from hark.definitions.parse import parse
from hark.definitions.types import Campaign
from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.backtest.answer import Backtest, Sends, answer
from hark.learn.backtest.forecast import base_rate, customers_in, proposal
from hark.learn.compare import wilson
from hark.learn.power import people_needed
from hark.model import DAY, HOUR, WEEK

T0 = 1_772_000_000_000_000 // DAY * DAY
"""A midnight, UTC."""


def campaign(**keys: str) -> Campaign:
    given = {
        "trigger": "{event: Viewed}", "goal": "{event: Bought, within: 7d}", "topic": "news",
        "steps": "[{send: {channel: email, template: hello}}]",
    } | keys  # fmt: skip
    ((one),) = parse("campaign: hello\n" + "\n".join(f"{key}: {value}" for key, value in given.items()))
    assert isinstance(one.definition, Campaign)
    return one.definition


def entry(subject: int, at: int = T0, goal: bool = False, compared: bool = True, first: bool = True) -> Entry:
    return Entry(subject, at, compared, first, goal)


def asked(found: Found, sends: Sends | None = None, days: int = 60, **keys: str) -> Backtest:
    end = T0 + days * DAY
    return answer(campaign(**keys), found, sends or {}, T0, end, end - 1, "UTC")


def test_one_entry_each_has_wilsons_interval() -> None:
    """Where nobody entered twice the interval is Wilson's."""
    rate = base_rate([entry(subject, goal=subject < 17) for subject in range(100)])
    assert rate
    assert (rate.low, rate.high) == pytest.approx(wilson(Sums(100, 17)))
    assert rate.estimate == 0.17


def test_the_same_entries_again_tell_nothing_new() -> None:
    """If each customer does the same every time, as many entries again leave the interval as it was."""
    once = [entry(subject, goal=subject < 17) for subject in range(100)]
    one, three = base_rate(once), base_rate(once * 3)
    assert one
    assert three
    assert astuple(one) == pytest.approx(astuple(three))


def test_the_interval_holds_where_customers_differ() -> None:
    """Of 600 shops whose customers have rates of their own, 92 to 98 % of the intervals hold the truth."""
    chance, held = np.random.default_rng(3), 0
    for _ in range(600):
        often, own = 1 + chance.poisson(3, 150), chance.beta(1, 4, 150)
        goals = [chance.random(n) < p for n, p in zip(often, own, strict=True)]
        rate = base_rate([entry(who, goal=bool(one)) for who, ones in enumerate(goals) for one in ones])
        held += rate is not None and rate.low <= 0.2 <= rate.high
    assert 0.92 <= held / 600 <= 0.98


def test_entries_count_once_window_and_grace_are_over() -> None:
    """An entry whose 7 days and the day of grace end with the history is not complete, and in no rate."""
    last = T0 + 60 * DAY - 1
    found = asked(Found([entry(1, last - 8 * DAY - 1, goal=True), entry(2, last - 8 * DAY, goal=True)]))
    assert (found.entries, found.complete, found.incomplete) == (2, 1, 1)
    assert found.base_rate
    assert found.base_rate.estimate == 1


def test_whom_it_really_wrote_to_is_in_no_rate() -> None:
    """Entries around which this campaign itself sent a message say nothing of what happens without one."""
    found = asked(Found([entry(1, goal=True), entry(2), entry(3, T0 + 30 * DAY)]), {
        1: [(T0 + HOUR, "hello")], 2: [(T0 + HOUR, "other")], 3: [(T0, "hello")],
    })  # fmt: skip
    assert found.written_to == 1
    assert found.base_rate
    assert found.base_rate.estimate == 0


def test_messages_near_others_collide() -> None:
    """A message within a day of one that another campaign sent to the customer is a collision with it."""
    sends = {1: [(T0, "other"), (T0 + HOUR, "other")], 2: [(T0, "other")], 3: [(T0, "hello")]}
    messages = [Message(1, T0 + DAY), Message(1, T0), Message(2, T0 + DAY + 1), Message(3, T0)]
    (one,) = asked(Found([], messages), sends).collisions
    assert (one.campaign, one.messages, one.customers) == ("other", 2, 1)


def test_customers_are_counted_once_a_span() -> None:
    """In two spans of two weeks 3 and 1 different enter: 2 on average; not those in the global control."""
    entries = [entry(1), entry(1, T0 + DAY), entry(2), entry(3), entry(1, T0 + 3 * WEEK)]
    entries.append(entry(4, compared=False))
    assert customers_in(entries, 2, T0, T0 + 4 * WEEK) == 2
    assert customers_in(entries, 8, T0, T0 + 4 * WEEK) == 6


def test_the_control_proposed_needs_the_fewest_weeks() -> None:
    """No share from 10 to 50 % finds what is expected with fewer people: by the intervals on which the
    verdict will rest, which hold at every look, or of one look where it says when it is decided."""
    rate = base_rate([entry(subject, goal=subject < 30) for subject in range(1000)])
    assert rate
    found = proposal(campaign(expects="2%"), rate, 100)
    needed = {share: anytime.needed(0.03, 0.02, share / 100) for share in range(10, 51)}
    assert found.customers == min(needed.values()) == needed[round(100 * found.share)]
    planned = proposal(campaign(expects="2%", decide_by="5000"), rate, 100)
    fewest = min(people_needed(0.03, 0.02, share / 100) for share in range(10, 51))
    assert planned.customers == fewest < found.customers
    assert found.weeks == found.customers / 100
    assert proposal(campaign(), rate, 100).share == 0.2
    assert proposal(campaign(expects="2%"), None, 0).share == 0.2


def test_auto_is_said_for_the_share_proposed() -> None:
    """What is detectable is said for the campaign's own control, and under auto for the one proposed."""
    found = Found([entry(n, T0 + n % 40 * DAY, goal=n % 10 == 0) for n in range(12_000)])
    auto, own = asked(found, expects="5%"), asked(found, expects="5%", control="10%")
    assert auto.share == auto.control.share > 0.2
    assert own.share == 0.1
    lifts = [(a.lift, b.lift) for a, b in zip(auto.detectable, own.detectable, strict=True)]
    assert all(a and b and a < b for a, b in lifts)


def test_small_lists_are_told_so() -> None:
    """A list that can show nothing is told what to do instead; a larger one what it can show."""
    small = asked(Found([entry(n, goal=n == 0) for n in range(9)]), expects="4%").sentences
    assert any("too few to show any effect" in one for one in small)
    middling = asked(
        Found([entry(n, T0 + n % 50 * DAY, goal=n % 5 == 0) for n in range(300)]), expects="1%"
    ).sentences
    assert any("too small for so small an effect" in one for one in middling)
    assert "nobody would have entered" in asked(Found(withheld={"not_reachable": 7})).sentences[0]
    assert "not_reachable (7 times)" in asked(Found(withheld={"not_reachable": 7})).sentences[0]
