"""Other questions at scale: `python -m bench.questions [EVENTS ...]` (default: 1M, 10M, 100M events).

On the history that `bench.funnel` writes (`HARK_BENCH_KEEP` keeps it), in one process with columns resident,
each the median of three: a funnel of 3 and of 12 steps and one with a predicate, weekly retention over twelve
weeks, the paths of depth 5 after one event, sessions, lifecycle and a trend. Limits hold at 100M. DuckDB does
the weekly retention on a table of its own, sorted by subject and time, and must find the same cohorts.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.funnel import BEGIN, LARGE, SIZES, exponent, snapshot, timed, used, write
from hark.definitions.asked import FOREVER, Funnel, Lifecycle, Paths, Retention, Sessions, Trend
from hark.definitions.types import EventMatch
from hark.history.reader import Resident
from hark.model import DAY, WEEK
from hark.understand.funnel import ask_funnel
from hark.understand.lifecycle import ask_lifecycle
from hark.understand.paths import ask_paths
from hark.understand.retention import ask_retention
from hark.understand.sessions import ask_sessions
from hark.understand.trend import ask_trend

NOW = BEGIN + 91 * DAY
LIMITS = {"predicate": 4.0, "retention": 3.0, "paths": 6.0}
RETENTION = Retention(EventMatch(("Event 3",)), EventMatch(("Event 1",)), begin=BEGIN, end=BEGIN + 12 * WEEK)


def steps(count: int) -> tuple[EventMatch, ...]:
    return tuple(EventMatch((f"Event {number}",)) for number in range(2, 2 + count))


WHERE = EventMatch(("Event 2",), {"product": {"in": [f"p{number}" for number in range(100)]}})
QUESTIONS: dict[str, tuple[Callable[..., Any], Any]] = {
    "funnel_3": (ask_funnel, Funnel(steps(3), WEEK)),
    "funnel_12": (ask_funnel, Funnel(steps(12), WEEK)),
    "predicate": (ask_funnel, Funnel((WHERE, *steps(3)[1:]), WEEK)),
    "retention": (ask_retention, RETENTION),
    "paths": (ask_paths, Paths(EventMatch(("Event 3",)), depth=5, gap_us=None)),
    "sessions": (ask_sessions, Sessions()),
    "lifecycle": (ask_lifecycle, Lifecycle()),
    "trend": (ask_trend, Trend(EventMatch(("Event 3",)), "week")),
}


def duckdb_retention(folder: Path) -> tuple[float, list[Any]]:
    """Weekly cohorts by DuckDB: seconds of the warm query on its sorted table, and (week, size) of each."""
    import duckdb

    database = duckdb.connect()
    database.execute(
        f"""create table e as select subject, epoch_us("at") as t, name
            from read_parquet('{folder}/*/*.parquet') order by subject, t"""
    )
    sql = f"""with s as (select subject, min(t) as t0 from e
                         where name = 'Event 3' and t < {RETENTION.end} group by 1),
        r as (select distinct s.subject, date_trunc('week', make_timestamp(t0)) as w,
                datediff('week', w, date_trunc('week', make_timestamp(t))) as k
              from e join s using (subject) where name = 'Event 1' and t > t0)
        select strftime(date_trunc('week', make_timestamp(t0)), '%Y-%m-%d') as w, count(*)
        from s group by 1 order by 1"""
    matrix = sql.split("select strftime", maxsplit=1)[0] + "select w, k, count(*) from r group by all"

    def both() -> list[Any]:
        database.execute(matrix).fetchall()
        return [list(row) for row in database.execute(sql).fetchall()]

    both()
    return timed(both)


def measure(folder: Path, events: int) -> dict[str, Any]:
    if not folder.exists():
        write(folder, events)
    resident = Resident()
    found: dict[str, Any] = {"events": snapshot(folder).count()}
    for name, (ask, question) in QUESTIONS.items():
        ask(snapshot(folder, resident), question, NOW)
        times = [timed(lambda a=ask, q=question: a(snapshot(folder, resident), q, NOW))[0] for _ in range(3)]  # type: ignore[misc]
        found[name] = statistics.median(times)
    found["peak_gb"] = used()["peak_gb"]
    found["duckdb_retention"], theirs = duckdb_retention(folder)
    ours = ask_retention(snapshot(folder, resident), RETENTION, FOREVER).cohorts
    assert [[one.cohort, one.size] for one in ours] == theirs
    return found


def main(arguments: list[str]) -> int:
    found = []
    for events in [int(word) for word in arguments if word.isdigit()] or SIZES:
        with TemporaryDirectory(prefix="hark-bench-") as folder:
            kept = Path(os.environ.get("HARK_BENCH_KEEP", folder)) / f"history-{events}"
            found.append(measure(kept, events))
            print(json.dumps(found[-1]), file=sys.stderr)
    large = [one for one in found if one["events"] > 0.9 * LARGE]
    missed = [name for one in large for name, most in LIMITS.items() if one[name] > most]
    missed += ["funnel_12" for one in large if one["funnel_12"] > 2 * one["funnel_3"]]
    growth = {name: exponent(found, name) for name in QUESTIONS}
    print(json.dumps({"sizes": found, "exponents": growth, "limits": LIMITS, "missed": missed}, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
