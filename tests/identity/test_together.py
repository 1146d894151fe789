"""Webhooks that name several ids of one customer: whose everything then is, by engine and model."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hark.history.reader import open_snapshot
from hark.model import sequence
from hark.replay import replay
from tests.identity.test_law import Town, check

USERS = ["u1", "u2", "u3"]
HOME, DESK = "a:email:home@x.example", "a:email:desk@x.example"
IDS = [*(f"u:{user}" for user in USERS), "a:a", "a:b", "a:shop:1", "a:shop:2", HOME, DESK]

Doing = tuple[Any, ...]

HOOKS = st.tuples(
    st.just("hook"),
    st.lists(st.sampled_from(IDS), min_size=2, max_size=4, unique=True).filter(
        lambda ids: sum(one.startswith("u:") for one in ids) < 2
    ),
)
STATED = st.tuples(
    st.just("stated"), st.sampled_from(["u:u1", "u:u2", "a:a", "a:b"]), st.sampled_from([HOME, DESK])
)
OTHERS = st.one_of(
    st.tuples(
        st.sampled_from(["track", "identify"]),
        st.sampled_from(["", *USERS]),
        st.sampled_from("ab"),
        st.none(),
    ),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.sampled_from([("restart",), ("seal",), ("tick",)]),
)
DAYS = st.lists(st.one_of(HOOKS, HOOKS, STATED, OTHERS), min_size=12, max_size=25)


class Square(Town):
    """The town with services that send webhooks, and customers who state an address."""

    def does(self, doing: Doing) -> None:
        match doing:
            case ("hook", list(ids)):
                self.hook(ids)
            case ("stated", str(who), str(email)):
                self.states(who, email)
            case _:
                super().does(doing)

    def hook(self, ids: list[str], message: str = "") -> None:
        """As collect writes it down: the userId, and the rest under `knownAs`."""
        self.count += 1
        user = next((one[2:] for one in ids if one.startswith("u:")), None)
        anonymous = [one[2:] for one in ids if one.startswith("a:")]
        call = {
            "type": "track",
            "event": "A",
            "userId": user,
            "anonymousId": None if user else anonymous[0],
            "knownAs": [["anonymous", one] for one in anonymous],
            "messageId": message or f"h{self.count}",
        }
        row = self.raw("hook", json.dumps({"batch": [call]}).encode())
        self.owners[sequence(row, 0)] = self.model.together(ids)

    def states(self, who: str, email: str) -> None:
        user, device = (who[2:], "") if who.startswith("u:") else ("", who[2:])
        stated = {"email": email.removeprefix("a:email:")}
        row = self.post("identify", userId=user or None, anonymousId=device or None, traits=stated)
        home = self.model.track(user, device)
        self.owners[sequence(row, 0)] = home
        self.model.stated.setdefault(email, set()).add(home)


def closed(town: Town) -> None:
    town.live.close()
    town.log.close()


@settings(max_examples=10, deadline=None)
@given(DAYS)
def test_everything_is_whose_the_rules_say(doings: list[Doing]) -> None:
    """Random webhooks, stated addresses, calls, undos, restarts, seals and ticks: ids, events, merges and
    segments as the model says."""
    with TemporaryDirectory() as folder:
        town = Square(Path(folder))
        for doing in doings:
            town.does(doing)
        town.settle()
        check(town)
        closed(town)


@settings(max_examples=5, deadline=None)
@given(DAYS)
@example([("hook", ["u:u1", "a:a"]), ("hook", ["u:u2", "a:b"]), ("hook", ["u:u1", "a:b"])])
def test_two_identified_customers_stay_two(doings: list[Doing]) -> None:
    """Whatever webhooks say, each userId is a customer of its own: only a secret key's alias could make it
    otherwise."""
    with TemporaryDirectory() as folder:
        town = Square(Path(folder))
        for doing in doings:
            town.does(doing)
        town.settle()
        seen = [subject for user in USERS if (subject := town.reader.find_all(user))]
        assert len({tuple(one) for one in seen}) == len(seen) and all(len(one) == 1 for one in seen)
        closed(town)


def folded(data: Path, doings: list[Doing], each: bool) -> tuple[Any, ...]:
    """The records, events with facts, merges and replayed decisions of these doings; `each`: in a tick each,
    and with the engine started anew after every third."""
    town = Square(data)
    for number, doing in enumerate(doings):
        if doing[0] in ("restart", "seal", "tick"):
            continue
        town.does(doing)
        if each:
            town.live.tick(1)
            if number % 3 == 0:
                town.restart()
    town.settle()
    reader = town.reader
    records = [msgspec.json.encode(record) for record in reader.records()]
    events = sorted(town.events(), key=lambda event: (event.subject, event.seq))
    again = replay(open_snapshot(data, reader), reader.documents(), key=reader.key)
    decided = sorted((one.subject, one.at, one.seq, one.name) for one in again.facts)
    found = (records, events, reader.merges(), decided)
    closed(town)
    return found


@settings(max_examples=3, deadline=None)
@given(DAYS)
def test_ticks_change_nothing(doings: list[Doing]) -> None:
    """The same log folded at once, and call by call with restarts: the same records to the byte, the same
    events, facts and merges, and the same decisions in a replay."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        at_once, by_call = folded(Path(one), doings, False), folded(Path(other), doings, True)
        for mine, theirs in zip(at_once, by_call, strict=True):
            assert mine == theirs


@settings(max_examples=3, deadline=None)
@given(DAYS)
def test_a_webhook_that_comes_again_changes_nothing(doings: list[Doing]) -> None:
    """Services send again what was answered late: the second is dropped by its id and merges nobody."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        found = []
        for folder, times in ((one, 1), (other, 2)):
            town = Square(Path(folder))
            for number, doing in enumerate(doings):
                if doing[0] == "hook":
                    for _ in range(times):
                        town.hook(doing[1], f"again{number}")
                elif doing[0] != "undo":
                    town.does(doing)
            town.settle()
            reader = town.reader
            ids = {one: reader.find(one[2:]) for one in IDS}
            found.append((ids, [(one.younger, one.older) for one in reader.merges()]))
            closed(town)
        assert found[0] == found[1]
