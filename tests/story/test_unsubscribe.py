"""What arrives late is heard first: an unsubscribe during a backlog, a purchase before its timer."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from hark.app import Workspace
from hark.clock import SharedClock, instant
from hark.model import MINUTE, FactName, Lane
from hark.speak.catcher import Catcher, Caught
from tests.cast import Server, eventually, hark, unread

SHOP = """
sender: catcher
address: "Shop <shop@shop.example>"
host: 127.0.0.1
port: PORT
rate_per_s: 50
---
topic: news
says: What is new
default: in
opt_in: single
---
template: thanks
channel: email
subject: "About {{ event.order_id }}"
text: "Thank you for {{ event.order_id }}."
"""
THANKS = """---
campaign: thanks
trigger: {event: Order Completed}
key: event.order_id
reenter: always
goal: {event: Review Written, within: 1d}
control: none
why: everybody is thanked
topic: news
steps:
  - send: {channel: email, template: thanks}
"""
LEFT = """---
campaign: left
trigger: {event: Basket Left}
goal: {event: Order Completed, within: 1d}
control: none
why: for this test
topic: news
exit: [goal]
steps:
  - wait: {for: 30m}
  - send: {channel: email, template: thanks}
"""
LEO = "leo@shop.example"
ROW, ORDERS = 500, 5
"""Events of a request, and how many of them would each bring mail."""


def track(who: str, event: str, **properties: str) -> dict[str, Any]:
    return {"type": "track", "userId": who, "event": event, "properties": properties}


def identify(who: str) -> dict[str, Any]:
    return {"type": "identify", "userId": who, "traits": {"email": f"{who}@shop.example"}}


class Shop:
    """A server with a source, definitions and a mail catcher; `arrivals` are (monotonic time, message)."""

    def __init__(self, data: Path, definitions: str, clock: Path | None = None) -> None:
        self.data, self.arrivals = data, list[tuple[float, Caught]]()
        self.halting = False
        """The engine stands still from the next mail on: the backlog is not over before that is read."""
        self.catcher = Catcher(self._caught).start()
        data.mkdir(parents=True, exist_ok=True)
        (data / "hark.toml").write_text("outbound_allow = ['127.0.0.1']\n")
        self.server = Server(data, clock).start()
        (data.parent / "shop.yaml").write_text(definitions.replace("PORT", str(self.catcher.port)))
        made = hark(data, "source", "add", "shop")
        self.key: str = made["write_key"]
        self.secret: str = made["secret_key"]
        hark(data, "apply", str(data.parent / "shop.yaml"))

    def _caught(self, caught: Caught) -> None:
        self.arrivals.append((time.monotonic(), caught))
        if self.halting:
            self.halting = False
            self.server.signal("engine", signal.SIGSTOP)

    def post(self, *calls: dict[str, Any]) -> None:
        answer = self.server.post("/v1/batch", {"batch": list(calls)}, self.key)
        assert answer.status_code == 200, answer.text

    def read(self) -> None:
        """Waits until the engine has read all there is."""
        eventually(lambda: not unread(self.data), seconds=120, what="the engine reads the backlog")

    def mail_to(self, address: str) -> list[tuple[float, Caught]]:
        return [(at, caught) for at, caught in self.arrivals if caught.recipients == (address,)]

    def facts(self, name: str) -> list[Any]:
        """The properties of all facts of this name."""
        events = Workspace(self.data).snapshot().events([name], facts=True)
        return [msgspec.json.decode(event.properties) for event in events]

    def close(self) -> None:
        self.server.stop()
        self.catcher.stop()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    running = Shop(tmp_path / "data", SHOP + THANKS)
    try:
        yield running
    finally:
        running.close()


@pytest.mark.parametrize("backlog", [100_000, pytest.param(1_000_000, marks=pytest.mark.torture)])
def test_an_unsubscribe_overtakes_the_backlog(shop: Shop, backlog: int) -> None:
    """During a backlog no mail comes later than 1 s after the 200 of its one-click unsubscribe."""
    shop.post(identify("leo"), *(identify(f"c{n}") for n in range(100)))
    shop.read()
    shop.server.signal("engine", signal.SIGSTOP)
    for row in range(backlog // ROW):
        viewed = [track(f"c{n % 100}", "Page Viewed") for n in range(ROW - ORDERS)]
        ordered = [track("leo", "Order Completed", order_id=f"o{row}-{n}") for n in range(ORDERS)]
        shop.post(*viewed, *ordered)
    shop.halting = True
    shop.server.signal("engine", signal.SIGCONT)
    eventually(lambda: shop.mail_to(LEO), what="the first mail of the backlog")
    accepted = unsubscribe(shop.mail_to(LEO)[0][1])
    assert unread(shop.data, {Lane.LIVE}), "the backlog was over too soon to show anything"
    shop.server.signal("engine", signal.SIGCONT)
    shop.read()
    eventually(lambda: not waiting(shop), what="every message is sent or withheld")
    late = [at - accepted for at, _ in shop.mail_to(LEO) if at > accepted + 1]
    assert not late
    outbox = Workspace(shop.data).state().outbox(limit=10 * backlog)
    assert sum(row.state == "sent" for row in outbox) == len(shop.mail_to(LEO))
    kept_back = [fact["reason"] for fact in shop.facts(FactName.MESSAGE_WITHHELD)]
    refused = [fact["reason"] for fact in shop.facts(FactName.NOT_ELIGIBLE)]
    assert set(kept_back + refused) == {"no_consent"}
    assert len(kept_back) + len(refused) + len(shop.mail_to(LEO)) == backlog // ROW * ORDERS
    assert len(kept_back) + len(refused) > 100, "almost all had gone before the unsubscribe"


def unsubscribe(caught: Caught) -> float:
    """The mail program's own button (RFC 8058); when the 200 came."""
    mail = caught.message()
    url = str(mail["List-Unsubscribe"]).strip("<>")
    field, value = str(mail["List-Unsubscribe-Post"]).split("=", 1)
    assert httpx.post(url, data={field: value}, trust_env=False, verify=False, timeout=10).status_code == 200
    return time.monotonic()


