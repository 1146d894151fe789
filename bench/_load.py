"""A cheap load: prebuilt requests over keep-alive connections, one at a time on each.

`python -m bench._load PORT KEY CONNECTIONS EVENTS SECONDS [RATE]` prints `{"requests", "seconds", "failed",
"p50_ms", "p99_ms"}`; EVENTS is the size of a batch, 1 for single calls. With a RATE so many requests a second
are due, evenly, however long answers take, and each waits from the moment at which it was due.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
import uuid

WARM_S = 0.5
VARIANTS = 64


def call(number: int) -> dict[str, object]:
    return {
        "type": "track",
        "userId": f"user-{number * 7919 % 100_000}",
        "anonymousId": str(uuid.UUID(int=number * 2**64 + 12345)),
        "event": f"Event {number % 50}",
        "properties": {
            "product_id": f"p-{number % 997}",
            "price": 12.5,
            "quantity": number % 5,
            "tags": ["a", "b"],
        },
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "messageId": str(uuid.UUID(int=number * 2**64 + 999)),
        "timestamp": "2026-01-01T09:30:00.123456+00:00",
        "integrations": {},
    }


def requests(key: str, events: int) -> list[bytes]:
    return [request(key, events, variant) for variant in range(VARIANTS)]


def request(key: str, events: int, variant: int) -> bytes:
    calls = [call(variant * events + number) for number in range(events)]
    body = json.dumps(
        calls[0] if events == 1 else {"batch": calls, "sentAt": "2026-01-01T09:30:00Z"}
    ).encode()
    path = "/v1/track" if events == 1 else "/v1/batch"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    return head.encode() + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Line(asyncio.Protocol):
    """One connection: the next request goes out when the last was answered."""

    def __init__(self, bodies: list[bytes], start: int, until: float, every: float = 0.0) -> None:
        """`every`: seconds from one request's due moment to the next; 0: as soon as the last was answered."""
        self.bodies, self.number, self.until, self.every = bodies, start, until, every
        self.times: list[tuple[float, float]] = []
        self.failed = 0
        self.buffer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.sent = time.perf_counter() + self.every * (self.number % VARIANTS / VARIANTS - 1)
        self.send()

    def send(self) -> None:
        now = time.perf_counter()
        due = self.sent + self.every if self.every else now
        if now < due < self.until:
            asyncio.get_running_loop().call_later(due - now, self.send)
            return
        self.sent = due
        if due >= self.until:
            self.transport.close()
            self.done.set_result(None)
            return
        self.number += 1
        self.transport.write(self.bodies[self.number % VARIANTS])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.buffer.endswith(b"}"):
            return
        self.failed += not self.buffer.startswith(b"HTTP/1.1 200")
        self.buffer = b""
        self.times.append((self.sent, time.perf_counter()))
        self.send()


async def load(
    port: int, key: str, connections: int, events: int, seconds: float, rate: float = 0.0
) -> dict[str, float]:
    bodies = requests(key, events)
    begin = time.perf_counter() + WARM_S
    loop = asyncio.get_running_loop()
    lines = []
    for number in range(connections):
        start, every = number * VARIANTS // connections, connections / rate if rate else 0.0
        make = lambda start=start, every=every: Line(bodies, start, begin + seconds, every)  # noqa: E731
        lines.append((await loop.create_connection(make, "127.0.0.1", port))[1])
    await asyncio.gather(*(line.done for line in lines))
    taken = sorted(end - sent for line in lines for sent, end in line.times if sent >= begin)
    return {
        "requests": len(taken),
        "seconds": seconds,
        "failed": sum(line.failed for line in lines),
        "p50_ms": round(statistics.median(taken) * 1e3, 3),
        "p99_ms": round(taken[int(len(taken) * 0.99)] * 1e3, 3),
    }


if __name__ == "__main__":
    port, key, connections, events, seconds, *rate = sys.argv[1:]
    paced = float(rate[0]) if rate else 0.0
    print(json.dumps(asyncio.run(load(int(port), key, int(connections), int(events), float(seconds), paced))))
