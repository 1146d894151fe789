"""Conditions on the order of events and on all activity, in the engine: late events, merges."""

from __future__ import annotations

import json
from pathlib import Path

from hark.clock import moment
from hark.model import DAY, HOUR
from hark.understand.conditions.latest import TAIL
from tests.engine.world import START, World

SEQUENCE = "segment: converts\nwhere: {sequence: {steps: [A, B]}}\n"


def members(world: World, user: str) -> set[str]:
    found = world.reader.record(world.reader.find(user) or 0)
    return set(found.members) if found else set()


def at(world: World, user: str, event: str, when: int) -> None:
    world.post("track", userId=user, event=event, timestamp=moment(when).isoformat())


def test_a_very_late_event_is_put_in_its_place(tmp_path: Path) -> None:
    """An A from before more Bs than are kept one by one still comes before them."""
    world = World(tmp_path)
    world.define(SEQUENCE)
    for hour in range(TAIL + 3):
        world.clock.at = START + hour * HOUR
        world.track("u", "B")
    world.catch_up()
    assert members(world, "u") == set()
    at(world, "u", "A", START - DAY)
    world.catch_up()
    assert members(world, "u") == {"converts"}


def test_a_merge_puts_two_histories_in_order(tmp_path: Path) -> None:
    """What the anonymous visitor did before the Bs of the user counts once the two are one."""
    world = World(tmp_path)
    world.define(SEQUENCE)
    world.post("track", anonymousId="a", event="A")
    for hour in range(1, TAIL + 3):
        world.clock.at = START + hour * HOUR
        world.track("u", "B")
    world.catch_up()
    world.identify("u", "a")
    world.catch_up()
    assert members(world, "u") == {"converts"}


def test_any_activity_is_a_return(tmp_path: Path) -> None:
    """Whoever does anything after the gap has returned, whatever the event is called; facts do not count."""
    world = World(tmp_path)
    world.define("segment: back\nwhere: {returned: {after_gap: 30d, within: 7d}}\n")
    world.track("u", "Whatever")
    world.catch_up()
    assert members(world, "u") == set()
    world.clock.at = START + 31 * DAY
    world.post("track", userId="u", event="Else", context={"active": False})
    world.catch_up()
    assert members(world, "u") == set()
    world.track("u", "Another")
    world.catch_up()
    assert members(world, "u") == {"back"}
    world.clock.at += 7 * DAY
    world.catch_up()
    assert members(world, "u") == set()
    entered = [one for one in world.events() if one.name == "Segment Left"]
    assert [json.loads(one.properties)["segment"] for one in entered] == ["back"]


def test_a_segment_within_a_segment_follows_it(tmp_path: Path) -> None:
    """Who enters the one by an event enters the other that names it, at the same moment."""
    world = World(tmp_path)
    world.define(
        "segment: outer\nwhere: {all: [{in_segment: inner}, {not: {did: C}}]}\n---\n"
        "segment: inner\nwhere: {did: {event: A, within: 2d}}\n"
    )
    world.track("u", "A")
    world.catch_up()
    assert members(world, "u") == {"inner", "outer"}
    world.clock.at = START + 2 * DAY
    world.catch_up()
    assert members(world, "u") == set()
