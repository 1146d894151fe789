"""Segments of groups: who is inside, live and in the history, by what members did and what it is."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hark.definitions.parse import definition
from hark.definitions.resolve import resolved
from hark.definitions.types import Segment
from hark.engine import backfill
from hark.engine.handoff import Deliver
from hark.errors import HarkError
from hark.history.reader import open_snapshot
from hark.model import DAY, GROUPS, HOUR, Event, Instant, Kind, sequence
from hark.questions import ask
from hark.understand.segments import groups_at
from tests.engine.world import World

NOW = """
segment: used
subject: {group: account}
where: {did: {event: A, times: {gte: 2}, within: 2d}}
---
segment: quiet
subject: {group: account}
where: {did_not: {event: A, within: 1d}}
---
segment: large
subject: {group: account}
where: {trait: {employees: {gte: 50}}}
---
segment: at_home
subject: {group: household}
where: {did: A}
---
segment: person
where: {did: A}
---
"""
LATER = """
segment: spread
subject: {group: account}
where:
  any:
    - did: {event: A, days: {gte: 2}}
    - did: {event: A, within: 3d, sum: {of: n, gte: 4}}
---
segment: asleep
subject: {group: account}
where: {since_last: {event: A, gte: 2d}}
---
segment: onward
subject: {group: account}
where: {sequence: {steps: [B, {event: A, within: 1d}], within: 3d}}
---
segment: back
subject: {group: account}
where: {returned: {after_gap: 1d, within: 2d}}
---
segment: less
subject: {group: account}
where: {change: {event: A, measure: times, window: 2d, ratio: {lte: 0.5}}}
---
segment: large_and_quiet
subject: {group: account}
where: {all: [{in_segment: large}, {in_segment: quiet}]}
---
segment: at_home_later
subject: {group: household}
where: {did: {event: A, times: {gte: 2}}}
"""

USERS, WHICH = st.sampled_from("abx"), st.sampled_from(["account:acme", "account:bolt", "household:acme"])
MILLISECOND = 1_000
"""Due moments are rounded up to it: between two of them nothing is asked."""
DOINGS = st.one_of(
    st.tuples(st.just("did"), USERS, WHICH, st.sampled_from("AAB"), st.integers(0, 3)),
    st.tuples(st.just("did"), USERS, WHICH, st.sampled_from("AAB"), st.integers(0, 3)),
    st.tuples(st.just("is"), USERS, WHICH, st.sampled_from([10, 50, 60, "many"])),
    st.tuples(st.just("later"), st.sampled_from([HOUR, DAY, DAY + MILLISECOND, 2 * DAY])),
    st.tuples(st.just("merge"), st.sampled_from("ab")),
    st.tuples(st.just("tick")),
    st.tuples(st.just("seal")),
    st.tuples(st.just("define")),
)


class Groups:
    """A world, and beside it each group's events as the calls say them."""

    def __init__(self, folder: Path, defined: str = NOW, deliver: Deliver | None = None) -> None:
        self.world = World(folder)
        self.told: dict[str, list[Event]] = {}
        self.world.define(defined)
        self._deliver = deliver
        self.engine = self.world.engine(deliver)
        self.moments: list[Instant] = []

    def does(self, doing: tuple[Any, ...]) -> None:
        what, *rest = doing
        if what == "later":
            self.settle()
            self.moments.append(self.world.clock.at)
            self.world.clock.at += rest[0]
        elif what == "merge":
            self.world.identify(rest[0], "x")
        elif what == "define":
            self.world.define(LATER)
        elif what == "seal":
            self.settle()
            self.engine.close()
            self.world.engine(seal_events=1).catch_up()
            self.engine = self.world.engine(self._deliver)
        elif what == "tick":
            self.engine.tick()
        else:
            self.calls(what, *rest)

    def calls(self, what: str, user: str, group: str, *rest: Any) -> None:
        who: dict[str, Any] = {"anonymousId": user} if user == "x" else {"userId": user}
        kind, _, value = group.partition(":")
        if what == "is":
            name, traits = "Group", {"employees": rest[0]}
            row = self.world.post("group", **who, groupId=value, traits=traits, context={"groupType": kind})
        else:
            name, traits = rest[0], {"n": rest[1]}
            around = {"groupId": value, "groupType": kind}
            row = self.world.post("track", **who, event=name, properties=traits, context=around)
        call, at = Kind.GROUP if what == "is" else Kind.TRACK, self.world.clock.at
        mine = self.told.setdefault(group, [])
        raw = json.dumps(traits).encode()
        mine.append(Event(GROUPS, at, sequence(row, 0), name, call, "shop", "", at, at, at, True, raw))

    def settle(self) -> None:
        while self.engine.tick() or self.engine._messages.in_flight:
            pass

    def segments(self) -> list[Segment]:
        documents = [one for one in self.world.reader.documents() if one.kind == "segment"]
        typed = [definition(one, "UTC") for one in documents]
        return [one for one in resolved(typed, typed) if isinstance(one, Segment) and one.group]

    def meant(self, segment: Segment, at: Instant) -> set[str]:
        """By the pure meaning, from what was called."""
        known = {
            group: [one for one in events if one.at <= at]
            for group, events in self.told.items()
            if group.startswith(f"{segment.group}:")
        }
        return {group for group, events in known.items() if events and segment.where.holds(events, at)}

    def live(self, name: str) -> set[str]:
        reader = self.world.reader
        records = {group: reader.record(reader.find(group) or 0) for group in self.told}
        return {group for group, record in records.items() if record and name in record.members}

    def then(self, segment: Segment, at: Instant) -> set[str]:
        """From the history's columns."""
        reader = self.world.reader
        snapshot = open_snapshot(self.world.data, reader)
        inside = groups_at(snapshot, segment, at, reader.groups(segment.group))
        return {value for one in inside for kind, value in reader.ids(one) if kind == "group"}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DOINGS, max_size=14), st.booleans())
