"""Collecting while somebody asks without pause: `python -m bench.beside [EVENTS] [--seconds S]` (10M, 20 s).

On a directory with the history that `bench.funnel` writes (`HARK_BENCH_KEEP` keeps it), served by all four
processes: single events over 32 connections as fast as they are answered, and 500 a second; each alone, then
while the questions process answers a funnel of three steps in an endless loop. Limits: at full speed 0.7 of
the rate alone; at 500 a second a p99 of 3 times the one alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench._servers import Served, serving
from bench.funnel import PATH, snapshot, write
from bench.ingest import SHAPES
from hark.clock import WallClock
from hark.collect.sources import add_source
from hark.engine import Engine
from hark.questions import ask
from hark.store.log import LogStore
from hark.store.table import EventTable

RATE, P99 = 0.7, 3.0
FUNNEL = {"funnel": {"steps": list(PATH), "within": "7d"}}


def directory(data: Path, history: Path) -> None:
    """A data directory whose history is the files written before, of a log that is still empty."""
    add_source(data, "bench")
    LogStore(data / "log").close()
    Engine(data, WallClock()).catch_up()
    table, known = EventTable(data / "history"), EventTable(history).version()
    assert known
    for file in known.files:
        path = data / "history" / file.path
        path.parent.mkdir(exist_ok=True)
        os.link(history / file.path, path)
    version = table.version()
    assert version
    table.commit(version, known.files, [], 0)


@contextmanager
def asking(data: Path) -> Iterator[list[float]]:
    """Somebody who asks the funnel again as soon as it is answered: the seconds each answer took."""
    taken: list[float] = []
    over = threading.Event()

    def loop() -> None:
        number = 0
        while not over.is_set():
            begun = time.perf_counter()
            # Another range each time, so that no answer is one kept from before.
            ask(data, {"funnel": FUNNEL["funnel"] | {"until": f"2100-01-01T00:00:{number % 60:02}Z"}})
            taken.append(time.perf_counter() - begun)
            number += 1

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def under_load(served: Served, shape: str, seconds: float) -> dict[str, float]:
    connections, events, rate = SHAPES[shape]
    numbers = map(str, (connections, events, seconds, rate))
    words = [sys.executable, "-m", "bench._load", str(served.port), served.key, *numbers]
    found: dict[str, float] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return found | {"events_per_s": found["requests"] / seconds}


def measure(history: Path, seconds: float) -> dict[str, Any]:
    """Each shape of load alone and beside the loop."""
    found: dict[str, Any] = {"events": snapshot(history).count()}
    with TemporaryDirectory(prefix="hark-bench-", dir=history.parent) as folder:
        data = Path(folder)
        directory(data, history)
        with serving(data) as served:
            ask(data, FUNNEL)  # columns are decoded and kernels compiled from here on
            for shape in ("singles", "paced"):
                alone = under_load(served, shape, seconds)
                with asking(data) as taken:
                    beside = under_load(served, shape, seconds)
                found[shape] = {"alone": alone, "beside": beside, "funnels": len(taken)}
                found[shape]["funnel_s"] = sum(taken) / max(1, len(taken))
    found["rate"] = found["singles"]["beside"]["events_per_s"] / found["singles"]["alone"]["events_per_s"]
    found["p99"] = found["paced"]["beside"]["p99_ms"] / found["paced"]["alone"]["p99_ms"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=10_000_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="hark-bench-") as folder:
        history = Path(os.environ.get("HARK_BENCH_KEEP", folder)) / f"history-{given.events}"
        if not history.exists():
            write(history, given.events)
        found = measure(history, given.seconds)
    print(json.dumps(found | {"limits": {"rate": RATE, "p99": P99}}, indent=1))
    return 0 if found["rate"] >= RATE and found["p99"] <= P99 else 1


if __name__ == "__main__":
    sys.exit(main())
