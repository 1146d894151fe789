"""The whole pipeline: log rows to records, facts, outbox. Throughput with its lag, and latency to the outbox.

    python -m bench.pipeline                 both, 60 s
    python -m bench.pipeline --seconds 300   the figures of the docs
    python -m bench.pipeline --rate 1000 --latency-only

One process appends rows to the log as collect does (batches of 100, one fsync for each commit) at a given
rate; another is the engine; this one watches through read-only connections. Nothing is sent.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event as Stop
from pathlib import Path
from typing import TypeAlias

import msgspec

from hark.clock import WallClock
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import Lane
from hark.settings import Settings
from hark.store.contracts import NewRow
from hark.store.log import LogReader, LogStore
from hark.store.state import StateReader, open_reader

mp = multiprocessing.get_context("spawn")

NAMES = 50
CAMPAIGNS = 20
BATCH = 100
PROBES_PER_S = 10
Spent: TypeAlias = "Synchronized[float]"


def definitions() -> str:
    """20 campaigns: half start by an event, half by a segment; e-mail with a control each."""
    parts = ["topic: news\nsays: News\ndefault: in\nopt_in: single"]
    parts.append("template: hello\nchannel: email\nsubject: Hello\ntext: Hello")
    parts.append("policy: attention\ncaps: [{messages: 1, per: 7d, on_cap: skip}]")
    parts.append(
        "campaign: receipt\ntransactional: true\ntrigger: {event: Receipt}\nkey: event.n\n"
        "reenter: always\nvariants:\n  one: {send: {template: hello, channel: email}}"
    )
    for number in range(CAMPAIGNS - 1):
        trigger = f"{{event: Event {number}}}" if number % 2 else f"{{enters: segment_{number}}}"
        parts.append(
            f"segment: segment_{number}\nwhere: {{all: [{{did: {{event: Event {number}, times: {{gte: 3}},"
            f" within: 7d}}}}, {{did_not: {{event: Event {number + 20}, within: 3d}}}}]}}"
        )
        parts.append(
            f"campaign: campaign_{number}\nhypothesis: It helps.\ntrigger: {trigger}\n"
            f"goal: {{event: Event {number + 20}, within: 7d}}\ncontrol: 20%\nreenter: {{after: 30d}}\n"
            f"topic: news\nexit: [goal]\nvariants:\n  a: {{send: {{template: hello, channel: email}}}}\n"
            "  b:\n    steps:\n      - wait: {for: 1d}\n      - send: {template: hello, channel: email}"
        )
    return "\n---\n".join(parts)


def define(log: LogStore) -> int:
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(definitions())]
    body = {"name": "define", "documents": documents, "author": "bench", "note": ""}
    return append(log, Lane.URGENT, "command", [msgspec.json.encode(body)])


def append(log: LogStore, lane: Lane, kind: str, bodies: list[bytes]) -> int:
    now = WallClock().now()
    return log.append([NewRow(lane, now, "bench", kind, body) for body in bodies])[-1]


def bodies(chance: random.Random, customers: int, batch: int, run: str) -> Iterator[bytes]:
    """Batches as clients send them: 1 identify in 50, event names by Zipf's law."""
    weights = [1 / (rank + 1) for rank in range(NAMES)]
    number = 0
    while True:
        names = chance.choices(range(NAMES), weights, k=batch)
        items = []
        for name in names:
            number += 1
            user = chance.randrange(customers)
            ids = f'"userId":"user-{user}","messageId":"{run}-{number}"'
            if number % 50 == 0:
                items.append(
                    f'{{"type":"identify",{ids},"traits":{{"email":"user{user}@shop.example","plan":"pro"}}}}'
                )
            else:
                shown = NAMES - 1 - name
                items.append(
                    f'{{"type":"track",{ids},"event":"Event {shown}",'
                    f'"properties":{{"product":"p{user % 997}","revenue":{number % 90}.5,"currency":"EUR"}}}}'
                )
        yield ('{"batch":[' + ",".join(items) + '],"context":{"library":{"name":"bench"}}}').encode()


def collector(data: Path, rate: float, customers: int, seconds: float, batch: int) -> None:
    """Appends at `rate` events/s, several batches to a commit as they pile up."""
    log = LogStore(data / "log")
    made = bodies(random.Random(1), customers, batch, str(os.getpid()))
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        due = int(passed * rate / batch) - sent
        if due > 0:
            append(log, Lane.LIVE, "batch", [next(made) for _ in range(due)])
            sent += due
        else:
            time.sleep(0.002)
    log.close()


def engine(data: Path, stop: Stop, spent: Spent) -> None:
    """The role, as `hark.role engine` runs it, without a deliverer."""
    local = threading.Event()

    def wait() -> None:
        stop.wait()
        local.set()

    threading.Thread(target=wait, daemon=True).start()
    Engine(data, WallClock(), None, Settings()).run(local)
    spent.value = time.process_time()


def prepared(data: Path) -> None:
    """A directory with the definitions in force."""
    log = LogStore(data / "log")
    define(log)
    log.close()
    Engine(data, WallClock()).catch_up()


