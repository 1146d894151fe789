"""Campaigns of groups: an account enters, is drawn and reaches its goal as one, whoever of it acts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import hark
from hark.clock import unit_hash
from hark.decide.backtest.run import Span, backtest, plans_of
from hark.definitions.parse import definition, parse
from hark.history.reader import Snapshot, open_snapshot
from hark.model import DAY, HOUR, Event, Kind
from hark.questions import ask
from hark.replay import replay
from hark.store.state_reader import StateReader
from tests.engine.test_group_segments import DOINGS, MILLISECOND, Groups
from tests.engine.world import World, sent

Entered = Counter[tuple[int, int, bool]]
"""(account, when, whether it reached the goal)."""
GROW = """
campaign: grow
subject: {group: account}
trigger: {enters: growing}
audience: {trait: {plan: {ne: enterprise}}}
goal: {event: Upgraded, within: 14d, value: seats}
control: 50%
exit: [goal]
steps:
  - task: {for: sales, says: "Call {{ group.name }} about {{ group.id }}"}
  - wait: {until: {event: Demo Booked}, for: 2d}
  - webhook: {sender: crm, body: {account: {ref: group.name}}}
  - update: {traits: {asked: now}}
---
segment: growing
subject: {group: account}
where: {did: {event: Seat Added, times: {gte: 3}, within: 7d}}
---
sender: crm
channel: webhook
url: https://crm.example/in
secret_env: CRM
"""


def acts(world: World, user: str, event: str, group: str = "acme", **properties: Any) -> None:
    world.post("track", userId=user, event=event, properties=properties, context={"groupId": group})


def told(world: World, group: str = "account:acme") -> list[tuple[str, dict[str, Any]]]:
    """The facts of a group's history."""
    history = open_snapshot(world.data, world.reader).subject_events(world.reader.find(group) or 0)
    return [(one.name, json.loads(one.properties)) for one in history if one.kind == Kind.FACT]


def names(world: World, group: str = "account:acme") -> list[str]:
    return [name for name, _ in told(world, group) if not name.startswith("Segment")]


def account_in(arm: str) -> str:
    """An account that the hash puts into the arm, by the documented rule."""
    control = (
        one for one in map(str, range(99)) if unit_hash("campaign/grow/control", f"g:account:{one}") < 0.5
    )
    treated = (
        one for one in map(str, range(99)) if unit_hash("campaign/grow/control", f"g:account:{one}") >= 0.5
    )
    return next(control if arm == "control" else treated)


def grows(world: World, group: str) -> None:
    """Three members, one seat each."""
    world.post("group", userId="ada", groupId=group, traits={"name": "Acme", "plan": "team"})
    for user in ("ada", "bob", "cy"):
        acts(world, user, "Seat Added", group)


def works(world: World, deliver: Any = sent) -> None:
    engine = world.engine(deliver)
    while engine.tick() or engine._messages.in_flight:
        pass
    engine.close()


def test_an_account_goes_through_its_campaign_as_one(world: World) -> None:
    """Three members together set it off; the team is asked, a CRM told, and the goal is the account's."""
    group = account_in("treated")
    world.define(GROW)
    world.catch_up()
    grows(world, group)
    works(world)
    world.clock.at += 2 * DAY + HOUR
    works(world)
    acts(world, "dan", "Upgraded", group, seats=40)
    acts(world, "ada", "Upgraded", group, seats=40)
    works(world)
    assert names(world, f"account:{group}") == [
        "Campaign Entered",
        "Message Wanted",
        "Message Sending",
        "Message Sent",
        "Message Wanted",
        "Traits Updated",
        "Campaign Exited",
        "Message Sending",
        "Message Sent",
        "Goal Reached",
        "Goal Reached",
    ]
    facts = told(world, f"account:{group}")
    assert [said["first"] for name, said in facts if name == "Goal Reached"] == [True, False]
    [entered] = [said for name, said in facts if name == "Campaign Entered"]
    assert (entered["assignment_key"], entered["arm"]) == (f"g:account:{group}", "treatment")
    task, call = world.reader.outbox()[::-1]
    assert (task.channel, call.channel) == ("task", "webhook")
    assert call.content["body"] == {"account": "Acme"}
    for user in ("ada", "bob", "cy", "dan"):
        record = world.reader.record(world.reader.find(user) or 0)
        assert record is None or not (record.runs or record.sends), "nothing of it is the member's"


