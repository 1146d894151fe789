"""Whose everything is, by the engine and by the rules in other words, whatever is merged and undone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.history.compact import compact
from hark.history.reader import open_snapshot
from hark.history.seal import Sealer
from hark.model import HOUR, Lane, sequence
from hark.store.log import LogReader
from hark.store.table import EventTable
from hark.understand.segments import segment_at
from tests.engine.world import World
from tests.identity.model import Model

USERS, DEVICES = ["", "", "u1", "u2"], ["", *"abc"]
SEGMENT = """
segment: twice
where: {all: [{did: {event: A, times: {gte: 2}}}, {trait: {plan: {ne: free}}}]}
"""

CALLS = st.tuples(
    st.sampled_from(["track", "track", "page", "page", "identify", "identify", "alias", "secret"]),
    st.sampled_from(USERS),
    st.sampled_from(DEVICES),
    st.sampled_from([None, "free", "pro"]),
).filter(lambda call: bool(call[1] or call[2]))
DOINGS = st.lists(
    st.one_of(
        CALLS,
        st.tuples(st.just("undo"), st.integers(0, 5)),
        st.sampled_from([("restart",), ("seal",), ("tick",)]),
    ),
    min_size=15,
    max_size=30,
)


class Town(World):
    """A real engine over a real log beside the model; `owners` says for whom each row was written."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.model, self.owners = Model(), dict[int, int]()
        self.define(SEGMENT)
        self.live = self.engine()

    def does(self, doing: tuple[object, ...]) -> None:
        self.clock.at += HOUR
        match doing:
            case ("undo", int(which)):
                self.settle()
                if number := self.model.undo(which):
                    self.post(
                        "command", Lane.URGENT, name="unmerge", merge=number, author="ada", note="wrong"
                    )
                    self.settle()
            case ("restart",):
                self.restart()
            case ("seal",):
                self.settle()
                self.seal()
            case ("tick",):
                self.live.tick(1)
            case (str(kind), str(user), str(device), plan):
                self.call(kind, user, device, plan)

    def call(self, kind: str, user: str, device: str, plan: object) -> None:
        ids: dict[str, Any] = {"userId": user or None, "anonymousId": device or None}
        if kind == "page":  # which nothing watches
            row, home = self.post("page", **ids), self.model.track(user, device)
        elif kind == "track":
            said: dict[str, Any] = {"context": {"traits": {"plan": plan}}} if plan else {}
            row, home = self.post("track", event="A", **ids, **said), self.model.track(user, device)
        elif kind == "identify":
            row = self.post("identify", traits={"plan": plan} if plan else {}, **ids)
            home = self.model.identify(user, device)
        else:
            self.alias(kind == "secret", user or "u1", device or "u2")
            return
        self.owners[sequence(row, 0)] = home

    def alias(self, secret: bool, user: str, previous: str) -> None:
        kind = "alias+secret" if secret else "alias"
        row = self.post(kind, userId=user, previousId=previous)
        home = self.model.alias(user, previous, secret)
        if home is not None:
            self.owners[sequence(row, 0)] = home

    def restart(self) -> None:
        self.live.close()
        self.live = self.engine()

    def settle(self) -> None:
        while self.live.tick():
            pass

    def seal(self) -> None:
        """Everything that waits becomes files, many of them, of which compaction makes fewer."""
        self.live.close()
        table, reader = EventTable(self.data / "history"), self.reader
        sealed = Sealer(table, LogReader(self.data / "log").epoch).seal(reader.numbered(0), reader.merges())
        if sealed % 2:
            compact(table, reader.merges(), files=1)
        self.live = self.engine()


def check(town: Town) -> None:
    """History, ids, merges and segments, each by its own road."""
    model, reader = town.model, town.reader
    snapshot = open_snapshot(town.data, reader)
    found = {event.seq: event.subject for event in snapshot.events() if event.source == "shop"}
    assert found == {seq: model.root(home) for seq, home in town.owners.items()}
    for root in set(found.values()):
        mine = {event.seq for event in snapshot.subject_events(root) if event.source == "shop"}
        assert mine == {seq for seq, owner in found.items() if owner == root}
    assert [(one.younger, one.older, one.undoes) for one in reader.merges()] == model.merges
    for one, home in model.home.items():
        kind = "user" if one.startswith("u:") else "anonymous"
        assert (kind, one[2:]) in reader.ids(model.root(home))
    assert live(town) == set(segment_at(snapshot, segment(town), town.clock.now()))
    assert not reader.problems() or {one.reason for one in reader.problems()} == {"alias.needs_secret_key"}


def live(town: Town) -> set[int]:
    return {record.subject for record in town.reader.records() if "twice" in record.members}


def segment(town: Town):  # type: ignore[no-untyped-def]
    from hark.definitions.parse import definition

    return definition(town.reader.documents()[0], "UTC")


@settings(max_examples=8, deadline=None)
@given(DOINGS)
def test_everything_is_whose_the_rules_say(doings: list[tuple[object, ...]]) -> None:
    """Random calls, merges, undos, restarts, seals and ticks: ids, events, merges as the model says; and live
    membership is that of the history."""
    with TemporaryDirectory() as folder:
        town = Town(Path(folder))
        for doing in doings:
            town.does(doing)
        town.does(("undo", 0))
        town.settle()
        check(town)
        town.live.close()
        town.log.close()


@settings(max_examples=3, deadline=None)
@given(DOINGS)
def test_ticks_change_nothing(doings: list[tuple[object, ...]]) -> None:
    """The same log folded at once, and call by call with a restart after each undo: the same records, to the
    byte, the same events and facts."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        found = []
        for folder, small in ((one, False), (other, True)):
            town = Town(Path(folder))
            for doing in doings:
                if doing[0] in ("restart", "seal", "tick"):
                    continue
                town.does(doing)
                if small:
                    town.live.tick(1)
                    if doing[0] == "undo":
                        town.restart()
            town.settle()
            records = [msgspec.json.encode(record) for record in town.reader.records()]
            found.append((records, sorted(town.events(), key=lambda event: (event.subject, event.seq))))
            town.live.close()
            town.log.close()
        assert found[0] == found[1]
