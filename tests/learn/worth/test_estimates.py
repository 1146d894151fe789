"""Traits that a model estimates: told daily, only where they changed, and read like any other trait."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from hark.app import Workspace
from hark.clock import SetClock, instant, moment
from hark.collect.derived import DerivedName
from hark.definitions import parse, plan
from hark.definitions.computed import ESTIMATED
from hark.learn.worth import bgnbd
from hark.learn.worth.bgnbd import Purchases
from hark.learn.worth.estimates import changed
from hark.model import DAY, Lane
from hark.questions import ask
from hark.questions.daily import Daily

CUSTOMERS, WEEKS = 300, 30
TRAITS = """
computed: still_here
worth: {event: Bought, what: alive}
---
computed: to_come
worth: {event: Bought, what: value, value: revenue, ahead: 4w}
---
segment: slipping_away
where: {trait: {still_here: {lt: 0.5}}}
"""


def purchases() -> list[list[int]]:
    """By customer, the days on which they bought, the first at most 29 weeks after the beginning."""
    chance = np.random.default_rng(7)
    found = []
    for _ in range(CUSTOMERS):
        day, rate, leaves = float(chance.integers(0, 100)), chance.gamma(0.8, 0.3), chance.beta(1, 3)
        days = [int(day)]
        while chance.random() > leaves:
            day += 7 * chance.exponential(1 / max(rate, 1e-3)) + 1
            if day >= 7 * WEEKS:
                break
            days.append(int(day))
        found.append(sorted(set(days)))
    return found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Purchases of thirty weeks, and the definitions."""
    start = instant("2026-01-05T12:00:00Z")
    clock = SetClock(start + 7 * WEEKS * DAY)
    found = Workspace(tmp_path_factory.mktemp("estimates") / "data", clock, make=True)
    found.settle()
    found.command(plan.command(parse.read([("f", TRAITS)]), author="ann", note=""))
    calls = [
        {"type": "track", "userId": f"c{who}", "event": "Bought", "properties": {"revenue": 10 + who % 7},
         "timestamp": moment(start + day * DAY).isoformat()}
        for who, days in enumerate(purchases()) for day in days
    ]  # fmt: skip
    with found.appending() as log:
        log.append(Lane.LIVE, "batch", "shop", msgspec.json.encode({"batch": calls}))
    found.settle()
    return found


def test_estimates_are_the_models_and_a_segment_knows_them(here: Workspace) -> None:
    """The day's work tells everybody's estimates; the segment holds whom the model, fitted here, says."""
    assert Daily(here).once()
    here.settle()
    days = purchases()
    repeats = np.array([len(one) - 1 for one in days], np.float64)
    last = np.array([one[-1] - one[0] for one in days]) / 7
    seen = np.array([7 * WEEKS - one[0] for one in days]) / 7
    known = Purchases(repeats, last, seen)
    alive = bgnbd.fit(known)[0].alive(known)
    expected = {f"c{who}" for who in np.flatnonzero(np.round(alive, 3) < 0.5).tolist()}
    found = ask(here.data, {"segment_preview": {"where": {"trait": {"still_here": {"lt": 0.5}}}}}, here.clock)
    assert 0 < found["count"] == len(expected) < CUSTOMERS
    assert ask(here.data, {"segment": {"name": "slipping_away"}}, here.clock)["count"] == len(expected)
    worth = {"trait": {"to_come": {"gte": 0}}}
    assert ask(here.data, {"segment_preview": {"where": worth}}, here.clock)["count"] == CUSTOMERS


def test_only_what_changed_is_told_again(here: Workspace) -> None:
    """Right after, nothing is; a little of a probability, or 5 % of a value, is not worth an event."""
    Daily(here).once()
    here.settle()
    again = ask(here.data, {"estimates": {}}, here.clock)
    assert {name: one["told"] for name, one in again.items()} == {"still_here": [], "to_come": []}
    subjects = np.array([1, 2, 3])
    assert changed(subjects, np.array([0.5, 0.5, 0.5]), {1: 0.51, 2: 0.53}, "alive") == [(2, 0.5), (3, 0.5)]
    assert changed(subjects[:2], np.array([100.0, 100.0]), {1: 96.0, 2: 94.0}, "value") == [(2, 100.0)]


def test_the_event_s_name_is_one() -> None:
    """What the day's work writes is what the language reads."""
    assert DerivedName.ESTIMATED.value == ESTIMATED
