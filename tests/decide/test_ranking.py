"""Whose message goes first: by what was learned, one time in ten by a draw, its probability recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm

from hark.clock import unit_hash
from hark.decide.ranking import EXPLORES, explores, propensity, rank
from hark.decide.record import fresh
from hark.decide.weights import Prospect, prospects
from hark.decide.work import Work
from hark.definitions.learned import Effect
from hark.model import DAY, FactName
from tests.decide.story import START, Story, campaign, plan_of

OTHER = campaign(expects="1%").replace("campaign: hello", "campaign: dear").replace("Signed Up", "Called")
MINE = campaign(expects="5%")
POLICY = "policy: attention\narbitration: {within: 1h, on_outranked: skip}\n---\n"
LEARNED = """---
effect: dear
of: 1
mean: 0.04
spread: 0.01
---
effect: hello
of: 1
mean: 0.001
spread: 0.01
"""


def key(drawn: bool) -> str:
    """A stable key whose day of START is one of draws, or is not."""
    keys = (f"key-{number}" for number in range(1000))
    salt = f"arbitration/{START // DAY}"
    return next(one for one in keys if (unit_hash(salt, one) < EXPLORES) is drawn)


def both(learned: str, drawn: bool = False) -> Story:
    story = Story(plan_of(POLICY + MINE + "---\n" + OTHER + learned), key=key(drawn))
    story.does("Signed Up")
    story.does("Called")
    story.now += 60 * 60_000_000
    for message in story.messages():
        story.hands_off(message)
    return story


@pytest.mark.parametrize(("learned", "first"), [("", "hello"), (LEARNED, "dear")])
def test_what_was_learned_outdoes_what_was_expected(learned: str, first: str) -> None:
    """By the authors' forecasts the one goes first, by the effects found since the other."""
    story = both(learned)
    [sending] = story.found(FactName.MESSAGE_SENDING)
    [withheld] = story.found(FactName.MESSAGE_WITHHELD)
    assert sending["campaign"] == first
    assert (withheld["reason"], withheld["values"]["campaign"]) == ("outranked", first)
    told = sending.get("weighed") or withheld["values"]["weighed"]
    assert told["drawn"] is False
    assert 0.9 < told["propensity"] <= 1


def test_one_day_in_ten_is_one_of_draws() -> None:
    """Over 4,000 customers the share of those whose day is one of draws is 10 %, within four standard
    errors."""
    plan = plan_of(MINE)
    works = [Work(fresh(number, f"k{number}", START), plan) for number in range(4000)]
    share = np.mean([explores(work) for work in works])
    assert abs(share - 0.1) < 4 * np.sqrt(0.09 / 4000)


def test_draws_follow_the_posteriors() -> None:
    """Of those whose day is one of draws, the other goes first as often as the posteriors say, by scipy."""
    plan = plan_of(POLICY + MINE + "---\n" + OTHER + LEARNED)
    works = [Work(fresh(number, f"k{number}", START), plan) for number in range(20_000)]
    drawn = [work for work in works if explores(work)]
    first = np.mean([rank(work, "dear") > rank(work, "hello") for work in drawn])
    expected = norm.cdf((0.04 - 0.001) / np.hypot(0.01, 0.01))
    assert abs(first - expected) < 4 * np.sqrt(expected * (1 - expected) / len(drawn))
    assert all(rank(work, "dear") > rank(work, "hello") for work in works if not explores(work))


@pytest.mark.parametrize("worth", [1.0, 3.0])
def test_the_propensity_is_that_of_the_ranking(worth: float) -> None:
    """0.9 for the best mean and 0.1 times the chance of the largest draw, by scipy; all together are 1."""
    mine, other = Prospect(worth, 0.02, 0.01), Prospect(1.0, 0.03, 0.02)
    best = worth * 0.02 > 0.03
    chance = norm.cdf((worth * 0.02 - 0.03) / np.hypot(worth * 0.01, 0.02))
    assert propensity(mine, [other]) == pytest.approx(0.9 * best + 0.1 * chance, abs=1e-3)
    three = [mine, other, Prospect(2.0, 0.0, 0.03)]
    whole = sum(propensity(one, [rest for rest in three if rest is not one]) for one in three)
    assert whole == pytest.approx(1, abs=2e-3)


@dataclass
class Named:
    name: str
    worth: float = 1.0
    expects: float | None = None


def test_of_what_nothing_was_learned_all_is_expected_that_was_learned() -> None:
    """A campaign without an effect of its own has the others' mean, and is as unsure as they differ."""
    campaigns = [Named("a", 2.0), Named("b"), Named("new", expects=0.9)]
    found = prospects(campaigns, {"a": Effect("a", 1, 0.02, 0.01), "b": Effect("b", 1, 0.06, 0.01)})  # type: ignore[arg-type]
    assert found["a"] == (2.0, 0.02, 0.01)
    assert found["new"] == pytest.approx((1.0, 0.04, np.sqrt(0.02**2 + 0.01**2)))
