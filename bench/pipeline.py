"""The whole pipeline: HTTP to the log, log to records, facts and outbox. Throughput with its lag; latency.

    python -m bench.pipeline --seconds 300                 the figures of the docs (1M customers)
    python -m bench.pipeline --seconds 30 --customers 200000
    python -m bench.pipeline --only latency

All four processes of a server on one machine, the engine with its deliverers, somebody clicking through the
console's pages (one every 2 s), and in processes of their own the load, which sends batches of 100 over 16
keep-alive connections (single calls over 64) at a fixed rate, and this one, which looks on and holds the mail
catcher, a provider that takes 50 messages/s (the product's default). Before the measured time every customer
was identified once (e-mail, plan), by rows put straight into the log and folded by the engine; with
`--prepared DIR` that is kept for the next run. Throughput: `--rate` events/s, the lag looked at every 2 s; it
does not grow if its median in the last third is no more than half a second over that in the first, and what
is unread at the end is folded within 2 s. Latency: 1,000 single calls a second; ten more a second are orders
whose receipt is looked for in the outbox on disk, from the moment of the order's 200.

What is asked of the engine: 50 event names by Zipf's law; the ten most frequent (65 % of the calls: page
views and the like) are watched by nothing, all of the others by a trigger, a segment or a goal. One call in
50 is an identify. 20 campaigns are live: 10 start by an event (`where` its revenue is 50 or more), 9 by
entering a segment (two such events within 7 days, none of another within 3, and a trait), one is the receipt;
the 19 have an audience, a goal, a control of 20 %, two variants of which one waits a day, consent by a
topic and a cap of one message a week.

Prints one JSON document; `--only throughput|latency` for a part. CPU is that of /proc/PID/stat.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import apsw
import msgspec
from msgspec import Struct

from bench import _traffic
from bench._servers import Clicks, Served, cpu_s, provider, serving
from bench._traffic import Traffic
from hark.clock import WallClock
from hark.collect.sources import add_source
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import Lane
from hark.store.contracts import NewRow
from hark.store.log import LogReader, LogStore
from hark.store.state import open_reader

BATCH = 100
PROBES_PER_S = 10.0
PROBES = 10_000
LOOK_S, EVERY_S = 2.0, 10.0


class Sample(Struct, frozen=True):
    """How far everything is at one moment."""

    at: float
    accepted: int
    folded: int
    lag_s: float
    cpu_s: dict[str, float]
    """By role; `load` and `bench` are what makes and looks at it all."""
    sent: int
    """Messages handed off."""


def prepare(data: Path, customers: int) -> None:
    """A directory with the definitions in force and every customer identified."""
    log = LogStore(data / "log")
    documents = [
        {"kind": one.kind, "name": one.name, "body": one.body} for one in parse(_traffic.definitions())
    ]
    command = {"name": "define", "documents": documents, "author": "bench", "note": ""}
    now = WallClock().now()
    log.append([NewRow(Lane.URGENT, now, "bench", "command", msgspec.json.encode(command))])
    log.append([NewRow(Lane.LIVE, now, "set-up", "batch", body) for body in known(customers)])
    log.close()
    add_source(data, "bench")
    Engine(data, WallClock()).catch_up()


def known(customers: int) -> Iterator[bytes]:
    """Batches that identify everybody, the probes' customers too."""
    calls = [_traffic.customer(number) for number in range(customers)]
    calls += [_traffic.customer(number, "probe") for number in range(PROBES)]
    for start in range(0, len(calls), BATCH):
        yield f'{{"batch":[{",".join(calls[start : start + BATCH])}]}}'.encode()


