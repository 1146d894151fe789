"""One address gets one copy, whoever shares it."""

from __future__ import annotations

from pathlib import Path

from hark.model import DAY, FactName, Outcome
from hark.store.contracts import OutboxRow
from tests.engine.world import RECEIPTS, World, sent

NEWS = """
topic: news
default: in
opt_in: single
---
template: hello
channel: email
subject: Hello
text: Hello
---
campaign: hello
trigger: {event: Asked}
reenter: always
goal: {event: Bought, within: 1d}
control: none
why: a test
topic: news
steps: [{send: {channel: email, template: hello}}]
---
"""


def world_of(data: Path) -> World:
    world = World(data)
    world.define(NEWS + RECEIPTS)
    for user, address in (
        ("ada", "Family@example.com"),
        ("ben", "family@example.com"),
        ("cleo", "c@example.com"),
    ):
        world.identify(user, email=address)
    return world


def deliver(world: World) -> list[str]:
    """Who got something, in the order of handing over, until nothing is left to hand over."""
    got: list[str] = []

    def taken(row: OutboxRow) -> Outcome:
        got.append(f"{row.template} {row.content['to']}")
        return sent(row)

    engine = world.engine(taken)
    while {"wanted", "sending"} & set(world.reader.outbox_counts()) or engine.tick():
        engine.tick()
    engine.close()
    return got


def test_two_with_one_address_get_one_copy_in_a_day(tmp_path: Path) -> None:
    """The second is withheld with the reason; a day later there is another; others get their own."""
    world = world_of(tmp_path)
    for user in ("ada", "ben", "cleo"):
        world.track(user, "Asked")
    assert sorted(deliver(world)) == ["hello Family@example.com", "hello c@example.com"]
    withheld = [event for event in world.events() if event.name == FactName.MESSAGE_WITHHELD]
    assert [b"same_address" in one.properties for one in withheld] == [True]
    world.track("ben", "Asked")
    assert deliver(world) == [], "also over a restart of the engine"
    world.clock.at += DAY
    world.track("ben", "Asked")
    world.track("ada", "Asked")
    assert deliver(world) == ["hello family@example.com"]


def test_each_gets_the_receipt_of_their_own_order(tmp_path: Path) -> None:
    """What a person's own action calls for is no copy of somebody else's."""
    world = world_of(tmp_path)
    world.track("ada", "Order Completed", order="o1")
    world.track("ben", "Order Completed", order="o2")
    assert len(deliver(world)) == 2


def test_the_same_customer_may_be_told_again(tmp_path: Path) -> None:
    """Whoever enters twice gets it twice: a copy is somebody else's."""
    world = world_of(tmp_path)
    world.track("cleo", "Asked")
    assert len(deliver(world)) == 1
    world.track("cleo", "Asked")
    assert len(deliver(world)) == 1
