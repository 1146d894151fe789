"""The back-test at scale: `python -m bench.backtest [--events N]` (default: 100M events of 1M customers).

Writes a seeded history of a year (50 event names by Zipf's law, an identify call each) straight as the
table's sorted files, then asks for two campaigns as `hark backtest` does: one that an event starts (about a
million entries), one that a segment starts (two orders, then 45 days without). `seconds` is from the
question to the answer; the limit holds at 100M. What is written is kept for the next run in the folder that
HARK_BENCH_KEEP names.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from bench.funnel import coded, used
from hark.clock import SetClock
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import DAY, Kind, Lane
from hark.questions import ask
from hark.settings import Settings
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.store.table import ROWS, EventTable, bucket_of

SEED, NAMES, PER_CUSTOMER = 20261127, 50, 100
BEGIN = 1_730_000_000_000_000
YEAR = 365 * DAY
LIMIT_S = 60.0
DEFINITIONS = """
topic: news
default: in
---
template: hello
channel: email
subject: Hello
text: Hello
---
segment: quiet
where:
  all:
    - did: {event: Event 30, times: {gte: 2}}
    - did_not: {event: Event 30, within: 45d}
---
campaign: by_event
trigger: {event: Event 20}
goal: {event: Event 30, within: 14d}
expects: 1%
topic: news
reenter: {after: 30d}
steps: [{send: {channel: email, template: hello}}]
---
campaign: by_segment
trigger: {enters: quiet}
goal: {event: Event 30, within: 14d}
expects: 1%
topic: news
reenter: always
steps: [{send: {channel: email, template: hello}}]
"""


def made(data: Path, events: int) -> None:
    """A data directory with these definitions and a year of history."""
    clock = SetClock(BEGIN + YEAR)
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(DEFINITIONS)]
    command = {"name": "define", "documents": documents, "author": "bench", "note": ""}
    with LogStore(data / "log") as log:
        log.append([NewRow(Lane.URGENT, clock.now(), "hark", "command", json.dumps(command).encode())])
    Engine(data, clock, None, Settings()).catch_up()
    table = EventTable(data / "history")
    table.create("bench", 16)
    version = table.version()
    assert version
    customers = np.arange(1, events // PER_CUSTOMER + 1, dtype=np.int64)
    of = bucket_of(customers, version.buckets)
    files = [
        table.write(bucket, "bench", parts(customers[of == bucket], bucket), 0)
        for bucket in range(version.buckets)
    ]
    table.commit(version, [file for file in files if file], [], version.sealed)


def parts(customers: Any, bucket: int) -> Any:
    """The sorted rows of one bucket, 5,000 customers at a time."""
    rng = np.random.default_rng([SEED, bucket])
    for start in range(0, len(customers), 5_000):
        yield part(customers[start : start + 5_000], rng)


def part(customers: Any, rng: np.random.Generator) -> pa.Table:
    """Events of some customers, the first of each telling an address, some far busier than others."""
    often = 1 + rng.poisson(rng.gamma(1.0, PER_CUSTOMER - 1, len(customers)))
    subject = np.repeat(customers, often)
    at = BEGIN + rng.integers(0, YEAR, len(subject))
    at = at[np.lexsort((at, subject))]
    first = np.diff(subject, prepend=-1) != 0
    popularity = 1 / np.arange(1, NAMES + 1)
    code = rng.choice(NAMES, len(subject), p=popularity / popularity.sum())
    names = [f"Event {number}" for number in range(NAMES)] + ["Identify"]
    texts = [f'{{"product": "p{number}"}}' for number in range(1000)] + ['{"email":"a@shop.example"}']
    count, instants = len(subject), pa.array(at).view(pa.timestamp("us", tz="UTC"))
    columns = {
        "subject": subject, "at": instants,
        "seq": (at - BEGIN) // 1000 << 15 | rng.integers(0, 1 << 15, count),
        "name": coded(np.where(first, NAMES, code), names),
        "kind": np.where(first, int(Kind.IDENTIFY), 0).astype(np.int8),
        "source": coded(np.zeros(count, int), ["web"]),
        "message_id": pa.array(rng.integers(0, 1 << 62, count)).cast(pa.string()),
        "received_at": instants, "known_at": instants, "instant": instants, "active": np.ones(count, bool),
        "properties": coded(np.where(first, 1000, rng.integers(0, 1000, count)), texts),
        "context": coded(np.zeros(count, int), ["{}"]), "origin": pa.nulls(count, pa.int64()),
    }  # fmt: skip
    return pa.table(columns).select(ROWS.names)


def measure(data: Path, campaign: str) -> dict[str, Any]:
    clock = SetClock(BEGIN + YEAR)
    begun = time.perf_counter()
    found: Any = ask(data, {"backtest": {"campaign": campaign}}, clock)
    seconds = time.perf_counter() - begun
    kept = ("entries", "customers", "complete", "incomplete", "base_rate", "messages")
    return {"campaign": campaign, "seconds": seconds, **{key: found[key] for key in kept}} | used()


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--events", type=int, default=100_000_000)
    events = options.parse_args(arguments).events
    with TemporaryDirectory(prefix="hark-bench-") as folder:
        data = Path(os.environ.get("HARK_BENCH_KEEP", folder)) / f"backtest-{events}"
        begun = time.perf_counter()
        if not data.exists():
            data.mkdir(parents=True)
            made(data, events)
        found = [measure(data, name) for name in ("by_event", "by_segment")]
    missed = [one["campaign"] for one in found if events >= 100_000_000 and one["seconds"] > LIMIT_S]
    written = time.perf_counter() - begun - sum(one["seconds"] for one in found)
    print(
        json.dumps(
            {"events": events, "written_s": written, "limit_s": LIMIT_S, "found": found, "missed": missed}
        )
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
