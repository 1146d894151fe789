"""Computed traits: written, refused, looked up in conditions, followed by the engine, known to templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from hark.definitions.parse import parse, read
from hark.definitions.problems import DefinitionError
from hark.definitions.resolve import resolved
from hark.definitions.types import Computed, Segment
from hark.model import DAY, Outcome
from hark.store.contracts import OutboxRow
from hark.understand.conditions import AllOf, HasTrait
from hark.understand.conditions.computed import ComputedTrait, HasComputed
from tests.engine.world import RECEIPTS, START, World, sent

FAVOURITE = "computed: favourite\nmost_frequent: {event: Order Completed, of: category, within: 90d}\n"


def test_each_kind_is_typed() -> None:
    """First, last, most_frequent, top, sum, count and days each become a trait of their kind."""
    [one] = parse(
        "computed: top_three\nsays: What they like\ntop: {event: A, of: x.y, n: 3, where: {z: 1}}\n"
    )
    trait = ComputedTrait("top_three", "top", ("A",), "x.y", {"z": 1}, n=3)
    assert one.definition == Computed("top_three", trait, "What they like")
    for kind, of in (
        ("first", "of: p, "),
        ("last", "of: p, "),
        ("sum", "of: p, "),
        ("count", ""),
        ("days", ""),
    ):
        [one] = parse(f"computed: c\n{kind}: {{{of}any_of: [A, B]}}\n")
        assert isinstance(one.definition, Computed)
        assert one.definition.trait.kind == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("most_frequent: {event: A}", 'most_frequent needs "of"'),
        ("last: {event: A, of: x, within: 3d}", 'unknown key "within" in last'),
        ("sum: {event: A, of: x, within: 5h}", 'expected whole days up to 400d, found "5h"'),
        ("top: {event: A, of: x, n: 50}", "expected a whole number from 1 to 20, found 50"),
        (
            "count: {event: A}\nsum: {event: A, of: x}",
            "computed needs exactly one of first, last, most_frequent",
        ),
    ],
)
def test_what_is_refused_says_why(text: str, message: str) -> None:
    """Values need a property, windows are whole days, and a trait is computed in one way."""
    with pytest.raises(DefinitionError) as caught:
        read([("f", f"computed: c\n{text}\n")])
    assert message in str(caught.value)


def test_conditions_find_computed_traits_by_their_names() -> None:
    """In `trait` the computed ones are asked of history, the others of what was stated."""
    computed, segment = (
        one.definition
        for one in parse(FAVOURITE + "---\nsegment: s\nwhere: {trait: {favourite: shoes, plan: pro}}\n")
    )
    assert isinstance(computed, Computed)
    assert isinstance(segment, Segment)
    [found] = resolved([segment], [computed, segment])
    assert found.where == AllOf(
        (HasTrait({"plan": "pro"}), HasComputed({"favourite": "shoes"}, (computed.trait,)))
    )


def test_the_engine_follows_a_computed_trait(tmp_path: Path) -> None:
    """Who mostly buys shoes is in the segment, until hats prevail, or until the window has passed."""
    world = World(tmp_path)
    world.define(FAVOURITE + "---\nsegment: shoe_people\nwhere: {trait: {favourite: shoes}}\n")

    def inside() -> bool:
        world.catch_up()
        record = world.reader.record(world.reader.find("u") or 0)
        return bool(record and "shoe_people" in record.members)

    world.track("u", "Order Completed", category="shoes")
    assert inside()
    world.track("u", "Order Completed", category="hats")
    world.track("u", "Order Completed", category="hats")
    assert not inside()
    world.clock.at = START + 30 * DAY
    for _ in range(2):
        world.track("u", "Order Completed", category="shoes")
    assert inside()
    world.clock.at = START + 120 * DAY
    assert not inside()


def test_templates_know_computed_traits(tmp_path: Path) -> None:
    """A message knows what is computed as of its hand-off; a new trait is filled from history."""
    world, rows = World(tmp_path), list[OutboxRow]()
    world.identify("u", email="u@shop.example")
    world.track("u", "Order Completed", order="1", category="shoes")
    world.catch_up()
    world.define(RECEIPTS + "---\n" + FAVOURITE)

    def deliver(row: OutboxRow) -> Outcome:
        rows.append(row)
        return sent(row)

    engine = world.engine(deliver)
    world.track("u", "Order Completed", order="2", category="hats")
    for _ in range(20):
        engine.tick()
        world.clock.at += 1_000_000
    engine.close()
    assert [row.content["customer"]["favourite"] for row in rows] == ["hats"]
