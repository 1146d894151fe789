"""A data directory with a real log and a clock that stands: what the engine's tests play on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hark.clock import SetClock
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.history import columns
from hark.model import SECOND, Event, Lane, Outcome
from hark.settings import Settings
from hark.store.contracts import NewRow, OutboxRow
from hark.store.log import LogStore
from hark.store.state import StateReader, open_reader

START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""

RECEIPTS = """
campaign: receipts
transactional: true
trigger: {event: Order Completed}
key: event.order
reenter: always
variants:
  one: {send: {template: receipt, channel: email}}
---
template: receipt
channel: email
subject: Thank you
text: Your order {{ event.order }}
---
sender: shop
address: "Shop <shop@shop.example>"
"""


class World:
    """`data` holds log and state. Time moves only by `at`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.clock = SetClock(START)
        self.log = LogStore(data / "log")
        self.count = 0

    def engine(self, deliver: Callable[[OutboxRow], Outcome] | None = None, **settings: Any) -> Engine:
        """Seals only when told to, since the clock jumps."""
        settings.setdefault("seal_age_s", 1e9)
        return Engine(self.data, self.clock, deliver, Settings(**settings))

    def catch_up(self) -> None:
        self.engine().catch_up()

    def post(self, kind: str, lane: Lane = Lane.LIVE, **body: Any) -> int:
        """One row, arrived now; a message id is made where none is given."""
        if kind not in ("batch", "import", "consent", "command"):
            self.count += 1
            body.setdefault("messageId", f"m{self.count}")
        return self.raw(kind, json.dumps(body).encode(), lane)

    def raw(self, kind: str, body: bytes, lane: Lane = Lane.LIVE) -> int:
        return self.log.append([NewRow(lane, self.clock.now(), "shop", kind, body)])[0]

    def track(self, user: str, event: str, **properties: Any) -> int:
        return self.post("track", userId=user, event=event, properties=properties)

    def identify(self, user: str, anonymous: str | None = None, **traits: Any) -> int:
        return self.post("identify", userId=user, anonymousId=anonymous, traits=traits)

    def define(self, text: str) -> int:
        documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(text)]
        return self.post("command", Lane.URGENT, name="define", documents=documents, author="ada", note="n")

    def unsubscribe(self, user: str, topic: str = "news") -> int:
        said = {"name": "Unsubscribed", "subject": self.reader.find(user), "topic": topic, "channel": "email"}
        return self.post("consent", Lane.URGENT, **said, message="m")

    @property
    def reader(self) -> StateReader:
        return open_reader(self.data)

    def events(self) -> list[Event]:
        """Everything folded and not sealed, in the order of folding."""
        return [event for chunk in self.reader.recent(0) for event in columns.decode(chunk)]

    def names(self) -> list[str]:
        return [event.name for event in self.events()]


def sent(row: OutboxRow) -> Outcome:
    """A provider that takes everything."""
    return Outcome(row.subject, 0, row.message, "sent")
