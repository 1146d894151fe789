"""Levels at moments of people's own: one fold of each history against the specification at each moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.definitions.levels import Ladder, Level
from hark.definitions.stages import built_in
from hark.model import DAY, Event, Kind
from hark.understand.conditions import AllOf, Did, HasConsent, HasTrait, Not, Returned, Window
from hark.understand.conditions.consent import Rule
from hark.understand.levels_then import LAST, level_then, levels_then
from hark.understand.people import people
from tests.history.waiting import Place
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

SPRING = (T0 + 10 * DAY, T0 + 30 * DAY)
LADDERS = {
    "built-in": built_in()[1],
    "patient": Ladder(
        "patient",
        (
            Level("looked", Did(("Page",), within_us=10 * DAY), grace_us=3 * DAY),
            Level("kept", Did(("Page",), count={"gte": 2}, within_us=20 * DAY), for_us=2 * DAY),
        ),
    ),
    "counts": Ladder(
        "counts",
        (
            Level("away", Not(Did(("Page",), within_us=15 * DAY))),
            Level("shopper", AllOf((Did(("Product Viewed",), count={"gte": 2}), Did(("Page",))))),
            Level("weekly", Did(("Page", "Other"), measure="weeks", count={"gte": 2}, zone="Europe/Rome")),
            Level("daily", Did(("Page",), measure="days", count={"in": [2, 4]}, within_us=20 * DAY)),
            Level("member", Did(("Identify",), {"plan": "pro"}, other=Window(between=SPRING))),
        ),
        ladder=False,
    ),
    "by what is known": Ladder(
        "known",
        (
            Level("pro", HasTrait({"plan": "pro"})),
            Level("back", Returned(5 * DAY, 5 * DAY)),
        ),
        ladder=False,
    ),
}
NAMES = ("Page", "Product Viewed", "Product Added", "Order Completed", "Unsubscribed", "Identify", "Other")
DAYS = st.integers(0, 60).map(lambda n: T0 + n * DAY)


def made(rows: list[tuple[int, int, str, str]]) -> list[Event]:
    found = []
    for seq, (who, at, name, plan) in enumerate(rows, start=1):
        told = {"plan": plan} if name == "Identify" else {"topic": "news", "channel": "email"}
        one = event(who, at, seq, name, told)
        found.append(replace(one, kind=Kind.IDENTIFY) if name == "Identify" else one)
    return found


@pytest.mark.parametrize("ladder", LADDERS)
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), DAYS, st.sampled_from(NAMES), st.sampled_from(["pro", "free"])),
        max_size=25,
    ),
    st.lists(st.tuples(st.integers(1, 4), DAYS, st.sampled_from([0, 5, 12, LAST])), min_size=1, max_size=8),
    st.integers(1, 3),
)
def test_one_fold_agrees_with_the_specification(
    ladder: str, rows: list[tuple[int, int, str, str]], moments: list[tuple[int, int, int]], parts: int
) -> None:
    """Just before every moment of everybody, of some who did nothing, too, it is the level by the meaning."""
    events = made(rows)
    asked = (np.array(column, np.int64) for column in zip(*moments, strict=True))
    found = levels_then(people(snapshot(events, parts), T0 + 90 * DAY), LADDERS[ladder], *asked)
    ordered = sorted(events, key=lambda one: (one.at, one.seq))
    wanted = [
        level_then([one for one in ordered if one.subject == who], LADDERS[ladder], (at, seq))
        for who, at, seq in moments
    ]
    assert found.tolist() == wanted


def test_a_moment_is_just_before_itself() -> None:
    """What happens at the moment counts from its place in the order on."""
    bought = event(1, T0, 5, "Order Completed")
    asked = [np.array(one) for one in ([1, 1, 1], [T0, T0, T0 + 1], [5, 6, 0])]
    found = levels_then(people(snapshot([bought], 1), T0 + DAY), LADDERS["built-in"], *asked)
    assert [built_in()[1].names[level - 1] if level else "unaware" for level in found] == [
        "unaware", "customer", "customer",
    ]  # fmt: skip


def test_what_was_agreed_to_counts_as_of_then(tmp_path: Path) -> None:
    """By the real table: out between two answers, whatever holds today."""
    place = Place(tmp_path)
    said = [
        event(1, T0, 1, "Subscription Confirmed", {"topic": "news", "channel": "email", "asked": True}),
        event(1, T0 + DAY, 2, "Unsubscribed", {"topic": "news", "channel": "email"}),
        event(
            1, T0 + 3 * DAY, 3, "Subscription Confirmed", {"topic": "news", "channel": "email", "asked": True}
        ),
    ]
    place.waiting.add(said)
    place.seal()
    agreed = HasConsent("news", "email", "in", Rule("out", "double"))
    ladder = Ladder("known", (Level("in", agreed),))
    at = np.array([T0 + n * DAY + 1 for n in range(4)])
    who, seq = np.ones(4, np.int64), np.full(4, LAST)
    found = levels_then(people(place.snapshot(), T0 + 9 * DAY), ladder, who, at, seq)
    assert found.tolist() == [1, 0, 0, 1]
