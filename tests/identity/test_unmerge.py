"""What an undone merge gives back, and what it does not."""

from __future__ import annotations

import json

import pytest

from hark.history.reader import open_snapshot
from hark.model import DAY, HOUR, FactName, Lane, Record
from hark.replay import replay
from tests.engine.world import START, World

HELLO = """
topic: news
opt_in: single
---
campaign: hello
transactional: true
trigger: {event: A}
variants:
  one: {steps: [{wait: {for: 2d}}, {send: {channel: email, template: t}}]}
---
campaign: welcome
transactional: true
trigger: {event: B}
variants:
  one: {send: {channel: email, template: t}}
---
template: t
channel: email
subject: Hello
text: Hello
---
segment: buyers
where: {did: {event: A, times: {gte: 2}}}
"""


@pytest.fixture
def two(world: World) -> World:
    """Ada, first seen, and a visitor, each with an address and a history; an hour later they are one."""
    world.define(HELLO)
    world.identify("ada", email="ada@x.example", plan="pro")
    world.post("identify", anonymousId="x", traits={"email": "x@x.example", "plan": "free"})
    world.post("track", anonymousId="x", event="A")
    world.post("track", anonymousId="x", event="B")
    world.catch_up()
    world.clock.at += HOUR
    world.identify("ada", "x")
    world.post("track", anonymousId="x", event="A")
    world.track("ada", "C")
    world.catch_up()
    return world


def unmerge(world: World, merge: int = 1) -> None:
    world.clock.at += HOUR
    world.post("command", Lane.URGENT, name="unmerge", merge=merge, author="ada", note="two people")
    world.catch_up()


def record(world: World, id: str) -> Record:
    found = world.reader.record(world.reader.find(id) or 0)
    assert found is not None
    return found


def names(world: World, id: str) -> list[str]:
    snapshot = open_snapshot(world.data, world.reader)
    return [one.name for one in snapshot.subject_events(world.reader.find(id) or 0) if one.source == "shop"]


def test_ids_events_and_traits_go_back(two: World) -> None:
    """Each has again what its own ids brought, before the merge and since, and its own key."""
    merged = record(two, "x")
    assert (merged.subject, merged.traits["plan"].value, "buyers" in merged.members) == (1, "free", True)
    unmerge(two)
    assert (two.reader.find("ada"), two.reader.find("x")) == (1, 2)
    assert names(two, "ada") == ["Identify", "Identify", "C"]
    assert names(two, "x") == ["Identify", "A", "B", "A"]
    ada, visitor = record(two, "ada"), record(two, "x")
    assert (ada.traits["plan"].value, visitor.traits["plan"].value) == ("pro", "free")
    assert (ada.key, visitor.key, visitor.first_seen) == ("u:ada", "a:x", START)
    assert ("buyers" in ada.members, "buyers" in visitor.members) == (False, True)


def test_runs_and_messages_go_back(two: World) -> None:
    """The visitor's run goes on as the visitor's, its message and those that waited are the visitor's."""
    assert [(one.campaign, one.subject) for one in two.reader.outbox()] == [("welcome", 1)]
    unmerge(two)
    assert [one.campaign for one in record(two, "x").runs] == ["hello", "welcome"]
    assert record(two, "ada").runs == [] and record(two, "ada").sends == []
    two.clock.at += 2 * DAY
    two.catch_up()
    assert {(one.campaign, one.subject) for one in two.reader.outbox()} == {("welcome", 2), ("hello", 2)}
    assert {one.campaign: one.arm for one in record(two, "x").exposures} == {"hello": "one", "welcome": "one"}
    assert record(two, "ada").exposures == []


def test_an_undo_starts_no_run(two: World) -> None:
    """Who is found inside a segment by it has not entered it as a live change."""
    unmerge(two)
    facts = [
        one for one in two.events() if one.name == FactName.SEGMENT_ENTERED and one.instant > START + HOUR
    ]
    assert [json.loads(one.properties).get("imported") for one in facts] == [True]
    assert [one for one in two.names() if one == "Campaign Entered"] == ["Campaign Entered"] * 2


def test_answers_go_back(two: World) -> None:
    """As one the more restrictive answer holds; apart each has given only its own."""
    two.post("track", userId="ada", event="Subscription Requested", properties={"topic": "news"})
    two.post("track", anonymousId="y", event="Unsubscribed", properties={"topic": "news"})
    two.identify("ada", "y")
    two.catch_up()
    assert record(two, "ada").consents["news/email"].state == "out"
    unmerge(two, 2)
    assert record(two, "ada").consents["news/email"].state == "in"
    assert record(two, "y").consents["news/*"].state == "out"


def test_they_stay_apart(two: World) -> None:
    """The same identify merges them no more: the device follows the user. A secret key's alias does."""
    unmerge(two)
    two.identify("ada", "x")
    two.track("ada", "C")
    two.catch_up()
    assert len(two.reader.merges()) == 2 and two.reader.find("x") == 1
    assert names(two, "#2") == ["Identify", "A", "B", "A"]


def test_the_same_undo_again_is_refused_by_name(two: World) -> None:
    """A merge that is undone, or was never, changes nothing and stands among the problems."""
    unmerge(two)
    unmerge(two)
    unmerge(two, 77)
    assert [one.reason for one in two.reader.problems()] == ["unmerge.unknown"] * 2
    assert len(two.reader.merges()) == 2


@pytest.mark.parametrize(("kind", "merged"), [("alias", 0), ("alias+secret", 1)])
def test_two_users_are_merged_by_a_secret_key_only(world: World, kind: str, merged: int) -> None:
    """A public key's alias of two identified customers is left out and named; a secret key's merges them."""
    world.track("ada", "A")
    world.track("ada.old", "A")
    world.post(kind, userId="ada", previousId="ada.old")
    world.catch_up()
    assert len(world.reader.merges()) == merged
    assert [one.reason for one in world.reader.problems()] == ["alias.needs_secret_key"] * (1 - merged)


def test_a_replay_sees_two_who_were_never_one(two: World) -> None:
    """The decisions of a replay after the undo are those of a world in which nobody was merged."""
    unmerge(two)
    found = replay(open_snapshot(two.data, two.reader), two.reader.documents(), key=two.reader.key)
    entered = {(one.subject, one.name) for one in found.facts if one.name == FactName.CAMPAIGN_ENTERED}
    assert entered == {(2, FactName.CAMPAIGN_ENTERED)}


def test_addresses_find_and_merge_nobody(world: World) -> None:
    """Two customers with one address are two; each of their own ids leads to one of them."""
    world.identify("ada", email="Home@x.example", phone="+44 (20) 1234")
    world.identify("bob", email="home@X.example")
    world.post("track", userId="bob", event="A", context={"device": {"token": "t1"}})
    world.catch_up()
    assert world.reader.merges() == []
    assert world.reader.find_all("HOME@x.example") == [1, 2] and world.reader.find("home@x.example") is None
    assert (world.reader.find("+44201234"), world.reader.find("t1")) == (1, 2)
