"""Runs on their way, moved to another version or standing still: by inputs of the log, told by histories."""

from __future__ import annotations

import json

import pytest

from hark.model import DAY, Event, FactName, Lane
from hark.questions import ask
from tests.engine.world import START, World, sent

NEWS = """
campaign: news
trigger: {event: Signed Up}
goal: {event: Bought, within: 7d}
control: none
why: a test
topic: news
steps: [{wait: {for: SPAN}, id: pause}, {send: {channel: email, template: hello}}]
---
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
"""


def news(span: str, paused: str = "") -> str:
    text = NEWS.replace("SPAN", span)
    return text.replace("why: a test", f"why: a test\npaused: {paused}") if paused else text


@pytest.fixture
def begun(world: World) -> World:
    """Three customers on the way for a day in version 1, and one who only looked."""
    world.define(news("2d"))
    world.catch_up()
    for user in ("ada", "bea", "cleo"):
        world.identify(user, email=f"{user}@shop.example")
        world.track(user, "Signed Up")
    world.track("dora", "Looked")
    world.catch_up()
    world.clock.at = START + DAY
    return world


def facts(world: World, name: FactName) -> list[tuple[Event, dict[str, object]]]:
    return [(one, json.loads(one.properties)) for one in world.events() if one.name == name]


def test_a_migration_moves_who_is_on_the_way(begun: World) -> None:
    """The preview counts three; the command moves these, each history says it, and each is written to once,
    at the time of the new version."""
    begun.define(news("3d"))
    begun.catch_up()
    asked = {"migration": {"campaign": "news"}}
    found = ask(begun.data, asked, begun.clock)
    assert (found["to"], found["moves"], found["stays"]) == (2, 3, 0)
    begun.post("command", Lane.URGENT, name="migrate", campaign="news", to=2, author="ada")
    begun.engine(sent).catch_up()
    assert [said["to"] for _, said in facts(begun, FactName.CAMPAIGN_MIGRATED)] == [2, 2, 2]
    assert ask(begun.data, asked, begun.clock)["groups"] == []
    begun.clock.at = START + 4 * DAY
    begun.catch_up()
    assert [one.at for one, _ in facts(begun, FactName.MESSAGE_WANTED)] == [START + 3 * DAY] * 3


def test_a_migration_to_a_version_that_there_is_not(begun: World) -> None:
    """It is written to the problems, and nothing is moved."""
    begun.post("command", Lane.URGENT, name="migrate", campaign="news", to=7, author="ada")
    begun.catch_up()
    assert begun.reader.problems()[0].reason == "campaign.version"
    assert facts(begun, FactName.CAMPAIGN_MIGRATED) == []


def test_a_pause_lets_everybody_stand_still_and_go_on(begun: World) -> None:
    """Paused with a day to wait and started two days later, messages are wanted a day after that."""
    begun.define(news("2d", "{timers: keep}"))
    begun.catch_up()
    begun.clock.at = START + 3 * DAY
    begun.catch_up()
    assert facts(begun, FactName.MESSAGE_WANTED) == []
    begun.define(news("2d"))
    begun.catch_up()
    begun.clock.at = START + 5 * DAY
    begun.catch_up()
    assert [one.at for one, _ in facts(begun, FactName.MESSAGE_WANTED)] == [START + 4 * DAY] * 3
    assert len(facts(begun, FactName.CAMPAIGN_PAUSED)) == len(facts(begun, FactName.CAMPAIGN_RESUMED)) == 3
