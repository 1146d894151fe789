"""The funnel at scale: `python -m bench.funnel [EVENTS ...]` (default: 1M, 10M, 100M events).

Writes a seeded history (20 events a customer on average, 50 event names by Zipf's law, 90 days) straight as
the table's sorted files, then asks for three steps within 7 days: in a new process with nothing compiled or
decoded (`first_s`), in a new process with kernels compiled before (`cold_s`), and again with columns resident
(`resident_s`, median of 5). Times of new processes run from before they start until the answer. Limits hold
at 100M. What is written is kept for the next run in the folder that HARK_BENCH_KEEP names. Rivals:
`bench.questions`.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from hark.history.merged import Merged
from hark.history.reader import Resident, Snapshot
from hark.model import DAY
from hark.store.table import ROWS, EventTable, bucket_of
from hark.understand.funnel import FOREVER, Funnel, ask_funnel, parse_step

SEED = 20260301
SIZES = [1_000_000, 10_000_000, 100_000_000]
PER_CUSTOMER, NAMES, BUCKETS = 20, 50, 8
LATE = 50
"""One event in so many is in a run of its own that is not merged yet."""
BEGIN = 1_760_000_000_000_000
PATH = ("Event 2", "Event 5", "Event 9")
QUESTION = Funnel(tuple(parse_step(name) for name in PATH), 7 * DAY)
LIMITS = {"resident_s": 0.8, "first_s": 5.0, "peak_gb": 4.0}
LARGE = SIZES[-1]


def write(folder: Path, events: int) -> float:
    """A table of about so many events; answers the seconds it took."""
    begun = time.perf_counter()
    table = EventTable(folder)
    table.create("bench", BUCKETS)
    version = table.version()
    assert version
    customers = np.arange(1, events // PER_CUSTOMER + 1, dtype=np.int64)
    of = bucket_of(customers, BUCKETS)
    files = [
        table.write(bucket, name, parts(customers[of == bucket], bucket, late), 0)
        for bucket in range(BUCKETS)
        for name, late in (("bench", False), ("late", True))
    ]
    table.commit(version, [file for file in files if file], [], 1)
    return time.perf_counter() - begun


def parts(customers: Any, bucket: int, late: bool) -> Iterator[pa.Table]:
    """The sorted rows of one bucket, 25,000 customers at a time: the late ones, or the others."""
    rng = np.random.default_rng([SEED, bucket])
    for start in range(0, len(customers), 25_000):
        whole = part(customers[start : start + 25_000], rng)
        yield whole.filter(pa.array((whole["seq"].to_numpy() % LATE == 0) == late))


def part(customers: Any, rng: np.random.Generator) -> pa.Table:
    """Events of some customers, some of whom do far more than others."""
    subject = np.repeat(customers, rng.poisson(rng.gamma(1.0, PER_CUSTOMER, len(customers))))
    at = BEGIN + rng.integers(0, 90 * DAY, len(subject))
    at = at[np.lexsort((at, subject))]
    popularity = 1 / np.arange(1, NAMES + 1)
    code = rng.choice(NAMES, len(subject), p=popularity / popularity.sum())
    return rows(subject, at, code, rng)


def rows(subject: Any, at: Any, code: Any, rng: np.random.Generator) -> pa.Table:
    count = len(subject)
    instants = pa.array(at).view(pa.timestamp("us", tz="UTC"))
    columns = {
        "subject": subject, "at": instants,
        "seq": (at - BEGIN) // 1000 << 15 | rng.integers(0, 1 << 15, count),
        "name": coded(code, [f"Event {number}" for number in range(NAMES)]),
        "kind": np.zeros(count, np.int8), "source": coded(np.zeros(count, int), ["web"]),
        "message_id": pa.array(rng.integers(0, 1 << 62, count)).cast(pa.string()),
        "received_at": instants, "known_at": instants, "instant": instants, "active": np.ones(count, bool),
        "properties": coded(rng.integers(0, 1000, count), [f'{{"product": "p{n}"}}' for n in range(1000)]),
        "context": coded(np.zeros(count, int), ["{}"]), "origin": pa.nulls(count, pa.int64()),
    }  # fmt: skip
    return pa.table(columns).select(ROWS.names)


def coded(codes: Any, words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(words))


def snapshot(folder: Path, resident: Resident | None = None) -> Snapshot:
    table = EventTable(folder)
    version = table.version()
    assert version
    return Snapshot(table, version, [], Merged([]), resident)


def ask(folder: Path, resident: Resident | None = None) -> list[int]:
    return [step.customers for step in ask_funnel(snapshot(folder, resident), QUESTION, FOREVER).steps]


def answer_cold(folder: Path) -> None:
    """One question of a new process."""
    print(json.dumps({"customers": ask(folder)} | used()))


def answer_resident(folder: Path) -> None:
    """The same question five times, after one that fills the cache."""
    resident = Resident()
    loading, found = timed(lambda: ask(folder, resident))
    begun = time.process_time()
    seconds = [timed(lambda: ask(folder, resident))[0] for _ in range(5)]
    result = {"resident_s": statistics.median(seconds), "load_s": loading, "customers": found}
    result |= {"held_gb": resident.held_bytes / 1e9, "resident_cpu_s": (time.process_time() - begun) / 5}
    print(json.dumps(used() | result))


def used() -> dict[str, float]:
    """Memory at its peak, and processor time of all cores: unlike wall time, the same on a busy machine."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return {"peak_gb": found.ru_maxrss / 1e6, "cpu_s": found.ru_utime + found.ru_stime}


