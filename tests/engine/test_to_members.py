"""What a group's campaign says to members: who is meant, whose rules hold it back, and once to each."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import hark
from hark.clock import unit_hash
from hark.engine import groups
from hark.errors import HarkError
from hark.history.reader import open_snapshot
from hark.model import DAY, HOUR, MINUTE, Event, Kind, Lane
from hark.replay import replay
from tests.engine.test_group_segments import DOINGS, MILLISECOND, Groups
from tests.engine.world import World, sent

HEAD = """
topic: news
default: in
---
template: hello
channel: email
subject: Hello {{ customer.first_name }} of {{ group.name }}
text: Hello
---
"""
WELCOME = (
    HEAD
    + """
campaign: welcome
subject: {group: account}
trigger: {event: Paid}
goal: {event: Used, within: 7d}
exit: [goal]
control: none
why: the story is of those treated
topic: news
steps:
  - id: admins
    send: {channel: email, template: hello, to: {trait: {role: admin}}, with: {percent: 10}}
  - wait: {for: 1d}
  - id: all
    send: {channel: email, template: hello, to: members}
"""
)


def joins(world: World, user: str, group: str = "acme", **traits: Any) -> None:
    world.identify(user, **{"email": f"{user}@acme.example", **traits})
    world.post("group", userId=user, groupId=group, traits={"name": "Acme"})


def pays(world: World, user: str, group: str = "acme", **more: Any) -> None:
    around = {"groupId": group}
    world.post("track", userId=user, event="Paid", properties={"plan": "pro"}, context=around, **more)


def works(world: World) -> None:
    engine = world.engine(sent)
    while engine.tick() or engine._messages.in_flight:
        pass
    engine.close()
    assert world.reader.problems() == []


def went(world: World) -> list[tuple[str, str]]:
    """(address, step) of what was handed to the provider, in order."""
    rows = (row for row in world.reader.outbox() if row.state == "sent")
    return sorted((row.content["to"], row.content["step"]) for row in rows)


def history(world: World, who: str) -> list[Event]:
    return open_snapshot(world.data, world.reader).subject_events(world.reader.find(who) or 0)


def held(world: World, who: str) -> list[str]:
    """Why messages were withheld, by somebody's history."""
    return [
        json.loads(one.properties)["reason"] for one in history(world, who) if one.name == "Message Withheld"
    ]


def test_a_groups_message_goes_to_the_members_meant(world: World) -> None:
    """First to admins, later to all, each once, with the account's words; the account's history has the
    outcomes, and nobody's address."""
    world.define(WELCOME)
    joins(world, "ada", role="admin", first_name="Ada")
    joins(world, "bob", role="user")
    joins(world, "zoe", group="other", role="admin")
    pays(world, "bob")
    works(world)
    assert went(world) == [("ada@acme.example", "admins")]
    [row] = world.reader.outbox()
    assert row.content["group"] == {"name": "Acme", "id": "acme"}
    assert (row.content["event"], row.content["data"]) == ({"plan": "pro"}, {"percent": 10})
    world.clock.at += DAY + HOUR
    joins(world, "cy")
    works(world)
    assert Counter(went(world)) == {
        ("ada@acme.example", "admins"): 1,
        ("ada@acme.example", "all"): 1,
        ("bob@acme.example", "all"): 1,
    }, "who joined after it was said is not asked"
    of_group = [one for one in history(world, "account:acme") if one.kind == Kind.FACT]
    assert Counter(one.name for one in of_group) == {
        "Campaign Entered": 1,
        "Members Addressed": 2,
        "Message Sent": 3,
        "Campaign Exited": 1,
    }
    why = [one.sentence for one in hark.open(world.data).why("acme") if one.event == "Message Sent"]
    with pytest.raises(HarkError, match="welcome is not about such as ada"):
        hark.open(world.data).why_not("ada", "welcome")
    assert why[0] == "the message hello of welcome to the member #1 was accepted by the provider"
    assert not any(b"acme.example" in one.properties for one in of_group)
    assert all(b"of_group" in one.properties for one in history(world, "ada") if one.name == "Message Sent")