def name_of(address: str) -> str:
    return address.split("@", maxsplit=1)[0]


def waiting(shop: Shop) -> int:
    counts = Workspace(shop.data).state().outbox_counts()
    return counts.get("wanted", 0) + counts.get("sending", 0)


def test_no_timer_fires_against_an_unread_purchase(tmp_path: Path) -> None:
    """An engine that was stopped reads what arrived in the meantime before any timer of that time fires.

    Whoever bought in time, while the engine stood still, is not asked why the basket was left.
    """
    clock = SharedClock(tmp_path / "clock", create=True)
    start = instant("2026-03-02T10:00:00Z")
    clock.set(start)
    shop = Shop(tmp_path / "data", SHOP + LEFT, tmp_path / "clock")
    try:
        people = [f"c{n}" for n in range(60)]
        shop.post(*map(identify, people), *(track(who, "Basket Left", order_id="b") for who in people))
        shop.read()
        shop.server.signal("engine", signal.SIGSTOP)
        clock.set(start + 20 * MINUTE)
        for _ in range(20):
            shop.post(*(track(f"x{n}", "Page Viewed") for n in range(ROW)))
        shop.post(*(track(who, "Order Completed", order_id="o") for who in people[::2]))
        clock.set(start + 60 * MINUTE)
        shop.post(*(track(who, "Order Completed", order_id="o") for who in people[1::4]))
        shop.server.kill("engine")
        eventually(lambda: len(shop.facts(FactName.MESSAGE_WANTED)) >= 30, what="the timers fire")
        shop.read()
        eventually(lambda: not waiting(shop), what="every message is sent")
        wanted = {name_of(fact["to"]) for fact in shop.facts(FactName.MESSAGE_WANTED)}
        assert wanted == set(people[1::2]), (
            "the timer's moment is before the late purchases, after the others"
        )
        asked = {name_of(caught.recipients[0]) for _, caught in shop.arrivals}
        assert set(people[3::4]) <= asked <= wanted, "who bought late may have been heard before the hand-off"
    finally:
        shop.close()
