"""What the pipeline's benchmark feeds on: definitions, customers, and calls sent at a steady rate over HTTP.

`python -m bench._traffic PORT KEY '{"rate", "seconds", "customers", "batch", "probes_per_s"}'` sends, then
prints `{"sent", "failed", "late_s", "probes": {n: when its 200 came}}` (CLOCK_MONOTONIC seconds).
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import deque
from collections.abc import Iterator

from msgspec import Struct

NAMES = 50
CAMPAIGNS = 20
FREQUENT = 10
"""The most frequent names (page views and the like), which nothing watches."""
CONNECTIONS = 16
FOR_SINGLES, FOR_PROBES = 64, 8
IDENTIFY_EVERY = 50


class Traffic(Struct, frozen=True):
    """`rate` in events/s; `batch` 1 sends single calls; a probe is an order whose receipt is looked for."""

    rate: float
    seconds: float
    customers: int
    batch: int
    probes_per_s: float = 0.0


def weights() -> list[float]:
    """Zipf's law: how often each name comes, by rank."""
    return [1 / (rank + 1) for rank in range(NAMES)]


def watched_share() -> float:
    """The share of track calls whose name a definition watches, by the weights."""
    return sum(weights()[FREQUENT:]) / sum(weights())


def definitions() -> str:
    """20 campaigns: 10 start by an event, 9 by entering a segment, and a receipt for the probes."""
    parts = [
        "topic: news\nsays: News\ndefault: in\nopt_in: single",
        "template: hello\nchannel: email\nsubject: Hello\ntext: Hello",
        "policy: attention\ncaps: [{messages: 1, per: 7d, on_cap: skip}]",
        "campaign: receipt\ntransactional: true\ntrigger: {event: Receipt}\nkey: event.n\n"
        "reenter: always\nvariants:\n  one: {send: {template: hello, channel: email}}",
    ]
    for number in range(CAMPAIGNS - 1):
        by_event, rank = number % 2 == 0, FREQUENT + number
        if not by_event:
            parts.append(_segment(number, rank))
        parts.append(_campaign(number, rank, by_event))
    return "\n---\n".join(parts)


def _segment(number: int, rank: int) -> str:
    did = f"{{event: Event {rank}, where: {{revenue: {{gte: 20}}}}, times: {{gte: 2}}, within: 7d}}"
    return (
        f"segment: segment_{number}\nwhere:\n  all:\n    - did: {did}\n"
        f"    - did_not: {{event: Event {rank + CAMPAIGNS}, within: 3d}}\n    - trait: {{plan: pro}}"
    )


def _campaign(number: int, rank: int, by_event: bool) -> str:
    event = f"{{event: Event {rank}, where: {{revenue: {{gte: 50}}}}}}"
    trigger = event if by_event else f"{{enters: segment_{number}}}"
    return (
        f"campaign: campaign_{number}\nhypothesis: It helps.\ntrigger: {trigger}\n"
        f"audience: {{trait: {{plan: pro}}}}\n"
        f"goal: {{event: Event {rank + CAMPAIGNS}, within: 7d}}\ncontrol: 20%\nreenter: {{after: 30d}}\n"
        f"topic: news\nexit: [goal]\nvariants:\n  a: {{send: {{template: hello, channel: email}}}}\n"
        "  b:\n    steps:\n      - wait: {for: 1d}\n      - send: {template: hello, channel: email}"
    )


def customer(number: int, sort: str = "user", message: str = "known") -> str:
    """An identify call; everybody's was folded before anything is measured."""
    plan = "pro" if number % 2 else "free"
    traits = f'{{"email":"{sort}{number}@shop.example","plan":"{plan}","first_name":"Ada"}}'
    ids = f'"userId":"{sort}-{number}","messageId":"{message}-{sort}-{number}"'
    return f'{{"type":"identify",{ids},"traits":{traits}}}'


def probe(number: int) -> bytes:
    """An order that makes one message: its receipt."""
    return f'{{"userId":"probe-{number}","event":"Receipt","properties":{{"n":{number}}}}}'.encode()