def timed(work: Callable[[], list[int]]) -> tuple[float, list[int]]:
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def process(role: str, folder: Path, cache: Path) -> dict[str, Any]:
    """What a new process answers, and `s`: its whole life in seconds."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "bench.funnel", role, str(folder)]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"s": time.perf_counter() - begun}


def measure(folder: Path, cache: Path, events: int) -> dict[str, Any]:
    """All figures at one size; the same customers must come out of every way of asking."""
    wrote = 0.0 if folder.exists() else write(folder, events)
    size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    first, cold, kept = (process(role, folder, cache) for role in ("cold", "cold", "resident"))
    result = {
        "events": snapshot(folder).count(), "write_s": wrote, "bytes_per_event": size / events,
        "first_s": first["s"], "cold_s": cold["s"], "resident_s": kept["resident_s"],
        "load_s": kept["load_s"],
        "peak_gb": max(first["peak_gb"], kept["peak_gb"]), "held_gb": kept["held_gb"],
        "first_cpu_s": first["cpu_s"], "cold_cpu_s": cold["cpu_s"], "resident_cpu_s": kept["resident_cpu_s"],
        "customers": cold["customers"],
    }  # fmt: skip
    assert first["customers"] == cold["customers"] == kept["customers"]
    return result


def exponent(found: list[dict[str, Any]], figure: str) -> float | None:
    """b in seconds ~ events^b, by least squares over the sizes."""
    if len(found) < 2:
        return None
    logs = np.log([[one["events"], one[figure]] for one in found])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def main(arguments: list[str]) -> int:
    sizes = [int(word) for word in arguments if word.isdigit()] or SIZES
    found = []
    for events in sizes:
        with TemporaryDirectory(prefix="hark-bench-") as folder:
            kept = Path(os.environ.get("HARK_BENCH_KEEP", folder)) / f"history-{events}"
            one = measure(kept, Path(folder) / "cache", events)
            found.append(one)
            print(json.dumps(one), file=sys.stderr)
    growth = {figure: exponent(found, figure) for figure in ("cold_s", "resident_s")}
    missed = [
        figure
        for one in found
        if one["events"] > 0.9 * LARGE
        for figure, most in LIMITS.items()
        if one[figure] > most
    ]
    print(json.dumps({"sizes": found, "exponents": growth, "limits": LIMITS, "missed": missed}, indent=1))
    return 1 if missed else 0


ROLES = {"cold": answer_cold, "resident": answer_resident}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in ROLES:
        ROLES[sys.argv[1]](Path(sys.argv[2]))
    else:
        sys.exit(main(sys.argv[1:]))