def test_an_account_left_alone_walks_in_shadow(world: World) -> None:
    """In the control nothing leaves and no trait changes, and the goal counts all the same."""
    group = account_in("control")
    world.define(GROW)
    world.catch_up()
    grows(world, group)
    world.clock.at += 3 * DAY
    works(world)
    acts(world, "bob", "Upgraded", group)
    works(world)
    assert names(world, f"account:{group}") == [
        "Campaign Entered",
        "Message Withheld",
        "Message Withheld",
        "Campaign Exited",
        "Goal Reached",
    ]
    assert world.reader.outbox() == []
    record = world.reader.record(world.reader.find(f"account:{group}") or 0)
    assert record is not None and "asked" not in record.traits


ALL = """
campaign: seat
subject: {group: account}
trigger: {event: A, where: {n: {gte: 2}}}
key: event.n
reenter: always
goal: {event: B, where: {n: {ref: event.n}}, within: 3d}
also: [{when: {did_not: {event: A, since: entry}}, within: 1d}]
control: 50%
variants:
  one:
    steps:
      - task: {for: sales, says: Call}
      - wait: {until: {event: B}, for: 2d}
      - branch:
          - when: {trait: {employees: {gte: 50}}}
            steps: [{webhook: {sender: crm}}]
          - otherwise: [{exit: too small}]
  two:
    steps:
      - wait: {at: "09:00", zone: UTC}
      - split:
          left: {steps: [{update: {traits: {employees: 99}}}]}
          right: {weight: 2, steps: [{task: {for: ops, says: "{{ group.id }}"}}]}
---
campaign: woken
subject: {group: account}
trigger: {enters: quiet}
reenter: {after: 1d}
goal: {event: A, within: 2d}
control: 50%
exit: [goal, {leaves: quiet}]
steps: [{wait: {for: 1h}}, {task: {for: sales, says: Wake}}]
---
campaign: weekly
subject: {group: household}
trigger: {schedule: {cron: "0 9 * * *", zone: UTC}}
audience: {did: {event: A, within: 2d}}
reenter: always
goal: {event: B, within: 1d}
control: 50%
arm: per_entry
steps: [{webhook: {sender: crm}}]
---
segment: quiet
subject: {group: account}
where: {did_not: {event: A, within: 1d}}
---
sender: crm
channel: webhook
url: https://crm.example/in
secret_env: CRM
"""
DECIDED = {
    *("Campaign Entered", "Campaign Exited", "Goal Reached", "Not Eligible", "Split Entered"),
    *("Traits Updated", "Message Wanted", "Message Withheld", "Segment Entered", "Segment Left"),
}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DOINGS, max_size=16))
@example(
    [
        ("did", "a", "account:acme", "A", 2),
        ("did", "b", "account:bolt", "A", 3),
        ("is", "b", "account:acme", 60),
        ("later", DAY + MILLISECOND),
        ("merge", "a"),
        ("did", "x", "account:acme", "B", 2),
        ("did", "a", "household:acme", "A", 1),
        ("later", 2 * DAY),
        ("did", "a", "account:bolt", "A", 3),
    ]
)
def test_a_replay_decides_of_groups_what_was_decided_live(doings: list[Any]) -> None:
    """Random calls of members, merges, clock steps, seals: the same facts at the same moments. A group
    has one arm whoever acts, is never acted on in the control, and reaches a goal for the first time once."""
    with TemporaryDirectory() as folder:
        town = Groups(Path(folder), ALL, sent)
        town.settle()
        for doing in doings:
            town.does(doing)
            town.settle()
        town.engine.close()
        reader = town.world.reader
        snapshot = open_snapshot(town.world.data, reader)
        live = [one for one in snapshot.of_groups().events(facts=True) if one.kind == Kind.FACT]
        again = replay(snapshot, reader.documents(), until=town.world.clock.at, key=reader.key).facts
        assert decided(again) == decided(live)
        kept_to(live)
        for name in ("seat", "woken"):
            asked = (snapshot, reader, name, town.world.clock.at)
            assert back_tested(*asked) == launched(*asked)
        town.world.log.close()


def decided(facts: list[Event]) -> Counter[tuple[int, str, int, bytes]]:
    return Counter((one.subject, one.name, one.at, one.properties) for one in facts if one.name in DECIDED)