def calls(chance: random.Random, customers: int) -> Iterator[str]:
    """Calls as clients send them: 1 identify in 50, else a track call; customers evenly, names by Zipf."""
    cumulative = list(_summed(weights()))
    number = 0
    while True:
        for rank in chance.choices(range(NAMES), cum_weights=cumulative, k=1_000):
            number += 1
            if number % IDENTIFY_EVERY == 0:
                yield customer(chance.randrange(customers), message=f"again-{number}")
                continue
            user = int(chance.random() * customers)
            ids = f'"userId":"user-{user}","messageId":"1b5f9c1e-{number}"'
            yield (
                f'{{"type":"track",{ids},"event":"Event {rank}",'
                f'"properties":{{"product":"p{user % 997}","revenue":{number % 90}.5,"currency":"EUR"}}}}'
            )


def _summed(values: list[float]) -> Iterator[float]:
    total = 0.0
    for value in values:
        total += value
        yield total


def bodies(traffic: Traffic) -> Iterator[tuple[str, bytes]]:
    """(path, body) without end."""
    made = calls(random.Random(1), traffic.customers)
    if traffic.batch == 1:
        for call in made:
            yield ("/v1/identify" if '"identify"' in call[:20] else "/v1/track"), call.encode()
    while True:
        members = ",".join(next(made) for _ in range(traffic.batch))
        yield "/v1/batch", f'{{"batch":[{members}],"context":{{"library":{{"name":"bench"}}}}}}'.encode()


class Line(asyncio.Protocol):
    """One keep-alive connection; `free` holds it while nothing is on the way, the longest unused first."""

    def __init__(self, free: deque[Line]) -> None:
        self._free = free
        self._buffer = b""
        self.failed = 0
        self.probe: int | None = None
        self.probes: dict[int, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._free.append(self)

    def send(self, request: bytes, probe: int | None = None) -> None:
        self.probe = probe
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._buffer.endswith(b"}"):
            return
        self.failed += not self._buffer.startswith(b"HTTP/1.1 200")
        if self.probe is not None:
            self.probes[self.probe] = time.monotonic()
        self._buffer = b""
        self._free.append(self)


async def connected(port: int, lines: int) -> deque[Line]:
    """So many connections; each puts itself back into this list when it is free again."""
    free: deque[Line] = deque()
    for _ in range(lines):
        await asyncio.get_running_loop().create_connection(lambda: Line(free), "127.0.0.1", port)
    return free


async def send(port: int, key: str, traffic: Traffic) -> dict[str, object]:
    """Sends on time; where all connections wait for their 200 it comes late, and says how much."""
    free = await connected(port, CONNECTIONS if traffic.batch > 1 else FOR_SINGLES)
    free_for_probes = await connected(port, FOR_PROBES)
    lines, made = [*free, *free_for_probes], bodies(traffic)
    began, sent, probed, late_s = time.monotonic(), 0, 0, 0.0
    while (passed := time.monotonic() - began) < traffic.seconds:
        while free and sent < passed * traffic.rate / traffic.batch:
            free.popleft().send(_request(key, *next(made)))
            sent += 1
        while free_for_probes and probed < passed * traffic.probes_per_s:
            free_for_probes.popleft().send(_request(key, "/v1/track", probe(probed)), probed)
            probed += 1
        late_s = max(late_s, passed - (sent + 1) * traffic.batch / traffic.rate)
        await asyncio.sleep(0.001)
    while len(free) + len(free_for_probes) < len(lines) and time.monotonic() < began + traffic.seconds + 10:
        await asyncio.sleep(0.01)
    return {
        "sent": sent * traffic.batch,
        "failed": sum(line.failed for line in lines),
        "unanswered": len(lines) - len(free) - len(free_for_probes),
        "late_s": round(late_s, 3),
        "probes": {number: at for line in lines for number, at in line.probes.items()},
    }


def _request(key: str, path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    return head.encode() + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


if __name__ == "__main__":
    port, key, traffic = sys.argv[1:]
    print(json.dumps(asyncio.run(send(int(port), key, Traffic(**json.loads(traffic))))))
