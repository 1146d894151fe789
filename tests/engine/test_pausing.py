"""A campaign whose messages come back pauses itself: in time, with its numbers, and once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hark.engine.pausing import over
from hark.model import FactName, Lane, Outcome
from hark.store.changes import Deliveries
from hark.store.contracts import OutboxRow
from tests.engine.world import World, sent

NEWS = """
campaign: news
trigger: {event: Signed Up}
goal: {event: Bought, within: 1d}
control: none
why: a test
topic: news
steps: [{send: {channel: email, template: hello}}]
---
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
rate_per_s: 100000
"""


@pytest.mark.parametrize(
    ("sent_", "bounced", "complained", "pauses"),
    [
        (999, 999, 999, False),
        (1000, 50, 0, True),
        (1000, 49, 0, False),
        (1000, 0, 1, True),
        (2000, 0, 1, False),
        (100_000, 4_999, 99, False),
        (100_000, 0, 100, True),
    ],
)
def test_the_limits(sent_: int, bounced: int, complained: int, pauses: bool) -> None:
    """5 % and 0.1 % of at least a thousand, and the note has the numbers."""
    note = over(Deliveries("news", 1, sent_, bounced, complained))
    assert bool(note) is pauses
    assert not pauses or f"{sent_:,} messages" in note


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A hundred are as good as a thousand."""
    monkeypatch.setattr("hark.engine.pausing.LEAST", 100)
    made = World(tmp_path / "data")
    made.define(NEWS)
    yield made
    made.log.close()


def sign_up(world: World, people: range) -> None:
    calls = [
        call
        for n in people
        for call in (
            {"type": "identify", "userId": f"c{n}", "traits": {"email": f"c{n}@shop.example"}},
            {"type": "track", "userId": f"c{n}", "event": "Signed Up", "messageId": f"s{n}"},
        )
    ]
    world.post("batch", batch=calls)


def run(world: World, gone: Counter[str] | None = None) -> None:
    """An engine until nothing waits; the mail server refuses who is `gone` for good."""

    def take(row: OutboxRow) -> Outcome:
        if gone and gone[str(row.content["to"])]:
            return Outcome(row.subject, 0, row.message, "failed", "550 5.1.1", permanent=True)
        return sent(row)

    engine = world.engine(take)
    while engine.tick() or world.reader.outbox_counts().get("sending"):
        pass
    engine.close()


def versions(world: World) -> list[tuple[int, str, str]]:
    found = world.reader.versions("campaign", "news")
    return [(one.version, one.author, one.note) for one in found]


def states(world: World) -> dict[str, int]:
    return world.reader.outbox_counts()


def test_it_pauses_itself_and_what_waits_is_withheld(world: World) -> None:
    """Six of the first hundred are gone: the second hundred hears nothing, and the version says why."""
    gone = Counter(f"c{n}@shop.example" for n in range(6))
    sign_up(world, range(100))
    run(world, gone)
    (_, last) = versions(world)
    assert last[:2] == (2, "hark")
    assert "6 of 100 messages came back (limit 5.0%)" in last[2]
    sign_up(world, range(100, 200))
    run(world, gone)
    assert states(world) == {"sent": 94, "failed": 6}
    reasons = [json.loads(e.properties)["reason"] for e in world.events() if e.name == FactName.NOT_ELIGIBLE]
    assert set(reasons) == {"paused"}


def test_who_starts_it_again_is_believed(world: World) -> None:
    """The count begins anew with the new version, also after a restart."""
    gone = Counter(f"c{n}@shop.example" for n in range(6))
    sign_up(world, range(100))
    run(world, gone)
    world.define(NEWS)
    sign_up(world, range(100, 290))
    run(world, gone)
    assert len(versions(world)) == 3
    assert states(world)["sent"] == 94 + 190


def test_complaints_that_come_later_count(world: World) -> None:
    """One of a hundred is reported by its provider after days."""
    sign_up(world, range(100))
    run(world)
    row = world.reader.outbox(limit=1)[0]
    body = {"message": row.message, "what": "complained", "provider": "mailgun"}
    world.raw("receipt", json.dumps(body).encode(), Lane.URGENT)
    run(world)
    assert "1 of 100 messages were reported as unwanted" in versions(world)[-1][2]