def test_each_members_own_rules_are_asked(world: World) -> None:
    """Consent, an address, suppression and the cap are the member's; two are left of five."""
    world.define(WELCOME + "---\npolicy: attention\ncaps: [{messages: 1, per: 7d}]\n")
    for user in ("ada", "bob", "cy", "dan", "eve"):
        joins(world, user, role="admin")
    world.identify("bob", email="")
    works(world)
    world.unsubscribe("cy")
    world.post("command", lane=Lane.URGENT, name="suppress", customer="dan", author="t")
    works(world)
    pays(world, "ada")
    works(world)
    assert went(world) == [("ada@acme.example", "admins"), ("eve@acme.example", "admins")]
    assert [held(world, one) for one in ("bob", "cy", "dan")] == [
        ["not_reachable"],
        ["no_consent"],
        ["suppressed"],
    ]
    world.clock.at += DAY + HOUR
    works(world)
    assert held(world, "ada") == ["cap"] and len(went(world)) == 2
    assert Counter(held(world, "account:acme")) == {
        "not_reachable": 2,
        "no_consent": 2,
        "suppressed": 2,
        "cap": 2,
    }


def test_who_is_left_alone_by_everything_is_not_written_to(world: World) -> None:
    """The global control is the member's, our own people are never meant, and of an account in the campaign's
    control nobody hears anything."""
    alone = "---\npolicy: attention\nglobal_control: {share: 50%}\n"
    world.define(f"{WELCOME}{alone}---\npolicy: internal\nwhere: {{trait: {{staff: true}}}}\n")
    for number in range(12):
        joins(world, f"u{number}", role="admin", staff=number == 0)
    pays(world, "u1")
    works(world)
    left = [f"u{n}" for n in range(1, 12) if unit_hash("global", f"u:u{n}") < 0.5]
    assert 0 < len(left) < 11
    assert [to for to, _ in went(world)] == sorted(
        f"u{n}@acme.example" for n in range(1, 12) if f"u{n}" not in left
    )
    assert all(held(world, one) == ["global_control"] for one in left) and held(world, "u0") == []


def test_an_account_in_the_control_says_nothing(world: World) -> None:
    """The send is withheld in the account's history, and no member hears of it."""
    world.define(WELCOME.replace("control: none\nwhy: the story is of those treated", "control: 50%"))
    group = next(
        n for n in map(str, range(99)) if unit_hash("campaign/welcome/control", f"g:account:{n}") < 0.5
    )
    joins(world, "ada", group=group, role="admin")
    pays(world, "ada", group=group)
    works(world)
    world.clock.at += 2 * DAY
    works(world)
    assert held(world, f"account:{group}") == ["control", "control"]
    assert world.reader.outbox() == []
    assert "Group Message" not in {one.name for one in history(world, "ada")}


def test_the_accounts_goal_ends_what_waits(world: World) -> None:
    """A message that waits for the end of quiet hours does not go once the account has reached the goal."""
    quiet = (
        '---\npolicy: attention\nquiet_hours: {from: "00:00", to: "08:00", zone: UTC, fallback_zone: UTC}\n'
    )
    world.define(WELCOME + quiet)
    joins(world, "ada", role="admin")
    joins(world, "bob")
    pays(world, "bob")
    works(world)
    world.post("track", userId="bob", event="Used", context={"groupId": "acme"})
    works(world)
    for passes in (8 * HOUR, 12 * MINUTE):
        world.clock.at += passes
        works(world)
    assert went(world) == [] and held(world, "ada") == ["exited"]


def test_one_person_gets_one_message(world: World) -> None:
    """Two ids of one account that have turned out to be one person are asked once."""
    world.define(WELCOME)
    joins(world, "ada", role="admin")
    world.post("group", anonymousId="x", groupId="acme", traits={})
    world.identify("ada", anonymous="x")
    pays(world, "ada")
    works(world)
    assert went(world) == [("ada@acme.example", "admins")]
    assert [one.name for one in history(world, "ada")].count("Group Message") == 1