def back_tested(snapshot: Snapshot, reader: StateReader, name: str, until: int) -> Entered:
    """By a back-test: which account would have entered when, and whether it reached the goal."""
    things = [(one, definition(one)) for one in reader.documents()]
    span = Span(None, None, until)
    parts = (snapshot.of_groups(), range(snapshot.buckets), plans_of(things, [], name, span), name, span)
    found = backtest(*parts, lambda subject: (reader.key(subject) or ("", 0))[0], group="account")
    return Counter((one.subject, one.at, one.goal) for one in found.entries)


def launched(
    snapshot: Snapshot, reader: StateReader, name: str, until: int
) -> Counter[tuple[int, int, bool]]:
    """The same by a replay of everything, in which the campaign leaves nobody alone."""
    documents = [
        msgspec.structs.replace(one, body={**one.body, "control": "none", "why": "as launched"})
        if one.name == name
        else one
        for one in reader.documents()
    ]
    facts = replay(snapshot, documents, until=until, key=reader.key).facts
    mine = [(one, said) for one in facts if (said := json.loads(one.properties)).get("campaign") == name]
    reached = {said["run"] for one, said in mine if one.name == "Goal Reached" and "also" not in said}
    entered = ((one, said["run"]) for one, said in mine if one.name == "Campaign Entered")
    return Counter((one.subject, one.at, run in reached) for one, run in entered)


def kept_to(facts: list[Event]) -> None:
    """What holds of arms, the control and goals."""
    arms, first = defaultdict(set), Counter[str]()
    for fact in facts:
        said = json.loads(fact.properties)
        if fact.name == "Campaign Entered" and said["campaign"] != "weekly":
            arms[fact.subject, said["campaign"]].add(said["arm"])
        first[said.get("run", "")] += fact.name == "Goal Reached" and said["first"] and "also" not in said
        acts = fact.name in ("Message Wanted", "Traits Updated", "Message Sent")
        assert not (acts and said["arm"] == "control")
    assert all(len(one) == 1 for one in arms.values())
    assert max(first.values(), default=0) <= 1


def test_a_groups_campaign_is_asked_about_and_told_why(world: World) -> None:
    """The report counts accounts, the journey their runs, and why speaks of the account, by its id alone."""
    world.define(GROW)
    world.catch_up()
    treated, alone = account_in("treated"), account_in("control")
    for group in (treated, alone):
        grows(world, group)
    works(world)
    acts(world, "ada", "Upgraded", alone, seats=3)
    world.clock.at += 16 * DAY
    works(world)

    found = ask(world.data, {"report": {"campaign": "grow"}}, world.clock)
    counts = {one["arm"]: (one["entered"], one["complete"], one["goals"]) for one in found["arms"]}
    assert counts == {"control": (1, 1, 1), "treatment": (1, 1, 0)}
    assert ask(world.data, {"reports": {}}, world.clock)["grow"]["arms"] == found["arms"]
    where = ask(world.data, {"journey": {"campaign": "grow"}}, world.clock)
    assert where["entered"] == {"control": 1, "treatment": 1}
    assert where["exits"] == {"finished": 1, "goal": 1}
    history = hark.open(world.data)
    assert {"Goal Reached", "Campaign Exited"} <= {one.event for one in history.why(alone, "grow")}
    standing = {one.asks: one for one in history.why_not(treated, "grow")}
    assert standing["already_entered"].holds is False


def test_a_back_test_of_a_groups_campaign(world: World) -> None:
    """Of three accounts two would have entered, one of them upgrades; households are not asked about."""
    for group in ("acme", "bolt"):
        grows(world, group)
    acts(world, "eve", "Seat Added", "coil")
    for _ in range(3):
        world.post("track", userId="eve", event="Seat Added", context={"groupId": "h", "groupType": "house"})
    world.clock.at += DAY
    acts(world, "bob", "Upgraded", "bolt")
    world.clock.at += 20 * DAY
    acts(world, "eve", "Seat Added", "coil")
    world.catch_up()
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(GROW)]
    found = ask(world.data, {"backtest": {"campaign": "grow", "documents": documents}}, world.clock)
    assert (found["entries"], found["complete"], found["base_rate"]["estimate"]) == (2, 2, 0.5)
    assert sorted(found["sample"]) == ["account:acme", "account:bolt"]
