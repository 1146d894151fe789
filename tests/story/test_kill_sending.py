"""kill -9 of the engine while messages go out by providers that misbehave: nobody is written to twice."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from hark.app import Workspace
from hark.model import FactName
from hark.store.contracts import OutboxRow
from tests.engine.world import START, World
from tests.story.doubles import Accepted, MailApi, MailServer, Reports
from tests.story.lives import Life, Lives, Passing

FAST = 100
"""Almost two minutes pass in a second: what nobody knows of waits five minutes for its second attempt."""
DEFINITIONS = """
sender: server
address: "Shop <shop@shop.example>"
host: 127.0.0.1
port: PORT
rate_per_s: RATE
---
sender: api
provider: sendgrid
address: "Shop <shop@shop.example>"
secret_env: SENDGRID_KEY
url: URL
rate_per_s: RATE
---
topic: news
says: What is new
default: in
---
template: hello
channel: email
subject: "Order {{ event.order_id }}"
text: "Hello."
---
campaign: news
trigger: {event: Order Completed}
goal: {event: Review Written, within: 30d}
control: none
why: nobody may miss anything here
topic: news
steps:
  - send: {channel: email, template: hello}
---
campaign: receipt
transactional: true
trigger: {event: Order Completed}
variants:
  one: {send: {template: hello, channel: email}}
"""
BATCH = 200


class Sending:
    """Customers who each order once: one message of marketing, one receipt; and the providers of both."""

    def __init__(self, folder: Path, customers: int, rate: int, chance: random.Random) -> None:
        self.data, self.customers, self.chance = folder / "data", customers, chance
        self.accepted = Accepted()
        self.mail = MailServer(self.accepted, random.Random(chance.random()))
        self.api = MailApi(self.accepted, random.Random(chance.random()))
        self._rate = rate

    def prepare(self) -> World:
        """The definitions and the orders stand in the log."""
        self.data.mkdir()
        (self.data / "hark.toml").write_text("outbound_allow = ['127.0.0.1']\n")
        world, text = World(self.data), DEFINITIONS
        values = {"PORT": str(self.mail.port), "URL": f"{self.api.url}/v3", "RATE": str(self._rate)}
        for name, value in values.items():
            text = text.replace(name, value)
        world.define(text)
        for first in range(0, self.customers, BATCH):
            some = range(first, min(first + BATCH, self.customers))
            world.post("batch", batch=[call for n in some for call in calls_of(n)])
        return world

    def live(self, kills: int) -> None:
        """Each life is killed at a random moment a random number of messages later, the last one ends."""
        every, messages = 2 * self.customers // kills, 2 * self.customers
        with Lives(self.data, START, FAST) as lives:
            for _ in range(kills):
                call, after_s = self.chance.randrange(1, every), self.chance.random() * 0.05
                assert lives.live(
                    Life(edge="before deliver", call=call, after_s=after_s, messages=messages)
                ), "all had their outcome before the last kill"
            assert not lives.live(Life(messages=messages))

    def doubts(self) -> Counter[str]:
        """How often it was recorded of each message that nobody knows."""
        facts = Workspace(self.data).snapshot().events([FactName.MESSAGE_UNKNOWN], facts=True)
        return Counter(msgspec.json.decode(fact.properties)["message"] for fact in facts)


def calls_of(number: int) -> list[dict[str, object]]:
    who = f"c{number}"
    known: dict[str, object] = {"type": "identify", "userId": who, "traits": {"email": f"{who}@shop.example"}}
    properties = {"order_id": who}
    order: dict[str, object] = {
        "type": "track",
        "userId": who,
        "event": "Order Completed",
        "properties": properties,
    }
    return [known, order]


@pytest.mark.parametrize(
    ("kills", "customers", "rate"),
    [(10, 150, 100), pytest.param(200, 50_000, 1_000, marks=pytest.mark.torture)],
)
def test_no_kill_writes_to_anybody_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, customers: int, rate: int
) -> None:
    """Marketing is accepted at most once; a receipt once more only where it was recorded that nobody knows;
    who was not reached has a record that says so."""
    monkeypatch.setenv("SENDGRID_KEY", "k")
    chance, clock = random.Random(kills), Passing(START, FAST)
    sending = Sending(tmp_path, customers, rate, chance)
    with ExitStack() as at_the_end:
        at_the_end.enter_context(sending.mail)
        at_the_end.enter_context(sending.api)
        log = sending.prepare().log
        at_the_end.callback(log.close)
        at_the_end.enter_context(Reports(sending.api, log, clock.now, chance))
        sending.live(kills)
    rows = Workspace(sending.data).state().outbox(limit=2 * customers)
    doubts = sending.doubts()
    print(f"{kills} kills, {len(rows)} messages: {told(rows, sending.accepted.times, doubts)}")
    assert_law(rows, sending.accepted, doubts)
    assert {(row.campaign, row.content["to"]) for row in rows} == {
        (campaign, f"c{n}@shop.example") for campaign in ("news", "receipt") for n in range(customers)
    }


def told(rows: list[OutboxRow], times: Counter[str], doubts: Counter[str]) -> str:
    states = Counter((row.campaign, row.state) for row in rows)
    twice = sum(count > 1 for count in times.values())
    never = Counter(row.campaign for row in rows if not times[row.message])
    return f"{dict(states)}; {len(doubts)} in doubt, {twice} accepted twice, never accepted {dict(never)}"


def assert_law(rows: list[OutboxRow], accepted: Accepted, doubts: Counter[str]) -> None:
    times = accepted.times
    assert times.keys() <= {row.message for row in rows}
    marketing = {row.message for row in rows if row.campaign == "news"}
    assert [message for message in marketing if times[message] > 1] == []
    assert [message for message, count in times.items() if count > 1 + min(1, doubts[message])] == []
    assert {row.state for row in rows} <= {"sent", "delivered", "unknown"}
    assert [row for row in rows if row.state != "unknown" and not times[row.message]] == []
    assert {row.message for row in rows if row.state == "unknown"} <= doubts.keys()
    per_customer = Counter((row.campaign, accepted.whom[row.message]) for row in rows if times[row.message])
    assert set(per_customer.values()) == {1}
    assert any(count > 1 for count in times.values()), "no receipt went a second time: nothing was in doubt"
    assert marketing & doubts.keys(), "no message of marketing was ever in doubt"
    assert "delivered" in {row.state for row in rows}, "no report of a provider was heard"