@contextmanager
def directory(customers: int, prepared: Path | None) -> Iterator[Path]:
    """A fresh copy of what is prepared, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="hark-bench-") as folder:
        data = Path(folder) / "data"
        if prepared and prepared.exists():
            shutil.copytree(prepared, data)
        else:
            prepare(data, customers)
            if prepared:
                shutil.copytree(data, prepared)
        os.sync()
        yield data


def send(server: Served, traffic: Traffic) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "bench._traffic", str(server.port), server.key]
    line = json.dumps(msgspec.to_builtins(traffic))
    return subprocess.Popen([*words, line], stdout=subprocess.PIPE)


class Watch:
    """Looks at a server from outside, through read-only connections."""

    def __init__(self, served: Served, load: int) -> None:
        self._served, self._load = served, load
        self._log, self._state = LogReader(served.data / "log"), open_reader(served.data)

    def sample(self) -> Sample:
        cursor = self._state.cursors()[Lane.LIVE]
        unread = self._log.first_unread(Lane.LIVE, cursor)
        lag_s = 0.0 if unread is None else (WallClock().now() - unread) / 1e6
        spent = self._served.cpu_s() | {"load": cpu_s(self._load), "bench": time.process_time()}
        accepted, sent = self._log.ends()[Lane.LIVE], self._state.outbox_counts().get("sent", 0)
        return Sample(time.monotonic(), accepted * BATCH, cursor * BATCH, lag_s, spent, sent)

    def unread(self) -> int:
        """Rows that are not folded yet."""
        return self._log.ends()[Lane.LIVE] - self._state.cursors()[Lane.LIVE]

    def close(self) -> None:
        self._log.close()
        self._state.close()


def throughput(data: Path, traffic: Traffic) -> dict[str, object]:
    """(a) events/s sustained, lag over time, CPU of each process, messages sent on the way."""
    with provider(data) as catcher:
        with serving(data) as served:
            with Clicks(served) as clicks:
                load = send(served, traffic)
                watch = Watch(served, load.pid)
                samples = watched(watch, load)
                said, _ = load.communicate()
            drained_s = drained(watch)
            watch.close()
        caught = len(catcher.caught)
    every = [between(*pair) for pair in pairwise(samples[:: round(EVERY_S / LOOK_S)])]
    return {
        "whole": between(samples[0], samples[-1]),
        "lag": lag(samples, drained_s),
        "load": {name: value for name, value in json.loads(said).items() if name != "probes"},
        "watched_share": round(_traffic.watched_share(), 3),
        "outbox": open_reader(data).outbox_counts(),
        "caught": caught,
        "pages": clicks.found(),
        "megabytes": {"state.db": (data / "state.db").stat().st_size >> 20},
        "every": every,
    }


def watched(watch: Watch, load: subprocess.Popen[bytes]) -> list[Sample]:
    """Samples until the load has ended; what happens is said every 10 s."""
    samples = [watch.sample()]
    said = samples[0]
    while load.poll() is None:
        time.sleep(LOOK_S)
        if load.poll() is None:
            samples.append(watch.sample())
        if samples[-1].at - said.at >= EVERY_S:
            print(json.dumps(between(said, samples[-1])), file=sys.stderr, flush=True)
            said = samples[-1]
    return samples


def drained(watch: Watch) -> float:
    """How long it takes until all that was accepted is folded."""
    began = time.monotonic()
    while watch.unread() and time.monotonic() < began + 600:
        time.sleep(0.01)
    return time.monotonic() - began


def lag(samples: Sequence[Sample], drained_s: float) -> dict[str, object]:
    """The lag over the run, in s, and whether it grows."""
    found = [sample.lag_s for sample in samples[1:]]
    third = max(1, len(found) // 3)
    first, last = statistics.median(found[:third]), statistics.median(found[-third:])
    return {
        "median": round(statistics.median(found), 3),
        "most": round(max(found), 3),
        "first_third": round(first, 3),
        "last_third": round(last, 3),
        "drained_s": round(drained_s, 2),
        "grows": last > first + 0.5 or drained_s > 2,
        "samples": [round(one, 2) for one in found],
    }


def between(before: Sample, after: Sample) -> dict[str, object]:
    passed, folded = after.at - before.at, max(1, after.folded - before.folded)
    cores = {role: round((now - before.cpu_s[role]) / passed, 3) for role, now in after.cpu_s.items()}
    return {
        "seconds": round(passed, 1),
        "accepted_per_s": round((after.accepted - before.accepted) / passed),
        "folded_per_s": round(folded / passed),
        "lag_events": after.accepted - after.folded,
        "lag_s": round(after.lag_s, 3),
        "engine_us": round((after.cpu_s["engine"] - before.cpu_s["engine"]) / folded * 1e6, 1),
        "cores": cores,
        "sent": after.sent - before.sent,
    }


def latency(data: Path, traffic: Traffic) -> dict[str, object]:
    """(b) from an order's 200 to its receipt in the outbox on disk, in ms."""
    with provider(data), serving(data) as served, Clicks(served):
        before = served.cpu_s()["engine"]
        load = send(served, traffic)
        seen = receipts(data, traffic.seconds + 5)
        said, _ = load.communicate()
        spent = served.cpu_s()["engine"] - before
    found = json.loads(said)
    return {
        **spread(found["probes"], seen),
        "engine_cores": round(spent / (traffic.seconds + 5), 3),
        "load": {name: value for name, value in found.items() if name != "probes"},
    }


def spread(probes: dict[str, float], seen: dict[int, float]) -> dict[str, float]:
    """How long receipts took, in ms, from the moments of the orders' 200."""
    asked = {int(number): at for number, at in probes.items()}
    taken = sorted(1e3 * (seen[number] - at) for number, at in asked.items() if number in seen)
    return {
        "probes": len(asked),
        "found": len(taken),
        "p50_ms": round(statistics.median(taken), 1),
        "p90_ms": round(taken[int(len(taken) * 0.90)], 1),
        "p99_ms": round(taken[int(len(taken) * 0.99)], 1),
        "most_ms": round(taken[-1], 1),
    }


def receipts(data: Path, seconds: float) -> dict[int, float]:
    """When each probe's message was first seen, looked for every 2 ms."""
    state = apsw.Connection(str(data / "state.db"), flags=apsw.SQLITE_OPEN_READONLY)
    find = """SELECT number, campaign, content ->> '$.to' FROM outbox WHERE number > ? ORDER BY number"""
    last, seen, ends = 0, dict[int, float](), time.monotonic() + seconds
    while (now := time.monotonic()) < ends:
        for number, campaign, address in state.execute(find, (last,)):
            last = number
            if campaign == "receipt":
                seen[int(address.removeprefix("probe").partition("@")[0])] = now
        time.sleep(0.002)
    state.close()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=["throughput", "latency"])
    parser.add_argument("--prepared", type=Path)
    given = parser.parse_args()
    found: dict[str, object] = {}
    if given.only != "latency":
        with directory(given.customers, given.prepared) as data:
            found["throughput"] = throughput(data, Traffic(given.rate, given.seconds, given.customers, BATCH))
    if given.only != "throughput":
        with directory(given.customers, given.prepared) as data:
            traffic = Traffic(1_000, given.seconds, given.customers, 1, PROBES_PER_S)
            found["latency"] = latency(data, traffic)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
