"""Campaigns that start at a time, in the engine: for who is known when they are defined, and who comes."""

import pytest

from hark.model import DAY, HOUR
from tests.engine.world import START, World

WEEKLY = """
campaign: weekly
trigger: {schedule: {cron: "0 9 * * *", zone: UTC}}
goal: {event: Read, within: 7d}
control: none
why: a test
topic: news
reenter: always
steps: [{send: {template: hello, channel: email}}]
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def entered(world: World) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for event in world.events():
        if event.name == "Campaign Entered":
            found.setdefault(event.subject, []).append((event.at - START) / HOUR)
    return found


def test_everybody_starts_who_is_known_and_who_comes(world: World) -> None:
    """A new schedule starts for customers of before, of whom no record need have been kept, and for those who
    come after it; each at the nominal moment though the engine looked later."""
    world.identify("ada", email="ada@shop.example")
    world.track("bob", "Looked")
    world.catch_up()
    world.define(WEEKLY)
    world.clock.at += 10 * HOUR
    world.identify("cy", email="cy@shop.example")
    world.catch_up()
    world.clock.at += DAY
    world.catch_up()
    ada, bob, cy = (world.reader.find(user) for user in ("ada", "bob", "cy"))
    assert entered(world) == {ada: [9, 33], cy: [33]}
    refused = [event.subject for event in world.events() if event.name == "Not Eligible"]
    assert refused == [bob, bob]


def test_a_changed_schedule_starts_at_its_own_moments_only(world: World) -> None:
    """From the new version on the old moments start nobody."""
    world.identify("ada", email="ada@shop.example")
    world.define(WEEKLY)
    world.catch_up()
    world.define(WEEKLY.replace("0 9", "30 7"))
    world.clock.at += DAY
    world.catch_up()
    assert entered(world) == {world.reader.find("ada"): [7.5]}


BROADCAST = WEEKLY.replace(
    '{schedule: {cron: "0 9 * * *", zone: UTC}}', '{broadcast: {at: "2026-01-02T09:00"}}'
)
POLICY = """
policy: attention
quiet_hours: {from: "22:00", to: "07:00", fallback_zone: ZONE}
"""


@pytest.mark.parametrize(("zone", "at"), [("Asia/Tokyo", 24), ("America/New_York", 38)])
def test_another_zone_for_those_whose_own_is_not_known_loses_nobody(world: World, zone: str, at: int) -> None:
    """A broadcast at nine on their clocks: at nine of the zone that stands in for theirs by then, be it
    earlier or later than the one before."""
    world.identify("ada", email="ada@shop.example")
    world.define(BROADCAST + "---" + POLICY.replace("ZONE", "Europe/London"))
    world.catch_up()
    world.clock.at += HOUR
    world.define(POLICY.replace("ZONE", zone))
    world.catch_up()
    world.clock.at += 2 * DAY
    world.catch_up()
    assert entered(world) == {world.reader.find("ada"): [at]}
