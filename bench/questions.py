"""Questions at scale, beside two rivals: `python -m bench.questions [EVENTS ...] [--alone]` (1M, 10M, 100M).

On the history that `bench.funnel` writes (`HARK_BENCH_KEEP` keeps it, and the rivals' tables), in one process
with columns resident, each the median of three: funnels of 3 and of 12 steps and one with a predicate, weekly
retention over twelve weeks, the paths of depth 5 after one event, sessions, lifecycle and a trend. Then the
last 100 events of 500 customers, and what is stored beside zstd -3 of the same columns. DuckDB and chDB
answer the first five in the same run, each warm on its own sorted table (`_rivals`), and find the same
customers; --alone leaves them out. Limits hold at 100M.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from bench.funnel import BEGIN, LARGE, PER_CUSTOMER, SIZES, exponent, snapshot, used, write
from hark.definitions.asked import FOREVER, Funnel, Lifecycle, Paths, Retention, Sessions, Trend
from hark.definitions.types import EventMatch
from hark.history.reader import Resident
from hark.model import DAY, WEEK
from hark.store.table import ROWS, EventTable
from hark.understand.funnel import FunnelAnswer, ask_funnel
from hark.understand.lifecycle import ask_lifecycle
from hark.understand.paths import PathsAnswer, ask_paths
from hark.understand.retention import RetentionAnswer, ask_retention
from hark.understand.sessions import ask_sessions
from hark.understand.trend import ask_trend

NOW = BEGIN + 91 * DAY
LIMITS = {"funnel_3": 0.8, "predicate": 4.0, "retention": 3.0, "paths": 6.0, "last_100_p99_ms": 15.0,
          "stored_to_zstd3": 1.3, "peak_gb": 4.0}  # fmt: skip
FASTER = 3.0
"""Times as fast as the faster of the rivals a funnel has to be."""
RETENTION = Retention(EventMatch(("Event 3",)), EventMatch(("Event 1",)), begin=BEGIN, end=BEGIN + 12 * WEEK)
RIVALS = ("duckdb", "chdb")
COMPARED = ("funnel_3", "funnel_12", "predicate", "retention", "paths")
CUSTOMERS = 500


def steps(count: int) -> tuple[EventMatch, ...]:
    return tuple(EventMatch((f"Event {number}",)) for number in range(2, 2 + count))


WHERE = EventMatch(("Event 2",), {"product": {"in": [f"p{number}" for number in range(100)]}})
QUESTIONS: dict[str, tuple[Callable[..., Any], Any]] = {
    "funnel_3": (ask_funnel, Funnel(steps(3), WEEK)),
    "funnel_12": (ask_funnel, Funnel(steps(12), WEEK)),
    "predicate": (ask_funnel, Funnel((WHERE, *steps(3)[1:]), WEEK)),
    "retention": (ask_retention, RETENTION),
    "paths": (ask_paths, Paths(EventMatch(("Event 3",)), depth=5, gap_us=None, collapse=False)),
    "sessions": (ask_sessions, Sessions()),
    "lifecycle": (ask_lifecycle, Lifecycle()),
    "trend": (ask_trend, Trend(EventMatch(("Event 3",)), "week")),
}


def plain(answer: Any) -> list[Any]:
    """Our answer as the rivals give theirs."""
    if isinstance(answer, FunnelAnswer):
        return [step.customers for step in answer.steps]
    if isinstance(answer, RetentionAnswer):
        return [[one.cohort, after, active] for one in answer.cohorts
                for after, active in enumerate(one.active) if active]  # fmt: skip
    assert isinstance(answer, PathsAnswer)
    return [one.customers for one in answer.top]


def theirs(name: str, answer: list[list[Any]]) -> list[Any]:
    """A rival's answer, so that it can be compared."""
    if name == "paths":
        return [int(row[-1]) for row in answer]
    rows = [[int(cell) if str(cell).lstrip("-").isdigit() else cell for cell in row] for row in answer]
    return rows if name == "retention" else rows[0]


