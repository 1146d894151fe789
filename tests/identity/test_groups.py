"""Groups: routing, membership, and what members are told."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.definitions.parse import definition
from hark.engine import groups
from hark.history.reader import open_snapshot
from hark.model import GROUP_TRAITS, GROUPS, HOUR, Lane, Record
from hark.store.state import StateReader
from hark.understand.segments import segment_at
from tests.engine.world import World

BIG = """
segment: big
where: {group: {account: {employees: {gte: 50}}}}
"""
QUIET = """
segment: quiet
where: {did_not: {event: A, within: 1d}}
---
"""


def group(world: World, user: str, group: str, **traits: Any) -> int:
    return world.post("group", userId=user, groupId=group, traits=traits)


def told(world: World, user: str) -> list[Any]:
    """What the customer was told of groups, in order."""
    snapshot = open_snapshot(world.data, world.reader)
    mine = snapshot.subject_events(world.reader.find(user) or 0, [GROUP_TRAITS])
    return [json.loads(event.properties) for event in mine]


def record(world: World, user: str) -> Record:
    found = world.reader.record(world.reader.find(user) or 0)
    assert found is not None
    return found


def test_an_event_of_a_group_stands_in_the_groups_history_too(world: World) -> None:
    """Members' events that carry the group's id, and group calls, are the group's; others are not."""
    group(world, "ada", "acme", employees=60)
    world.post("track", userId="bob", event="A", context={"groupId": "acme"})
    world.track("ada", "B")
    world.catch_up()
    acme = world.reader.find("account:acme")
    assert acme is not None and acme >= GROUPS
    snapshot = open_snapshot(world.data, world.reader)
    assert [event.name for event in snapshot.subject_events(acme)] == ["Group", "A"]
    kept = world.reader.record(acme)
    assert kept is not None and kept.traits["employees"].value == 60
    assert snapshot.count() == len(list(snapshot.events(facts=True))) == 5, (
        "each counts once, and two tellings"
    )
    assert (world.reader.customers(), world.reader.subjects()) == (2, [1, 2])


def test_members_belong_by_a_call_of_theirs(world: World) -> None:
    """A group call and `context.groupId` make a member, each group once; further groups too."""
    group(world, "ada", "acme")
    world.post("track", userId="ada", event="A", context={"groupId": "acme", "groups": {"team": "red"}})
    world.catch_up()
    ada = world.reader.find("ada") or 0
    assert [name for _, name in world.reader.groups_of(ada)] == ["account:acme", "team:red"]
    assert [one["type"] for one in told(world, "ada")] == ["account", "team"]


def test_a_group_call_without_a_customer_is_about_the_group_alone(world: World) -> None:
    """PostHog's group_identify names no customer: nobody becomes a member, its traits are kept."""
    body = {"batch": [{"event": "$groupidentify", "distinct_id": "$company_acme", "properties": {
        "$group_type": "company", "$group_key": "acme", "$group_set": {"employees": 60}}}]}  # fmt: skip
    world.raw("posthog", json.dumps(body).encode())
    world.catch_up()
    acme = world.reader.find("company:acme")
    kept = world.reader.record(acme or 0)
    assert kept is not None and kept.traits["employees"].value == 60
    assert world.reader.customers() == 0


def test_who_joins_is_told_all_and_members_what_changes(world: World) -> None:
    """A joiner learns every trait; the other members only those that changed, and nothing that did not."""
    group(world, "ada", "acme", employees=10, plan="free")
    group(world, "bob", "acme", employees=60, plan="free")
    group(world, "bob", "acme", employees=60)
    world.catch_up()
    assert [{name: one[0] for name, one in news["traits"].items()} for news in told(world, "ada")] == [
        {"employees": 10, "plan": "free"},
        {"employees": 60},
    ]
    assert [{name: one[0] for name, one in news["traits"].items()} for news in told(world, "bob")] == [
        {"employees": 60, "plan": "free"}
    ]


def test_a_condition_follows_the_groups_traits(world: World) -> None:
    """Members enter and leave the segment as the group changes, live and in the history alike."""
    world.define(BIG)
    group(world, "ada", "acme", employees=10)
    group(world, "bob", "acme")
    world.catch_up()
    assert "big" not in record(world, "ada").members
    world.clock.at += HOUR
    group(world, "bob", "acme", employees=60)
    world.catch_up()
    assert "big" in record(world, "ada").members and "big" in record(world, "bob").members
    document = definition(world.reader.documents()[0], "UTC")
    snapshot = open_snapshot(world.data, world.reader)
    assert set(segment_at(snapshot, document, world.clock.at)) == {1, 2}  # type: ignore[arg-type]
    assert not set(segment_at(snapshot, document, world.clock.at - HOUR))  # type: ignore[arg-type]