@example(
    [
        ("did", "a", "account:acme", "B", 1),
        ("did", "x", "account:acme", "A", 3),
        ("define",),
        ("did", "b", "account:acme", "A", 1),
        ("merge", "a"),
        ("later", DAY + MILLISECOND),
        ("did", "a", "account:acme", "A", 0),
    ],
    True,
)
def test_live_is_what_was_meant_and_what_the_columns_say(doings: list[Any], slowly: bool) -> None:
    """Random calls, merges of members, clock steps, seals, ticks and new definitions in between."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(backfill, "AT_ONCE", 1 if slowly else 2_000)
        town = Groups(Path(folder))
        for doing in doings:
            town.does(doing)
        town.settle()
        town.engine.close()
        now = town.world.clock.at
        for segment in town.segments():
            assert town.live(segment.name) == town.meant(segment, now), segment.name
            for at in {*town.moments, now}:
                assert town.then(segment, at) == town.meant(segment, at), (segment.name, at)
        assert all(one.subject < GROUPS for one in town.world.reader.records())
        town.world.log.close()


def of_group(world: World, user: str, event: str, **traits: Any) -> None:
    world.post(
        "track", userId=user, event=event, properties={}, context={"groupId": "acme", "traits": traits}
    )


def facts(world: World, group: str = "account:acme") -> list[tuple[str, Any, bool]]:
    """The segment facts of a group's history: (name, segment, whether it was filled in)."""
    history = open_snapshot(world.data, world.reader).subject_events(world.reader.find(group) or 0)
    found = [(one.name, json.loads(one.properties)) for one in history if one.kind == Kind.FACT]
    return [(name, said["segment"], said.get("backfill", False)) for name, said in found]


def test_entering_and_leaving_stand_in_the_groups_history(world: World) -> None:
    """Two members together do what the segment asks; a day later time alone lets the group into another."""
    world.define(NOW)
    of_group(world, "ada", "A")
    of_group(world, "bob", "A")
    world.catch_up()
    assert facts(world) == [("Segment Entered", "used", False)]
    ada = world.reader.record(world.reader.find("ada") or 0)
    assert ada is not None and list(ada.members) == ["person"], "its members are in no segment of groups"
    world.clock.at += DAY + HOUR
    world.catch_up()
    assert facts(world)[1:] == [("Segment Entered", "quiet", False)]
    of_group(world, "bob", "A")
    world.catch_up()
    assert facts(world)[2:] == [("Segment Left", "quiet", False)]


