"""The attention calendar: what is foreseen is what comes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from hark.clock import moment
from hark.history.reader import open_snapshot
from hark.learn.calendar import Answered, Calendar, expectation
from hark.model import DAY, HOUR, SECOND, FactName
from hark.questions import ask
from hark.workspace import History
from tests.engine.world import START, World, sent

DEFINITIONS = """
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
---
sender: shop
address: "Shop <shop@shop.example>"
---
policy: attention
quiet_hours: {from: "21:00", to: "08:00", zone: UTC, fallback_zone: UTC}
caps: [{messages: 2, per: 6d, on_cap: skip}]
---
campaign: course
trigger: {event: Signed Up}
goal: {event: Bought, within: 14d}
control: 30%
topic: news
steps:
  - send: {channel: email, template: hello}
  - wait: {for: 3d}
  - send: {channel: email, template: hello}
  - wait: {for: 4d}
  - send: {channel: email, template: hello}
---
campaign: weekly
trigger: {schedule: {cron: "0 9 * * MON", zone: UTC}}
goal: {event: Bought, within: 5d}
control: none
why: a test
topic: news
reenter: always
steps: [{send: {channel: email, template: hello}}]
---
campaign: sale
trigger: {broadcast: {at: "2026-01-08T20:00", zone: UTC, spread: 6h}}
goal: {event: Bought, within: 5d}
control: none
why: a test
topic: news
steps: [{send: {channel: email, template: hello}}]
"""
PEOPLE = 14


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Fourteen people signed up over four days; it is the fifth, a Monday."""
    world = World(tmp_path_factory.mktemp("calendar"))
    world.define(DEFINITIONS)
    engine = world.engine(sent)
    for number in range(PEOPLE):
        world.clock.at = START + number * 6 * HOUR
        world.identify(f"u{number}", email=f"u{number}@example.com")
        world.track(f"u{number}", "Signed Up")
        while engine.tick():
            pass
    world.clock.at = START + 4 * DAY
    while engine.tick():
        pass
    engine.close()
    return world


def asked(world: World) -> Calendar:
    return msgspec.convert(ask(world.data, {"calendar": {}}, world.clock), Calendar)


def test_what_is_known_is_what_comes(world: World) -> None:
    """If nobody does anything for two weeks, the engine sends on each day exactly what the calendar had said,
    campaign by campaign, with caps, quiet hours, controls and the spread of a broadcast; and what it had
    called colliding collides."""
    foreseen, now = asked(world), world.clock.now()
    lives_on(world, START + 18 * DAY)
    facts = open_snapshot(world.data, world.reader).events([FactName.MESSAGE_SENDING], facts=True)
    came = [one for one in facts if one.at > now]
    by_day: dict[str, Counter[str]] = {}
    for one in came:
        campaign = msgspec.json.decode(one.properties)["campaign"]
        by_day.setdefault(f"{moment(one.at):%Y-%m-%d}", Counter())[campaign] += 1
    assert {one.day: Counter(one.known) for one in foreseen.days if one.known} == by_day
    assert len(by_day) > 5 and {"course", "weekly", "sale"} == set().union(*by_day.values())
    assert sum(one.customers for one in foreseen.often) == len({one.subject for one in came})
    assert foreseen.withheld["cap"] > 0 and foreseen.every == 1
    told = {(pair.one, pair.other): pair.customers for pair in foreseen.pairs}
    assert told == _close(came)


def lives_on(world: World, until: int) -> None:
    """The engine at every moment at which something is due."""
    engine = world.engine(sent)
    while (due := next_due(world)) < until:
        world.clock.at = max(due, world.clock.at + SECOND)
        while engine.tick():
            pass
    engine.close()


def next_due(world: World) -> int:
    timers = [one.due for one in world.reader.records() if one.due is not None]
    waiting = [one.due_at for one in world.reader.outbox() if one.state == "wanted"]
    return min([*timers, *waiting], default=START + 99 * DAY)


def _close(came: list) -> dict[tuple[str, str], int]:  # type: ignore[type-arg]
    """By pair of campaigns, customers with messages of both within a day, by the plainest way."""
    who: dict[tuple[str, str], set[int]] = {}
    for one in came:
        for other in came:
            names = [msgspec.json.decode(fact.properties)["campaign"] for fact in (one, other)]
            if one.subject == other.subject and names[0] < names[1] and abs(one.at - other.at) <= DAY:
                who.setdefault((names[0], names[1]), set()).add(one.subject)
    return {names: len(subjects) for names, subjects in who.items()}


def test_python_and_the_question_agree(tmp_path: Path) -> None:
    """An empty workspace has an empty calendar, also from Python."""
    world = World(tmp_path)
    world.define(DEFINITIONS)
    world.engine(sent).catch_up()
    found = History(tmp_path).calendar(days=3)
    assert [one.known for one in found.days] == [{}, {}, {}]


def test_a_steady_rate_is_expected_to_go_on() -> None:
    """Two entries a day for four weeks, a message at once and one on the fourth day: two messages a day are
    expected until the second ones begin, and from then on four."""
    now, began = START + 28 * DAY, {"hello": START}
    entries = [START + number * DAY // 2 for number in range(56)]
    answered = [Answered("hello", at, at + lag) for at in entries for lag in (0, 3 * DAY) if at + lag < now]
    found = expectation(answered, began, {"hello": None}, now, 7, "UTC")
    assert [round(one["hello"], 1) for one in found] == [2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0]


def test_nobody_is_expected_after_the_end() -> None:
    """A campaign that ends in a day and a half brings a day and a half of messages."""
    now = START + 28 * DAY
    answered = [Answered("hello", START + day * DAY, START + day * DAY) for day in range(28)]
    found = expectation(answered, {"hello": START}, {"hello": now + 36 * HOUR}, now, 3, "UTC")
    assert [round(one["hello"], 2) for one in found] == [1.0, 0.5, 0.0]