def test_a_condition_that_is_new_is_filled_in(world: World) -> None:
    """Who was told before the definition came is inside by the history."""
    group(world, "ada", "acme", employees=60)
    world.catch_up()
    world.define(BIG)
    world.catch_up()
    assert "big" in record(world, "ada").members


def test_membership_goes_with_the_customer_when_a_merge_is_undone(world: World) -> None:
    """What the anonymous one was told counts for both while they are one, and only for it afterwards."""
    world.define(BIG)
    world.track("ada", "A")
    world.post("group", anonymousId="x", groupId="acme", traits={"employees": 60})
    world.identify("ada", "x")
    world.catch_up()
    assert "big" in record(world, "ada").members
    world.post("command", Lane.URGENT, name="unmerge", merge=1, author="ada", note="")
    world.catch_up()
    assert "big" not in record(world, "ada").members
    assert "big" in record(world, "x").members
    assert [name for _, name in world.reader.groups_of(2)] == ["account:acme"]


def test_a_large_group_is_told_over_many_ticks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No tick tells more than its share; a crash in between doubles and loses nothing."""
    monkeypatch.setattr(groups.Groups.advance, "__defaults__", (7,))
    members = [f"u{number}" for number in range(40)]
    for user in members:
        group(world, user, "acme", employees=10)
    world.catch_up()
    group(world, "u0", "acme", employees=60)
    engine, counts = world.engine(), []
    while engine.tick():
        counts.append(len([one for one in world.events() if one.name == GROUP_TRAITS]))
        engine.abort()
        engine = world.engine()
    engine.close()
    steps = [later - earlier for earlier, later in zip([40, *counts], counts, strict=False)]
    assert max(steps) <= 7 and sum(steps) == 40
    assert len({one.message_id for one in world.events() if one.name == GROUP_TRAITS}) == 80


def test_nobody_belongs_to_endlessly_many_groups(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most, further groups are named among the problems; events go to them all the same."""
    monkeypatch.setattr(groups, "MOST_GROUPS", 3)
    for number in range(5):
        group(world, "ada", f"g{number}")
    world.catch_up()
    assert len(world.reader.groups_of(1)) == 3
    assert [one.reason for one in world.reader.problems()] == ["groups.too_many"] * 2


SIZES = st.sampled_from([None, 10, 60])
DOINGS = st.lists(
    st.one_of(
        st.tuples(st.just("group"), st.sampled_from("abcd"), st.sampled_from("gh"), SIZES),
        st.tuples(st.just("track"), st.sampled_from("abcd"), st.sampled_from([None, "g", "h"]), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 30), st.none(), st.none()),
    ),
    min_size=4,
    max_size=16,
)  # fmt: skip


@settings(max_examples=4, deadline=None)
@given(DOINGS)
def test_ticks_change_nothing_for_members(doings: list[tuple[Any, ...]]) -> None:
    """Told one a tick between other events and restarts, or all at once: the same records, to the byte, and
    the same events and facts; and live membership is that of the history."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        at_once = lived(World(Path(one)), doings, most=1_000)
        slowly = lived(World(Path(other)), doings, most=1)
        assert at_once == slowly


def lived(world: World, doings: list[tuple[Any, ...]], most: int) -> tuple[list[bytes], list[Any]]:
    world.define(QUIET + BIG)
    world.catch_up()
    for doing in doings:
        play(world, *doing)
    before = groups.Groups.advance.__defaults__
    try:
        groups.Groups.advance.__defaults__ = (most,)
        engine = world.engine()
        ticks = 0
        while engine.tick(most):
            ticks += 1
            if most == 1 and ticks % 9 == 0:
                engine.abort()
                engine = world.engine()
        engine.close()
    finally:
        groups.Groups.advance.__defaults__ = before
    check(world, world.reader)
    events = sorted(world.events(), key=lambda event: (event.subject, event.seq))
    world.log.close()
    return [msgspec.json.encode(one) for one in world.reader.records()], events


def play(world: World, kind: str, user: Any, name: str | None, employees: int | None) -> None:
    world.clock.at += HOUR
    if kind == "wait":
        world.clock.at += user * HOUR
    elif kind == "group":
        group(world, user, str(name), **({} if employees is None else {"employees": employees}))
    else:
        world.post("track", userId=user, event="A", context={"groupId": name} if name else {})


def check(world: World, reader: StateReader) -> None:
    snapshot = open_snapshot(world.data, reader)
    for document in reader.documents():
        live = {one.subject for one in reader.records() if document.name in one.members}
        segment = definition(document, "UTC")
        assert live == set(segment_at(snapshot, segment, reader.engine_time()))  # type: ignore[arg-type]