def test_what_members_say_of_themselves_is_no_trait_of_the_group(world: World) -> None:
    """An event's `context.traits` are the customer's, live and in columns."""
    world.define(NOW)
    of_group(world, "ada", "A", employees=60)
    world.catch_up()
    assert ask(world.data, {"segment": {"name": "large"}}, world.clock)["count"] == 0
    assert "large" not in [name for _, name, _ in facts(world)]
    world.post("group", userId="ada", groupId="acme", traits={"employees": 60})
    world.catch_up()
    assert ask(world.data, {"segment": {"name": "large"}}, world.clock)["sample"] == ["account:acme"]
    assert facts(world) == [("Segment Entered", "large", False)]


def test_the_past_is_filled_in(world: World) -> None:
    """Of a new segment: who fits already is inside, by a fact that says how."""
    of_group(world, "ada", "A")
    of_group(world, "ada", "A")
    world.catch_up()
    world.define(NOW)
    world.catch_up()
    assert facts(world) == [("Segment Entered", "used", True)]


def test_questions_about_a_segment_of_groups(world: World) -> None:
    """Count, list, size, overlap, preview and edit are of groups of its type, and mix with no customers."""
    world.define(NOW)
    for user in "abc":
        of_group(world, user, "A")
    world.post("track", userId="d", event="A", context={"groupId": "bolt"})
    world.post("track", userId="d", event="A", context={"groupId": "bolt", "groupType": "household"})
    world.catch_up()

    def asked(kind: str, **question: Any) -> Any:
        return ask(world.data, {kind: question}, world.clock)

    assert asked("segment", name="used") == {
        "count": 1,
        "sample": ["account:acme"],
        "sentence": "did A at least 2 times in the last 2 days",
        "group": "account",
    }
    listed = asked("segment_members", name="used")
    assert [one["customer"] for one in listed["members"]] == ["account:acme"] and listed["next"] is None
    assert asked("segment_sizes", name="used", period="day")["sizes"][-1]["count"] == 1
    assert asked("segment_overlap", one="used", other="quiet")["both"] == 0
    with pytest.raises(Exception, match="used of groups of type account and person of customers"):
        asked("segment_overlap", one="used", other="person")
    seen = asked("segment_preview", where={"did": "A"}, group="account")
    assert (seen["count"], seen["customers"], asked("segment", name="person")["count"]) == (2, 2, 4)
    edit = asked("segment_edit", name="used", where={"did": "A"})
    assert (edit["before"], edit["after"], edit["come"]["sample"]) == (1, 2, ["account:bolt"])
    with pytest.raises(Exception, match="consent is a person's"):
        asked("segment_preview", where={"consent": {"topic": "news", "state": "in"}}, group="account")


ASKED = """
segment: big
subject: {group: account}
where: {trait: {employees: {gte: 50}}}
---
segment: person
where: {did: A}
"""


def test_a_question_about_accounts(world: World) -> None:
    """Two members go down the path together; segments of accounts split and limit it, others are refused."""
    world.define(ASKED)
    around = {"groupId": "acme"}
    world.post("group", userId="ada", groupId="acme", traits={"employees": 60})
    world.post("track", userId="ada", event="A", context=around)
    world.post("track", userId="cy", event="A", context={"groupId": "bolt"})
    world.post("track", userId="cy", event="A", context={"groupId": "h", "groupType": "household"})
    world.clock.at += HOUR
    world.post("track", userId="bob", event="B", context=around)
    world.clock.at += 2 * DAY
    world.catch_up()

    def funnel(**more: Any) -> list[int]:
        found = ask(world.data, {"funnel": {"steps": ["A", "B"], "within": "1d", **more}}, world.clock)
        return [one["customers"] for one in found["steps"]]

    accounts = {"subject": {"group": "account"}}
    assert (funnel(), funnel(**accounts)) == ([2, 0], [2, 1])
    assert funnel(**accounts, among="big") == [1, 1]
    for wrong, name in (
        ({"among": "big"}, "segment.unknown"),
        ({**accounts, "among": "person"}, "segment.unknown"),
        ({"subject": {"group": "acount"}}, "question.subject"),
    ):
        with pytest.raises(HarkError) as refused:
            funnel(**wrong)
        assert refused.value.id == name
