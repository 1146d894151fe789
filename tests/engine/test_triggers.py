"""Calls that start a campaign, in the engine: in their place among what the same caller said, once, and again
in a replay."""

from msgspec.structs import replace

from hark.history.reader import open_snapshot
from hark.model import DAY
from hark.replay import replay
from tests.engine.world import World

WELCOME = """
campaign: welcome
transactional: true
trigger: {api: yes}
key: data.order
reenter: always
steps: [{send: {channel: email, template: hello}}]
---
template: hello
channel: email
subject: Hello
text: Your order {{ data.order }}
"""


def called(world: World, order: str) -> None:
    said = {"campaign": "welcome", "data": {"order": order}}
    world.post("trigger", userId="ada", messageId=order, event="Campaign Triggered", properties=said)


def test_a_call_comes_after_what_was_said_before_it(world: World) -> None:
    """The address that an identify just before the call states is known to the run; a call counts once."""
    world.define(WELCOME)
    world.identify("ada", email="ada@shop.example")
    for order in ("o1", "o1", "o2"):
        called(world, order)
    world.catch_up()
    assert world.names().count("Message Wanted") == 2
    assert world.names().count("Campaign Triggered") == 2


def test_a_replay_starts_the_same_runs(world: World) -> None:
    """The call stands in the history, so a replay of it decides the same."""
    world.define(WELCOME)
    world.identify("ada", email="ada@shop.example")
    called(world, "o1")
    world.catch_up()
    live = [event for event in world.events() if event.name == "Campaign Entered"]
    state = world.reader
    again = replay(open_snapshot(world.data, state), state.documents(), live[0].at + DAY, key=state.key)
    found = [fact for fact in again.facts if fact.name == "Campaign Entered"]
    assert [one.properties for one in found] == [one.properties for one in live]
    assert [replace(one, seq=0, message_id="") for one in found] == [
        replace(one, seq=0, message_id="") for one in live
    ]
