"""Arms by account in the engine: who belonged to it before the campaign was there, and who joins later."""

from __future__ import annotations

import json

from hark.model import FactName
from tests.engine.world import World

CAMPAIGN = """
campaign: seats
trigger: {event: Signed Up}
goal: {event: Bought, within: 7d}
control: 50%
assign_by: account
topic: news
steps: [{send: {channel: email, template: hello}}]
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def test_members_have_one_arm_whenever_they_joined(world: World) -> None:
    """Two who belonged to the account before the campaign was defined, filled in from the history, and one
    who joins afterwards are drawn by the account's key and have one arm."""
    for user in ("ada", "bea"):
        world.post("group", userId=user, groupId="acme", traits={})
    world.catch_up()
    world.define(CAMPAIGN)
    world.catch_up()
    world.post("group", userId="cleo", groupId="acme", traits={})
    for user in ("ada", "bea", "cleo"):
        world.identify(user, email=f"{user}@shop.example")
        world.track(user, "Signed Up")
    world.catch_up()
    entered = [one for one in world.events() if one.name == FactName.CAMPAIGN_ENTERED]
    said = [json.loads(one.properties) for one in entered]
    assert [one["assignment_key"] for one in said] == ["g:account:acme"] * 3
    assert len({one["arm"] for one in said}) == 1