def megabytes(data: Path) -> str:
    sizes = {name: (data / name).stat().st_size >> 20 for name in ("state.db", "state.db-wal")}
    return ", ".join(f"{name} {size} MB" for name, size in sizes.items())


def watch(log: LogReader, state: StateReader) -> tuple[int, float]:
    """(live rows unread, seconds since the first of them arrived)."""
    cursor = state.cursors()[Lane.LIVE]
    unread = log.first_unread(Lane.LIVE, cursor)
    waiting = max(0, log.ends()[Lane.LIVE] - cursor)
    return waiting, 0.0 if unread is None else (WallClock().now() - unread) / 1e6


def throughput(data: Path, rate: float, customers: int, seconds: float) -> None:
    """(a) events/s sustained, lag over time, size of the state, CPU of the engine."""
    prepared(data)
    stop, spent = mp.Event(), mp.Value("d", 0.0)
    worker = mp.Process(target=engine, args=(data, stop, spent))
    worker.start()
    source = mp.Process(target=collector, args=(data, rate, customers, seconds, BATCH))
    source.start()
    time.sleep(0.5)
    log, state, began = LogReader(data / "log"), open_reader(data), time.perf_counter()
    while source.is_alive():
        time.sleep(min(10.0, seconds / 6))
        rows, lag = watch(log, state)
        passed = time.perf_counter() - began
        print(f"  {passed:5.0f} s  unread {rows * BATCH:8,} events, lag {lag:5.2f} s, {megabytes(data)}")
    while watch(log, state)[0]:
        time.sleep(0.01)
    took = time.perf_counter() - began
    stop.set()
    worker.join()
    events = state.cursors()[Lane.LIVE] * BATCH
    print(f"{events:,} events in {took:.1f} s: {events / took:,.0f} events/s,")
    each_us = spent.value / events * 1e6
    print(f"  {state.customers():,} customers, engine {each_us:.1f} us CPU an event,")
    print(f"  outbox {state.outbox_counts()}")


def latency(data: Path, rate: float, customers: int, seconds: float) -> None:
    """(b) from the append of an event (its 200) to its message in the outbox on disk.

    Single events at `rate`; ten a second are orders whose receipt is the only message there is.
    """
    prepared(data)
    log, state, chance = LogStore(data / "log"), open_reader(data), random.Random(1)
    for number in range(int(seconds * PROBES_PER_S) + 1):
        body = {"userId": f"probe-{number}", "traits": {"email": f"probe{number}@shop.example"}}
        append(log, Lane.LIVE, "identify", [msgspec.json.encode(body)])
    stop, spent = mp.Event(), mp.Value("d", 0.0)
    worker = mp.Process(target=engine, args=(data, stop, spent))
    worker.start()
    while state.cursors()[Lane.LIVE] < log.end():
        time.sleep(0.1)
    asked, answered = probes(log, state, rate, customers, seconds, chance)
    stop.set()
    worker.join()
    taken = sorted(1e3 * (end - start) for start, end in zip(asked, answered, strict=False))
    print(f"{len(taken)} of {len(asked)} receipts: p50 {taken[len(taken) // 2]:.0f} ms,")
    print(f"  p99 {taken[int(len(taken) * 0.99)]:.0f} ms, most {taken[-1]:.0f} ms")


def probes(
    log: LogStore, state: StateReader, rate: float, customers: int, seconds: float, chance: random.Random
) -> tuple[list[float], list[float]]:
    """(when each order was on disk in the log, when its receipt was seen in the outbox)."""
    asked: list[float] = []
    answered: list[float] = []
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds + 2:
        due = int(min(passed, seconds) * rate) - sent
        if due > 0:
            append(log, Lane.LIVE, "track", [single(chance, customers) for _ in range(due)])
            sent += due
        if passed < seconds and len(asked) < passed * PROBES_PER_S:
            body = {"userId": f"probe-{len(asked)}", "event": "Receipt", "properties": {"n": len(asked)}}
            append(log, Lane.LIVE, "track", [msgspec.json.encode(body)])
            asked.append(time.perf_counter())
        seen = state.outbox_counts().get("wanted", 0)
        answered += [time.perf_counter()] * (seen - len(answered))
        time.sleep(0.001)
    return asked, answered


def single(chance: random.Random, customers: int) -> bytes:
    user, event = chance.randrange(customers), chance.randrange(NAMES)
    return f'{{"userId":"user-{user}","event":"Event {event}","messageId":"{chance.random()}"}}'.encode()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--latency-only", action="store_true")
    parser.add_argument("--throughput-only", action="store_true")
    given = parser.parse_args()
    for run, skip in ((throughput, given.latency_only), (latency, given.throughput_only)):
        if skip:
            continue
        data = Path(tempfile.mkdtemp(prefix="hark-bench-"))
        try:
            run(
                data,
                given.rate if run is throughput else min(given.rate, 1_000),
                given.customers,
                given.seconds,
            )
        finally:
            shutil.rmtree(data)


if __name__ == "__main__":
    main()
