"""The whole pipeline: HTTP to the log, log to records, facts and outbox. Throughput with its lag; latency.

    python -m bench.pipeline --seconds 300                 the figures of the docs (1M customers)
    python -m bench.pipeline --seconds 30 --customers 200000
    python -m bench.pipeline --only latency

Three processes on one machine: collect and the engine as `hark.role` runs them, and the load, which sends
batches of 100 over 16 keep-alive connections (single calls over 64) at a fixed rate. Before the measured time
every customer was identified once (e-mail, plan), by rows put straight into the log and folded by the engine;
`--prepared DIR` keeps that for the next run. Throughput: `--rate` events/s; it is sustained if the engine's
lag does not grow. Latency: 1,000 single calls a second; ten more a second are orders whose receipt is looked
for in the outbox on disk, from the moment of the order's 200.

What is asked of the engine: 50 event names by Zipf's law; the ten most frequent (65 % of the calls: page
views and the like) are watched by nothing, all of the others by a trigger, a segment or a goal. One call in
50 is an identify. 20 campaigns are live: 10 start by an event (`where` its revenue is 50 or more), 9 by
entering a segment (two such events within 7 days, none of another within 3, and a trait), one is the receipt;
the 19 have an audience, a goal, a control of 20 %, two variants of which one waits a day, consent by a
topic and a cap of one message a week. Nothing is handed off: there is no provider.

Prints one JSON document; `--only throughput|latency` for a part. CPU is that of /proc/PID/stat.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import apsw
import msgspec
from msgspec import Struct

from bench import _traffic
from bench._traffic import Traffic
from hark.clock import WallClock
from hark.collect.sources import add_source, read_sources
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import Lane
from hark.store.contracts import NewRow
from hark.store.log import LogReader, LogStore
from hark.store.state import open_reader

BATCH = 100
PROBES_PER_S = 10.0
PROBES = 10_000
EVERY_S = 10.0
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
ENGINE = """
import signal, sys, threading
from pathlib import Path
from hark.clock import WallClock
from hark.engine import Engine
from hark.settings import read
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
data = Path(sys.argv[1])
Engine(data, WallClock(), None, read(data)).run(stop)
"""
"""The role of the engine, without deliverers."""


class Server(Struct, frozen=True):
    """Collect and the engine over one directory."""

    data: Path
    port: int
    key: str
    collect: int
    """A process id, as `engine`."""
    engine: int


class Sample(Struct, frozen=True):
    """How far everything is at one moment."""

    at: float
    accepted: int
    folded: int
    lag_s: float
    collect_s: float
    engine_s: float


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


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    role = ["-m", "hark.role", "collect", "--data", str(data), "--port", str(port)]
    collect = subprocess.Popen(
        [sys.executable, *role, "--fd", str(listener.fileno())], pass_fds=(listener.fileno(),)
    )
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(data)])
    began = WallClock().now()
    try:
        while open_reader(data).engine_time() < began:
            time.sleep(0.1)
        yield Server(data, port, read_sources(data)[0].write_key(0), collect.pid, engine.pid)
    finally:
        for process in (collect, engine):
            process.send_signal(signal.SIGTERM)
        for process in (collect, engine):
            process.wait(30)
        listener.close()


def send(server: Server, traffic: Traffic) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "bench._traffic", str(server.port), server.key]
    line = json.dumps(msgspec.to_builtins(traffic))
    return subprocess.Popen([*words, line], stdout=subprocess.PIPE)


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


class Watch:
    """Looks at a server from outside, through read-only connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._log, self._state = LogReader(server.data / "log"), open_reader(server.data)

    def sample(self) -> Sample:
        cursor = self._state.cursors()[Lane.LIVE]
        unread = self._log.first_unread(Lane.LIVE, cursor)
        lag_s = 0.0 if unread is None else (WallClock().now() - unread) / 1e6
        return Sample(
            *(time.monotonic(), self._log.ends()[Lane.LIVE] * BATCH, cursor * BATCH, lag_s),
            *(cpu_s(self._server.collect), cpu_s(self._server.engine)),
        )

    def close(self) -> None:
        self._log.close()
        self._state.close()


def throughput(data: Path, traffic: Traffic) -> dict[str, object]:
    """(a) events/s sustained, lag over time, CPU of each process."""
    with serving(data) as server:
        watch = Watch(server)
        load, samples = send(server, traffic), [watch.sample()]
        while load.poll() is None:
            time.sleep(min(EVERY_S, traffic.seconds / 4))
            samples.append(watch.sample())
            say(between(*samples[-2:]))
        said, _ = load.communicate()
        while watch.sample().folded < watch.sample().accepted:
            time.sleep(0.01)
        samples.append(watch.sample())
        watch.close()
    every = [between(*pair) for pair in pairwise(samples[:-1])]
    return {
        "whole": between(samples[0], samples[-1]),
        "load": {name: value for name, value in json.loads(said).items() if name != "probes"},
        "watched_share": round(_traffic.watched_share(), 3),
        "outbox": open_reader(data).outbox_counts(),
        "megabytes": {name: (data / name).stat().st_size >> 20 for name in ("state.db",)},
        "every": every,
    }


def between(before: Sample, after: Sample) -> dict[str, float]:
    passed, folded = after.at - before.at, max(1, after.folded - before.folded)
    return {
        "seconds": round(passed, 1),
        "accepted_per_s": round((after.accepted - before.accepted) / passed),
        "folded_per_s": round(folded / passed),
        "lag_events": after.accepted - after.folded,
        "lag_s": round(after.lag_s, 3),
        "engine_us": round((after.engine_s - before.engine_s) / folded * 1e6, 1),
        "engine_cores": round((after.engine_s - before.engine_s) / passed, 3),
        "collect_cores": round((after.collect_s - before.collect_s) / passed, 3),
    }


def say(found: dict[str, float]) -> None:
    print(json.dumps(found), file=sys.stderr, flush=True)


def latency(data: Path, traffic: Traffic) -> dict[str, object]:
    """(b) from an order's 200 to its receipt in the outbox on disk, in ms."""
    with serving(data) as server:
        before = cpu_s(server.engine)
        load = send(server, traffic)
        seen = receipts(data, traffic.seconds + 5)
        said, _ = load.communicate()
        spent = cpu_s(server.engine) - before
    found = json.loads(said)
    asked = {int(number): at for number, at in found["probes"].items()}
    taken = sorted(1e3 * (seen[number] - at) for number, at in asked.items() if number in seen)
    return {
        "probes": len(asked),
        "found": len(taken),
        "p50_ms": round(statistics.median(taken), 1),
        "p90_ms": round(taken[int(len(taken) * 0.90)], 1),
        "p99_ms": round(taken[int(len(taken) * 0.99)], 1),
        "most_ms": round(taken[-1], 1),
        "engine_cores": round(spent / (traffic.seconds + 5), 3),
        "load": {name: value for name, value in found.items() if name != "probes"},
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
