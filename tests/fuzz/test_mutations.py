"""Mutated requests of every client: an answer to each, soon, never 5xx but 503, and no memory kept."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collect.runner import Collect
from tests.fuzz.bodies import Sent, mutated

CONNECTIONS = 32
SLOWEST_S = 1.0
DRIFT = 0.05
MB = 1 << 20


class Fuzz:
    """So many mutated requests over a few connections that stay open; what was answered, and how late."""

    def __init__(self, collect: Collect, requests: Iterator[Sent]) -> None:
        self._port, self._requests = collect.port, requests
        self.statuses: Counter[int] = Counter()
        self.unanswered: list[Sent] = []
        self.slow: list[tuple[float, Sent]] = []

    async def run(self) -> None:
        await asyncio.gather(*(self._line() for _ in range(CONNECTIONS)))

    async def _line(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for sent in self._requests:
            began = time.monotonic()
            writer.write(sent.wire())
            try:
                status, stays = await asyncio.wait_for(answer(reader), 20)
                self.statuses[status] += 1
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                self.unanswered.append(sent)
                stays = False
            took = time.monotonic() - began
            if took > SLOWEST_S:
                self.slow.append((took, sent))
            if not stays:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """(status, whether the connection stays open) of one answer, read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), b"connection: close" not in head


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int((Path("/proc") / str(pid) / "statm").read_text().split()[1]) * 4096


def fuzzed(collect: Collect, count: int, seed: int) -> Fuzz:
    chance = random.Random(seed)
    run = Fuzz(collect, iter([mutated(chance) for _ in range(count)]))
    asyncio.run(run.run())
    return run


def check(found: Fuzz, count: int) -> None:
    assert not found.unanswered, found.unanswered[:3]
    assert found.statuses.total() == count
    wrong = {status: n for status, n in found.statuses.items() if status >= 500 and status != 503}
    assert not wrong, wrong
    assert len(found.statuses) >= 5, "the mutations reach many kinds of answers"


def test_twenty_thousand_mutated_requests(collect: Collect) -> None:
    """Each is answered, none with 5xx but 503; and the server answers a whole call after them as before."""
    check(fuzzed(collect, 20_000, seed=1), 20_000)
    call = {"userId": "ada", "event": "Still Here"}
    assert collect.post("/v1/track", call, "wk_web").status_code == 200


@pytest.mark.torture
def test_two_hundred_thousand_mutated_requests(collect: Collect) -> None:
    """None takes over a second, and memory after the last eighth is within 5 % of that after the first."""
    sizes = []
    for part in range(8):
        found = fuzzed(collect, 25_000, seed=100 + part)
        check(found, 25_000)
        assert not found.slow, [(took, sent.path, sent.body[:200]) for took, sent in found.slow[:5]]
        sizes.append(resident(collect.process.pid))
        print(f"\n{(part + 1) * 25_000:,} requests: {sizes[-1] / MB:.1f} MB, {dict(found.statuses)}")
    assert sizes[-1] <= sizes[0] * (1 + DRIFT), sizes
