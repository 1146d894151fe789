"""kill -9 of the engine while messages go out by providers that misbehave: nobody is written to twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from hark.app import Workspace
from hark.clock import SharedClock, instant
from hark.model import SECOND, FactName
from hark.store.contracts import OutboxRow
from tests.cast import Server, eventually, hark
from tests.story.doubles import SECRET, Accepted, MailApi, MailServer, Reports

START = instant("2026-03-02T10:00:00Z")
FAST = 60
"""A minute passes in a second: what nobody knows of waits five minutes for its second attempt."""
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
reports: sendgrid
reports_env: HEARD
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
PATIENCE_S = 15.0
"""The longest wait before the next kill: silent providers may hold all threads."""


@contextmanager
def passing(path: Path) -> Iterator[None]:
    """The clock in the file goes on, fast, in a thread."""
    clock, end, began = SharedClock(path, create=True), threading.Event(), time.monotonic()

    def go() -> None:
        while not end.wait(0.005):
            clock.set(START + int((time.monotonic() - began) * FAST * SECOND))

    clock.set(START)
    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


class Sending:
    """A server, its providers, and customers who each order once: one message of marketing, one receipt."""

    def __init__(self, folder: Path, customers: int, rate: int, chance: random.Random) -> None:
        self.data, self.customers, self.chance = folder / "data", customers, chance
        self.accepted = Accepted()
        self.mail = MailServer(self.accepted, random.Random(chance.random()))
        self.api = MailApi(self.accepted, random.Random(chance.random()))
        self.server = Server(self.data, folder / "clock")
        self._rate = rate

    def prepare(self) -> None:
        """The definitions are applied and the orders posted."""
        self.data.mkdir()
        (self.data / "hark.toml").write_text("outbound_allow = ['127.0.0.1']\n")
        self.server.start()
        values = {"PORT": str(self.mail.port), "URL": f"{self.api.url}/v3", "RATE": str(self._rate)}
        text = DEFINITIONS
        for name, value in values.items():
            text = text.replace(name, value)
        (self.data.parent / "shop.yaml").write_text(text)
        key = hark(self.data, "source", "add", "shop")["write_key"]
        hark(self.data, "apply", str(self.data.parent / "shop.yaml"))
        for first in range(0, self.customers, BATCH):
            some = range(first, min(first + BATCH, self.customers))
            calls = [call for n in some for call in calls_of(n)]
            assert self.server.post("/v1/batch", {"batch": calls}, key).status_code == 200

    def kill(self, times: int) -> None:
        """Each time once some more were accepted, or providers let everybody wait, at a random moment."""
        every = self.customers // times
        for _ in range(times):
            enough = self.accepted.times.total() + self.chance.randrange(every // 4, every)
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and self.accepted.times.total() < enough:
                time.sleep(0.002)
            time.sleep(self.chance.random() * 0.02)
            self._kill()

    def _kill(self) -> None:
        killed = self.server.pid("engine")
        self.server.kill("engine")
        eventually(lambda: self.server.pid("engine") not in (None, killed), what="it runs again")

    def settled(self) -> bool:
        counts = Workspace(self.data).state().outbox_counts()
        waiting = counts.get("wanted", 0) + counts.get("sending", 0)
        return sum(counts.values()) == 2 * self.customers and not waiting

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


@pytest.mark.torture  # ten kills take 40 s, most of it the starts of an engine: not yet for the suite
@pytest.mark.parametrize(("kills", "customers", "rate"), [(10, 150, 15), (200, 50_000, 250)])
def test_no_kill_writes_to_anybody_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, customers: int, rate: int
) -> None:
    """Marketing is accepted at most once; a receipt once more only where it was recorded that nobody knows;
    who was not reached has a record that says so."""
    monkeypatch.setenv("SENDGRID_KEY", "k")
    monkeypatch.setenv("HEARD", SECRET)
    chance = random.Random(kills)
    sending = Sending(tmp_path, customers, rate, chance)
    with ExitStack() as at_the_end:
        at_the_end.enter_context(passing(tmp_path / "clock"))
        at_the_end.enter_context(sending.mail)
        at_the_end.enter_context(sending.api)
        at_the_end.callback(sending.server.stop)
        at_the_end.enter_context(Reports(sending.api, sending.server.url, chance))
        sending.prepare()
        sending.kill(kills)
        eventually(sending.settled, seconds=60 + customers / 20, what="every message has its outcome")
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
