"""A small shop's data directory, made by the real log and engine: sixty days, a campaign, a control.

Everybody buys at least once; those who then stay away enter `gone_quiet` and with it `come_back`.
The same every time: whatever differs between customers follows from their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import msgspec

from hark.clock import SetClock, instant, moment
from hark.collect.sources import add_source
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import DAY, HOUR, JSON, MINUTE, Instant, Lane, Outcome
from hark.store.contracts import NewRow, OutboxRow
from hark.store.log import LogStore

START = instant("2026-01-01T09:00:00Z")
END = START + 60 * DAY
PEOPLE = 120
DEFINITIONS = """
topic: news
says: What is new in the shop
opt_in: single
---
segment: gone_quiet
where:
  all:
    - did: Order Completed
    - did_not: {event: Order Completed, within: 7d}
---
engagement: shopper
says: Who makes this shop a habit
levels:
  - {name: bought, when: {did: {event: Order Completed, within: 14d}}}
  - {name: regular, when: {did: {event: Order Completed, within: 28d, times: {gte: 2}}}}
---
template: whats_new
channel: email
subject: New this week
text: |
  Hello {{ customer.first_name }}, come and look.
---
campaign: come_back
hypothesis: People who bought and went quiet come back if they see what is new.
expects: 5%
trigger: {enters: gone_quiet}
goal: {event: Order Completed, within: 14d, value: revenue}
control: 40%
topic: news
steps:
  - send: {channel: email, template: whats_new, expires: 3d}
---
campaign: thank_you
hypothesis: A thank you makes a second order more likely.
trigger: {event: Order Completed}
goal: {event: Order Completed, within: 7d}
control: none
why: The owner wants everybody to be thanked
topic: news
reenter: {after: 30d}
steps:
  - send: {channel: email, template: whats_new}
---
content: choosing_shoes
title: Choosing shoes
url: https://shop.example/guides/shoes
format: guide
stage: [aware, considering]
words: 500
"""


def build(data: Path) -> Path:
    """The directory after sixty days; returns it."""
    clock = SetClock(START)
    source = add_source(data, "shop")
    with LogStore(data / "log") as log:
        log.append([define(DEFINITIONS)])
        for at, calls in sorted(days(), key=itemgetter(0)):
            log.append([NewRow(Lane.LIVE, at, source.source, "batch", batch(at, calls))])
    clock.at = END
    Engine(data, clock, Sender(clock)).catch_up()
    return data


class Sender:
    """Takes every message; the seventh fails."""

    def __init__(self, clock: SetClock) -> None:
        self._clock, self._count = clock, 0

    def __call__(self, row: OutboxRow) -> Outcome:
        self._count += 1
        state = "failed" if self._count == 7 else "sent"
        return Outcome(
            row.subject, self._clock.now(), row.message, state, "mailbox full" if state == "failed" else ""
        )


def define(text: str) -> NewRow:
    """The command that puts these documents in force."""
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(text)]
    body = {"name": "define", "documents": documents, "author": "ann@shop.example", "note": "the first"}
    return NewRow(Lane.URGENT, START, "hark", "command", msgspec.json.encode(body))


def batch(at: Instant, calls: list[JSON]) -> bytes:
    sent = msgspec.json.encode(calls)
    return b'{"batch": ' + sent + b"}"


def days() -> Iterator[tuple[Instant, list[JSON]]]:
    """(when it was sent, the calls) of every visit."""
    for number in range(PEOPLE):
        yield from visits(number)


def visits(number: int) -> Iterator[tuple[Instant, list[JSON]]]:
    """One customer's visits: they sign up, buy, look around near the end; some buy again early, some late."""
    first = START + (number % 30) * DAY + number * 7 * MINUTE
    yield first, signing_up(number, first)
    if number in READERS:
        yield first + MINUTE, [read(number, first + MINUTE, READERS[number])]
    order = first + (1 + number % 5) * HOUR
    yield order, [viewed(number, order - MINUTE), bought(number, order)]
    if number % 3 == 0:
        again = order + (9 + number % 9) * DAY
        yield again, [viewed(number, again - MINUTE), bought(number, again)]
    late = END - (number % 12) * DAY - (1 + number % 6) * HOUR
    yield late, [viewed(number, late), *([bought(number, late + MINUTE)] if number % 4 == 1 else [])]


READERS = {3: "/guides/shoes", 4: "/guides/shoes", 5: "/blog/laces"}


def read(number: int, at: Instant, path: str) -> JSON:
    told = {"content": path, "url": f"https://shop.example{path}", "title": path.title(), "active_s": 60}
    return call("track", number, at, event="Content Read", properties=told)


def signing_up(number: int, at: Instant) -> list[JSON]:
    """Who they are, that they are here, and that they want the news."""
    traits = {"email": f"c{number}@example.com", "first_name": NAMES[number % len(NAMES)]}
    wants = {"topic": "news", "channel": "email"}
    return [
        call("identify", number, at, traits=traits),
        call("track", number, at, event="Signed Up"),
        call("track", number, at + 1, event="Subscription Requested", properties=wants),
    ]


def viewed(number: int, at: Instant) -> JSON:
    return call("track", number, at, event="Product Viewed", properties={"sku": f"tea-{number % 4}"})


def bought(number: int, at: Instant) -> JSON:
    order = {"revenue": 20 + number % 50, "order_id": f"o{number}-{at}"}
    return call("track", number, at, event="Order Completed", properties=order)


def call(kind: str, number: int, at: Instant, **more: JSON) -> JSON:
    return {
        "type": kind,
        "userId": f"customer-{number}",
        "timestamp": moment(at).isoformat(),
        "messageId": f"{number}-{kind}-{at}-{more.get('event')}",
        **more,
    }


NAMES = ("Mara", "Ben", "Ines", "Tomas", "Ola", "Yuki", "Sam")
