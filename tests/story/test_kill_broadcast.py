"""A broadcast is killed at marked points and at any moment: everybody is written to or recorded as in doubt,
nobody twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from hark.app import Workspace
from hark.model import MINUTE, FactName
from hark.settings import Settings
from hark.store.contracts import OutboxRow
from hark.store.state_reader import open_reader
from tests.engine.world import START, World
from tests.speak.provider import Answering, Provider, Taken
from tests.story.lives import EDGES, WRITES, Life, Lives

NEWS = """
sender: api
provider: sendgrid
address: "Shop <shop@shop.example>"
secret_env: SENDGRID_KEY
url: URL
rate_per_s: 2000
---
topic: news
says: What is new
default: in
opt_in: single
---
template: hello
channel: email
subject: Hello
text: "Hello."
---
campaign: news
hypothesis: They come back.
trigger: {broadcast: {at: "2026-01-01T00:10", zone: UTC}}
goal: {event: Order Completed, within: 30d}
control: none
why: everybody is to hear of it
topic: news
steps:
  - send: {channel: email, template: hello}
"""
SETTINGS = "outbound_allow = ['127.0.0.1']\nseal_events = 150\ncompact_files = 2\n"
"""So small that sealing and compaction happen again and again."""
ONCE = ("start", "seal", "history commit", "compact", "checkpoint")
"""Edges that a short life may come by once only."""
MARKED = [
    Life(edge=f"{side} {name}", call=call)
    for name in (*EDGES, *WRITES)
    for side in ("before", "after")
    for call in ((1,) if name in ONCE else (1, 4))
]
SOME = [
    Life(edge="after timers", call=2),
    Life(edge="before write_wanted", call=3),
    Life(edge="before commit", call=4),
    Life(edge="after commit", call=4),
    Life(edge="before put", call=3),
    Life(edge="before exchange", call=2),
    Life(edge="after exchange", call=4),
    Life(edge="after outcomes", call=4),
    Life(edge="before history commit"),
    Life(edge="after history commit"),
]
NOTHING_HANDED = {
    f"{side} {name}"
    for side in ("before", "after")
    for name in ("start", "timers", "outcomes", "due", "commit", *WRITES)
} | {"before tick"}
"""Where a life that comes by for the first time has handed nothing over yet: its first commit is of what the
life before it had left."""


def anywhere(chance: random.Random) -> Life:
    """One that ends at any moment: within its start, or while messages go out."""
    if chance.random() < 0.25:
        return Life(after_s=chance.random() * 0.3)
    return Life(edge="before exchange", after_s=chance.random() * 0.1)


class Api(Provider):
    """Takes everything, and keeps whom it was for: outside of Hark."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: list[str] = []

    def how(self, taken: Taken) -> Answering:
        self.accepted.append(json.loads(taken.body)["personalizations"][0]["to"][0]["email"])
        self.taken.clear()
        return Answering(202, b"")


class Broadcast:
    """To so many customers, of whom all are known when it begins."""

    def __init__(self, data: Path, api: Api, customers: int) -> None:
        self.data, self.api = data, api
        self.everybody = [f"c{number}@shop.example" for number in range(customers)]
        self.lost = set[str]()
        """Messages that were *sending* when a life ended."""
        self._known()

    def _known(self) -> None:
        self.data.mkdir()
        (self.data / "hark.toml").write_text(SETTINGS)
        world = World(self.data)
        world.define(NEWS.replace("URL", f"{self.api.url}/v3"))
        for some in _by(500, self.everybody):
            world.post(
                "batch", batch=[{"type": "identify", "userId": one, "traits": {"email": one}} for one in some]
            )
        world.catch_up()
        world.log.close()

    def live(self, plan: Sequence[Life]) -> None:
        """Lives that end as planned, and after each what its end has cost; then one that ends by itself."""
        with Lives(self.data, START + 10 * MINUTE) as lives:
            for life in plan:
                before = len(self.api.accepted)
                assert lives.live(replace(life, messages=len(self.everybody))), f"not killed: {life}"
                self._count(life, len(self.api.accepted) - before)
            assert not lives.live(Life(messages=len(self.everybody)))
        assert not self._sending()

    def _count(self, life: Life, accepted: int) -> None:
        lost = self._sending() - self.lost
        self.lost |= lost
        most = Settings().deliver_threads + 2 * accepted
        if life.call == 1 and life.edge in NOTHING_HANDED:
            most = 0
        assert len(lost) <= most, f"{life} cost {len(lost)} messages, {accepted} were accepted in it"

    def _sending(self) -> set[str]:
        with closing(open_reader(self.data)) as reader:
            return {row.message for row in reader.outbox(limit=len(self.everybody)) if row.state == "sending"}


