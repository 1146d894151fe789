"""The past of new definitions is given in slices while events go on, and nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hark.engine import Engine, backfill
from hark.model import DAY, HOUR, Record
from hark.store.state import open_reader
from tests.engine.world import RECEIPTS, World

BUYERS = "segment: buyers\nwhere: {did: {event: Order Completed, times: {gte: 2}}}"
TOPIC = "topic: news\nsays: n\ndefault: in\nopt_in: single"
CAMPAIGN = """campaign: {name}
trigger: {{enters: {segment}{more}}}
hypothesis: h
goal: {{event: Viewed, within: 7d}}
control: none
why: w
topic: news
variants:
  one: {{send: {{template: receipt, channel: email}}}}"""
BEFORE = "\n---\n".join([RECEIPTS, TOPIC, "segment: viewers\nwhere: {did: Viewed}"])
NEW = "\n---\n".join(
    [
        BUYERS,
        "segment: idle\nwhere: {did_not: {event: Order Completed, within: 2d}}",
        "segment: quick\nwhere: {sequence: {steps: [Signed Up, {event: Order Completed, within: 1d}]}}",
        "segment: viewers\nwhere: {did: {event: Viewed, times: {gte: 2}, within: 3d}}",
        CAMPAIGN.format(name="thanks", segment="buyers", more=""),
        CAMPAIGN.format(name="look", segment="viewers", more=", existing: yes"),
    ]
)


def test_a_tick_gives_its_slice_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thirty customers five a tick are filled in; what comes meanwhile is folded with the next."""
    monkeypatch.setattr(backfill, "AT_ONCE", 5)
    for number in range(30):
        for _ in range(2):
            world.track(f"u{number}", "Order Completed")
    world.catch_up()
    world.define(BUYERS)
    engine, entered = world.engine(), [0]
    engine.tick()
    while entered[-1] < 30:
        entered.append(world.names().count("Segment Entered"))
        world.track("u0", "Other")
        engine.tick()
        assert world.names().count("Other") == len(entered) - 1
    assert max(after - before for before, after in pairwise(entered)) <= 5
    engine.close()


