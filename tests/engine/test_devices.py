"""A device that is gone gets no more pushes, until its customer has another; nobody else hears of it."""

from __future__ import annotations

from pathlib import Path

from hark.model import Outcome
from hark.store.contracts import OutboxRow
from tests.engine.world import World

PUSH = """
topic: news
default: in
---
template: arrived
channel: push
subject: New
text: Shoes
---
campaign: arrivals
trigger: {event: Arrived}
goal: {event: Order Completed, within: 14d}
reenter: always
control: none
why: everybody sees it
topic: news
steps: [{send: {channel: push, template: arrived}}]
"""
OLD, NEW = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def gone(row: OutboxRow) -> Outcome:
    """A push service: the old device is unregistered, the new one takes everything."""
    failed = row.content["to"] == OLD
    return Outcome(row.subject, 0, row.message, "failed" if failed else "sent", permanent=failed)


def test_a_device_that_is_gone_is_suppressed_until_there_is_another(tmp_path: Path) -> None:
    """The service says so once; the next message is refused before it is wanted, and one after a new token
    goes. The list of addresses, which is for what people share, hears nothing."""
    world = World(tmp_path)
    world.define(PUSH)
    world.identify("ada", push_token=OLD)
    for _ in range(2):
        world.track("ada", "Arrived")
        lived(world)
    world.identify("ada", push_token=NEW)
    world.track("ada", "Arrived")
    lived(world)
    about = [one for one in world.names() if one.startswith("Message ") or one == "Not Eligible"]
    assert about == [
        "Message Wanted", "Message Sending", "Message Failed", "Not Eligible",
        "Message Wanted", "Message Sending", "Message Sent",
    ]  # fmt: skip
    assert "Address Suppressed" not in world.names()


def lived(world: World) -> None:
    engine = world.engine(gone)
    while engine.tick():
        pass
    engine.close()
    world.engine(gone).catch_up()