def rival(engine: str, folder: Path) -> dict[str, Any]:
    """What a rival takes for each question, and how much memory; its table stays beside the history."""
    table = folder.with_name(f"{engine}-{folder.name}")
    words = [sys.executable, "-m", "bench._rivals", engine, str(folder), str(table)]
    found: dict[str, Any] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return found


def last_100(folder: Path, events: int) -> dict[str, float]:
    """A customer's newest hundred events, in ms: of random customers, each from a history opened for it."""
    chance, times = random.Random(7), []
    for subject in chance.choices(range(1, events // PER_CUSTOMER + 1), k=CUSTOMERS + 20):
        begun = time.perf_counter()
        snapshot(folder).timeline(subject, 100)
        times.append((time.perf_counter() - begun) * 1e3)
    ranked = sorted(times[20:])
    return {"last_100_p50_ms": ranked[len(ranked) // 2], "last_100_p99_ms": ranked[int(len(ranked) * 0.99)]}


def stored_to_zstd3(folder: Path) -> float:
    """Bytes of a bucket's files over those of its columns, each as plain values through zstd -3."""
    table = EventTable(folder)
    version = table.version()
    assert version
    files = [file for file in version.files if file.bucket == 0]
    codec, squeezed = pa.Codec("zstd", compression_level=3), 0
    for name in ROWS.names:
        column = pa.concat_tables([table.read(file, [name]) for file in files], promote_options="permissive")[
            name
        ]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        for buffer in column.combine_chunks().buffers():
            squeezed += codec.compress(buffer).size if buffer else 0
    return sum(file.size for file in files) / squeezed


def ours(folder: Path) -> dict[str, Any]:
    """Seconds of each of our questions, with what they answer, in this process."""
    resident, found = Resident(), dict[str, Any]()
    for name, (ask, question) in QUESTIONS.items():
        answer, times = None, []
        for _ in range(4):
            begun = time.perf_counter()
            answer = ask(snapshot(folder, resident), question, FOREVER if name in COMPARED else NOW)
            times.append(time.perf_counter() - begun)
        found[name] = {"s": statistics.median(times[1:]), "first_s": times[0], "answer": answer}
    return found


def measure(folder: Path, events: int, alone: bool) -> dict[str, Any]:
    if not folder.exists():
        write(folder, events)
    asked = ours(folder)
    found: dict[str, Any] = {"events": snapshot(folder).count()}
    found |= {name: one["s"] for name, one in asked.items()}
    found |= {"peak_gb": used()["peak_gb"], "predicate_first": asked["predicate"]["first_s"]}
    found |= last_100(folder, events) | {"stored_to_zstd3": stored_to_zstd3(folder)}
    for engine in () if alone else RIVALS:
        other = rival(engine, folder)
        for name, one in ((name, one) for name, one in other.items() if isinstance(one, dict)):
            assert theirs(name, one["answer"]) == plain(asked[name]["answer"]), (engine, name)
            found[f"{engine}_{name}"] = one["s"]
        found |= {f"{engine}_build": other["build_s"], f"{engine}_peak_gb": other["peak_gb"]}
    return found


def missed(found: dict[str, Any]) -> list[str]:
    """The limits that do not hold."""
    names = [name for name, most in LIMITS.items() if found[name] > most]
    names += ["funnel_12"] if found["funnel_12"] > 2 * found["funnel_3"] else []
    rivals = [found[f"{engine}_funnel_3"] for engine in RIVALS if f"{engine}_funnel_3" in found]
    return names + (["rivals"] if rivals and found["funnel_3"] * FASTER > min(rivals) else [])


def main(arguments: list[str]) -> int:
    found = []
    for events in [int(word) for word in arguments if word.isdigit()] or SIZES:
        with TemporaryDirectory(prefix="hark-bench-") as folder:
            kept = Path(os.environ.get("HARK_BENCH_KEEP", folder)) / f"history-{events}"
            found.append(measure(kept, events, "--alone" in arguments))
            print(json.dumps(found[-1]), file=sys.stderr)
    failed = [name for one in found if one["events"] > 0.9 * LARGE for name in missed(one)]
    growth = {name: exponent(found, name) for name in QUESTIONS}
    print(json.dumps({"sizes": found, "exponents": growth, "limits": LIMITS, "missed": failed}, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