def test_a_large_account_is_told_over_many_ticks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some members a tick, and over a crash; who does something before their turn is asked before it."""
    world.define(WELCOME)
    for number in range(7):
        joins(world, f"u{number}", role="admin")
    world.catch_up()
    pays(world, "u0")
    engine = world.engine(sent)
    monkeypatch.setattr(groups.Groups.advance, "__defaults__", (2,))
    engine.tick()
    engine.abort()
    world.track("u6", "Anything")
    works(world)
    assert [to for to, _ in went(world)] == [f"u{number}@acme.example" for number in range(7)]


ALL = (
    HEAD
    + """
campaign: told
subject: {group: account}
trigger: {event: A, where: {n: {gte: 2}}}
key: event.n
reenter: always
goal: {event: B, within: 3d}
control: 30%
topic: news
variants:
  one:
    steps:
      - send: {channel: email, template: hello, to: {did: {event: B, within: 2d}}}
      - wait: {for: 1d}
      - send: {channel: email, template: hello, to: members}
  two:
    steps:
      - wait: {until: {event: B}, for: 12h}
      - branch:
          - when: {trait: {employees: {gte: 50}}}
            steps: [{send: {channels: [sms, email], template: {sms: text, email: hello}, to: members}}]
---
campaign: wakes
subject: {group: account}
trigger: {enters: quiet}
reenter: always
goal: {event: A, within: 2d}
control: none
why: everybody
topic: other
steps: [{send: {channel: email, template: hello, to: {in_segment: busy}}}]
---
campaign: daily
subject: {group: household}
trigger: {schedule: {cron: "30 */7 * * *", zone: UTC}}
reenter: always
goal: {event: B, within: 1d}
control: 50%
topic: news
steps: [{send: {channel: email, template: hello, to: members}}]
---
segment: quiet
subject: {group: account}
where: {did_not: {event: A, within: 1d}}
---
segment: busy
where: {did: {event: A, within: 30h}}
---
topic: other
---
template: text
channel: sms
text: Hello
"""
)
WRITTEN = ("Members Addressed", "Message Wanted", "Message Withheld", "Campaign Entered", "Segment Entered")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DOINGS.filter(lambda one: one[0] not in ("merge", "define")), max_size=16))
@example(
    [
        ("did", "a", "account:acme", "A", 2),
        ("did", "b", "account:acme", "B", 3),
        ("did", "a", "household:acme", "A", 0),
        ("did", "b", "account:bolt", "A", 3),
        ("is", "b", "account:bolt", 60),
        ("later", DAY + MILLISECOND),
        ("did", "x", "account:acme", "B", 2),
        ("later", 2 * DAY),
        ("did", "x", "account:bolt", "A", 3),
    ]
)
def test_a_replay_writes_to_members_as_it_was_live(doings: list[Any]) -> None:
    """Random calls of members of several groups, clock steps and seals: the same messages are wanted and held
    back at the same moments, each one's once, and none of an account in the control."""
    with TemporaryDirectory() as folder:
        town = Groups(Path(folder), ALL, sent)
        for user in "ab":
            town.world.identify(user, email=f"{user}@x.example")
        town.settle()
        for doing in doings:
            town.does(doing)
            town.settle()
        town.engine.close()
        reader = town.world.reader
        assert reader.problems() == []
        snapshot = open_snapshot(town.world.data, reader)
        live = written([*snapshot.events(facts=True), *snapshot.of_groups().events(facts=True)])
        again = written(replay(snapshot, reader.documents(), until=town.world.clock.at, key=reader.key).facts)
        assert again == live
        assert max(live.values(), default=1) == 1
        wanted = [json.loads(said) for _, name, _, said in live if name == "Message Wanted"]
        assert all(one["arm"] != "control" for one in wanted)
        assert len({one["message"] for one in wanted}) == len(wanted)
        town.world.log.close()


def written(facts: list[Event]) -> Counter[tuple[int, str, int, bytes]]:
    return Counter((one.subject, one.name, one.at, one.properties) for one in facts if one.name in WRITTEN)
