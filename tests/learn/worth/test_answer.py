"""The question of worth, asked of a history."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime

import numpy as np
import pytest

from hark.clock import instant
from hark.learn.worth.answer import TooFewCustomers, Worth, ask_worth
from hark.learn.worth.purchases import customers, merged
from hark.model import DAY, Event
from tests.data import shared
from tests.learn.histories import T0, Told, event

ASKED = Worth(("Order Completed",), "revenue", 39, 39)


@pytest.fixture(scope="module")
def cdnow() -> tuple[Told, int]:
    """All 78 weeks of CDNOW's sample, each purchase an order at noon; and the end of the last day."""
    events: list[Event] = []
    with gzip.open(shared("cdnow/cdnow_sample_transactions.csv.gz"), "rt") as lines:
        for seq, one in enumerate(csv.DictReader(lines)):
            at = instant(datetime.fromisoformat(one["date"]).replace(hour=12, tzinfo=UTC))
            worth = {"revenue": float(one["dollar_value"])}
            events.append(event(int(one["sample_customer_id"]), at, seq, "Order Completed", worth))
    return Told(events), instant(datetime(1998, 6, 30, 23, tzinfo=UTC))


def test_the_check_sees_what_the_paper_saw(cdnow: tuple[Told, int]) -> None:
    """With 39 weeks held back: 2,357 customers and 1,882 repeat purchases later; 4 % too few foretold."""
    found = ask_worth(cdnow[0], ASKED, cdnow[1])
    assert sum(one.customers for one in found.checks) == found.customers == 2357
    actual = sum(one.customers * one.actual for one in found.checks)
    assert round(actual) == 1882
    assert found.weeks[-1].actual == 2457 + 1882
    assert found.weeks[-1].expected / found.weeks[-1].actual == pytest.approx(0.96, abs=0.01)
    assert [week.held_back for week in found.weeks].count(True) == 39


def test_prospects_add_up_and_the_best_come_first(cdnow: tuple[Told, int]) -> None:
    """Nobody is more than alive, values fall from the first to the last, money needs a value."""
    found = ask_worth(cdnow[0], ASKED, cdnow[1])
    assert 0 < found.alive < found.customers
    worth = [one.value for one in found.top if one.value is not None]
    assert len(worth) == 20
    assert worth == sorted(worth, reverse=True)
    bare = ask_worth(cdnow[0], Worth(("Order Completed",)), cdnow[1])
    assert bare.spend is None
    assert bare.expected_value is None


def test_too_few_are_told_so() -> None:
    """Under a hundred customers who bought again, no model, and the message says how many there are."""
    bought = [
        event(n, T0 + day * DAY, 2 * n + day, "Order Completed") for n in range(1, 31) for day in (0, 1)
    ]
    with pytest.raises(TooFewCustomers, match="30 customers bought on two days"):
        ask_worth(Told(bought), Worth(("Order Completed",)), T0 + 90 * DAY)


def test_purchases_of_one_day_are_one() -> None:
    """Two on the first day, one a week later: one repeat with its value, seen up to the last day."""
    days = merged(np.array([5, 5, 5]), np.array([0, 7, 0]), np.array([1.0, 4.0, 2.0]))
    assert days.value.tolist() == [3.0, 4.0]
    one = customers(days, 29)
    assert (one.purchases.repeats[0], one.purchases.last[0], one.purchases.seen[0]) == (1, 1.0, 4.0)
    assert one.mean.tolist() == [4.0]