def test_how_far_it_is_can_be_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the new segment alone: buckets go by in their order, to the last but one; then there is nothing."""
    monkeypatch.setattr(backfill, "AT_ONCE", 5)
    for number in range(300):
        world.track(f"u{number}", "Order Completed")
    world.define("segment: viewers\nwhere: {did: Viewed}")
    world.catch_up()
    world.define(BUYERS)
    engine, reader, told = world.engine(), open_reader(world.data), list[tuple[int, int]]()
    while engine.tick():
        assert reader.filling("viewers") is None
        if found := reader.filling("buyers"):
            told.append((found.done, found.of))
    engine.close()
    (buckets,) = {of for _, of in told if of}
    assert {done for done, _ in told} <= set(range(buckets))
    assert told == sorted(told)
    assert len(set(told)) > buckets // 2
    assert reader.filling("buyers") is None


def test_who_comes_while_others_wait_is_filled_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second order of somebody not filled in yet enters them, now; the third of another does not."""
    monkeypatch.setattr(backfill, "AT_ONCE", 0)
    for user, orders in {"ada": 1, "bob": 2, "cy": 2}.items():
        for _ in range(orders):
            world.track(user, "Order Completed")
    world.catch_up()
    world.define(BUYERS)
    engine = world.engine()
    engine.tick()
    for user in ("ada", "bob"):
        world.track(user, "Order Completed")
    engine.tick()
    facts = [(one.subject, one.properties) for one in world.events() if one.name == "Segment Entered"]
    assert facts == [(1, b'{"segment":"buyers"}'), (2, b'{"segment":"buyers","backfill":true}')]
    engine.abort()


ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["Order Completed", "Viewed", "Signed Up", "Other"]), st.sampled_from("abcx")),
    st.tuples(st.just("merge"), st.sampled_from("ab")),
    st.tuples(st.just("later"), st.sampled_from([HOUR, DAY, 3 * DAY])),
)
Action = tuple[str, Any]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(ACTIONS, max_size=14),
    st.lists(st.tuples(ACTIONS, st.integers(0, 2), st.booleans()), max_size=8),
    st.booleans(),
)
@example([("Order Completed", "x")] * 2, [(("merge", "a"), 0, False)], False)
@example(
    [("Order Completed", "x"), ("Order Completed", "a")],
    [(("merge", "a"), 0, True), (("Order Completed", "b"), 0, False)],
    True,
)
@example(
    [("Signed Up", "x"), ("Order Completed", "x"), ("Viewed", "a")],
    [(("merge", "a"), 0, False), (("later", DAY), 0, True), (("Viewed", "a"), 0, False)],
    False,
)
def test_slices_crashes_and_touches_leave_no_trace(
    before: list[Action], after: list[tuple[Action, int, bool]], sealed: bool
) -> None:
    """Facts and records are those of a past that was given to everybody at once, whatever came in between."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other, pytest.MonkeyPatch.context() as patch:

        def slices(size: int) -> None:
            patch.setattr(backfill, "AT_ONCE", size)

        calm = [(action, 1_000_000, False) for action, _, _ in after]
        assert live(Path(one), before, after, sealed, slices) == live(
            Path(other), before, calm, sealed, slices
        )


def live(
    folder: Path,
    before: list[Action],
    after: list[tuple[Action, int, bool]],
    sealed: bool,
    slices: Callable[[int], None],
) -> tuple[list[tuple[Any, ...]], list[Record]]:
    """What a world's facts and records are, after new definitions between these actions."""
    world = World(folder)
    slices(1_000_000)
    world.define(BEFORE)
    for user in "ab":
        world.identify(user, email=f"{user}@x.example")
    for action in before:
        act(world, action)
    world.engine(seal_events=1 if sealed else 1_000_000).catch_up()
    world.define(NEW)
    engine = tick(world, world.engine(), 0 if after and after[0][1] < 3 else 1_000_000, False, slices)
    for action, size, crash in after:
        act(world, action)
        engine = tick(world, engine, size, crash, slices)
    tick(world, engine, 1_000_000, False, slices).abort()
    facts = [one for one in world.events() if one.source == "hark"]
    told = sorted((one.subject, one.seq, one.name, one.at, one.properties) for one in facts)
    return told, world.reader.records()


def tick(world: World, engine: Engine, size: int, crash: bool, slices: Callable[[int], None]) -> Engine:
    """One tick that fills in so many at most; with very many, all there is to do."""
    slices(size)
    while engine.tick() and size > 2:
        pass
    if crash:
        engine.abort()
        return world.engine()
    return engine


def act(world: World, action: Action) -> None:
    what, about = action
    if what == "later":
        world.clock.at += about
    elif what == "merge":
        world.identify(f"{about}", "x")
    elif about == "x":
        world.post("track", anonymousId="x", event=what, properties={})
    else:
        world.track(about, what)


def test_two_definitions_soon_after_each_other_are_both_filled_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first still owes is given with the second; nobody is taken into a campaign twice."""
    world.define("\n---\n".join([RECEIPTS, TOPIC, BUYERS]))
    for user in ("ada", "bob"):
        world.identify(user, email=f"{user}@x.example")
        for _ in range(2):
            world.track(user, "Order Completed")
    world.catch_up()
    monkeypatch.setattr(backfill, "AT_ONCE", 0)
    world.define(CAMPAIGN.format(name="look", segment="buyers", more=", existing: yes"))
    engine = world.engine()
    engine.tick()
    world.track("ada", "Order Completed")
    engine.tick()
    world.define("segment: once\nwhere: {did: Order Completed}")
    engine.tick()
    engine.abort()
    monkeypatch.setattr(backfill, "AT_ONCE", 10)
    world.catch_up()
    looking = [one for one in world.events() if b'"campaign":"look"' in one.properties]
    assert sorted(one.subject for one in looking if one.name == "Campaign Entered") == [1, 2]
    assert {one.key for one in world.reader.records() if "once" in one.members} == {"u:ada", "u:bob"}
    assert "Not Eligible" not in {one.name for one in looking}