def _by(size: int, of: Sequence[str]) -> Iterator[Sequence[str]]:
    return (of[first : first + size] for first in range(0, len(of), size))


@pytest.mark.parametrize(
    ("customers", "marked", "more"),
    [(300, SOME, 10), pytest.param(10_000, MARKED, 200, marks=pytest.mark.torture)],
    ids=["some", "all"],
)
def test_no_kill_leaves_anybody_out_or_writes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, customers: int, marked: list[Life], more: int
) -> None:
    """Everybody has one message; the provider has it once, or it was between the engine and the provider when
    a life ended, which is recorded; no kill costs more than what was."""
    monkeypatch.setenv("SENDGRID_KEY", "k")
    chance = random.Random(customers)
    kills = [*marked, *(anywhere(chance) for _ in range(more))]
    chance.shuffle(kills)
    with Api() as api:
        broadcast = Broadcast(tmp_path / "data", api, customers)
        broadcast.live(kills)
        rows = Workspace(broadcast.data).state().outbox(limit=2 * customers)
        print(f"{len(kills)} kills, {customers} messages: {len(broadcast.lost)} in doubt,", end=" ")
        print(f"{len(broadcast.lost) - customers + len(api.accepted)} of them accepted")
        assert_messages(broadcast, rows)
        assert_history(broadcast)


def assert_messages(broadcast: Broadcast, rows: Sequence[OutboxRow]) -> None:
    everybody, times = broadcast.everybody, Counter(broadcast.api.accepted)
    assert sorted(str(row.content["to"]) for row in rows) == sorted(everybody), "left out, or twice"
    assert [one for one, count in times.items() if count > 1] == []
    assert {row.message for row in rows if row.state == "unknown"} == broadcast.lost
    assert {row.state for row in rows if row.message not in broadcast.lost} == {"sent"}
    assert [row for row in rows if row.state == "sent" and not times[str(row.content["to"])]] == []


def assert_history(broadcast: Broadcast) -> None:
    """Each fact of each message is told once."""
    told: dict[str, Counter[str]] = {name: Counter() for name in (*FACTS, FactName.CAMPAIGN_ENTERED)}
    for fact in Workspace(broadcast.data).snapshot().events(list(told), facts=True):
        told[fact.name][str(msgspec.json.decode(fact.properties).get("message") or fact.subject)] += 1
    assert {times for one in told.values() for times in one.values()} == {1}
    assert len(told[FactName.CAMPAIGN_ENTERED]) == len(broadcast.everybody)
    wanted, sent, unknown = (told[name].keys() for name in FACTS)
    assert unknown == broadcast.lost
    assert wanted == sent | unknown and not sent & unknown
    assert len(wanted) == len(broadcast.everybody)


FACTS = (FactName.MESSAGE_WANTED, FactName.MESSAGE_SENT, FactName.MESSAGE_UNKNOWN)


def test_there_are_many_marked_points() -> None:
    """Over fifty different ones, of every part that writes or calls."""
    assert len({(life.edge, life.call) for life in MARKED}) == len(MARKED) >= 50
