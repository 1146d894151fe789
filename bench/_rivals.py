"""The questions of `bench.questions` by DuckDB and by chDB, each warm on a table of its own.

`python -m bench._rivals duckdb|chdb FOLDER TABLE [QUESTION ...]`: FOLDER holds the history's files. TABLE is
made if it is not there, sorted by subject and time. Prints `{"build_s", "peak_gb", question: {"s",
"answer"}}`, `s` being the median of three after a first. Answers are what ours are compared with: customers.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from bench.funnel import BEGIN, BUCKETS
from hark.model import WEEK

Rows: TypeAlias = list[list[Any]]
Ask: TypeAlias = Callable[[str], Rows]
GOODS = ", ".join(f"'p{number}'" for number in range(100))
"""The products of the predicate."""
END = BEGIN + 12 * WEEK


def names(numbers: range) -> list[str]:
    return [f"Event {number}" for number in numbers]


def duckdb(folder: Path, table: Path) -> tuple[Ask, float]:
    """A table of enumerated names, in the order in which they are asked for, written bucket by bucket."""
    import duckdb as library

    new, begun = not table.exists(), time.perf_counter()
    database = library.connect(str(table))
    if new:
        known = ", ".join(f"'{name}'" for name in names(range(50)))
        database.execute(f"create type name as enum ({known})")
        database.execute("create table e (subject bigint, t bigint, seq bigint, name name, product varchar)")
        for bucket in range(BUCKETS):
            database.execute(
                f"""insert into e select subject, epoch_us("at"), seq, name::name, properties->>'$.product'
                    from read_parquet('{folder}/bucket={bucket}/*.parquet') order by 1, 2, 3"""
            )
        database.execute("checkpoint")
    return lambda sql: [list(row) for row in database.execute(sql).fetchall()], time.perf_counter() - begun


def chdb(folder: Path, table: Path) -> tuple[Ask, float]:
    """A MergeTree of one part, ordered by subject and time."""
    from chdb import session

    new, begun = not table.exists(), time.perf_counter()
    found = session.Session(str(table))
    if new:
        found.query("create database b")
        found.query(
            """create table b.e (subject Int64 codec(Delta, LZ4), t UInt64 codec(Delta, LZ4), seq Int64,
               name LowCardinality(String), product LowCardinality(String))
               engine = MergeTree order by (subject, t, seq)"""
        )
        for bucket in range(BUCKETS):
            found.query(
                f"""insert into b.e select subject, toUnixTimestamp64Micro(at), seq, name,
                    JSONExtractString(properties, 'product')
                    from file('{folder}/bucket={bucket}/*.parquet', Parquet)"""
            )
        found.query("optimize table b.e final")
    rows = lambda sql: json.loads(str(found.query(sql, "JSONCompact")))["data"]  # noqa: E731
    return rows, time.perf_counter() - begun


def duckdb_funnel(steps: int, where: str = "true") -> str:
    """The latest start that reached each step, by window functions."""
    order = "over (partition by subject order by t, seq rows unbounded preceding)"
    first, *others = names(range(2, 2 + steps))
    listed = ", ".join(f"'{name}'" for name in (first, *others))
    parts = [f"e1 as (select *, max(case when name = '{first}' and {where} then t end) {order} as s1 from e "
             f"where name in ({listed}))"]  # fmt: skip
    for place, name in enumerate(others, start=2):
        reached = f"max(case when name = '{name}' and t <= s{place - 1} + {WEEK} then s{place - 1} end)"
        parts.append(f"e{place} as (select *, {reached} {order} as s{place} from e{place - 1})")
    counts = ", ".join(f"count(distinct subject) filter (s{n} is not null)" for n in range(1, steps + 1))
    return f"with {', '.join(parts)} select {counts} from e{steps}"


def chdb_funnel(steps: int, where: str = "1") -> str:
    """`windowFunnel`, of which levels are counted."""
    listed = names(range(2, 2 + steps))
    first, *others = (f"name = '{name}'" for name in listed)
    given = ", ".join([f"{first} and {where}", *others])
    counts = ", ".join(f"countIf(l >= {level})" for level in range(1, steps + 1))
    among = ", ".join(f"'{name}'" for name in listed)
    return f"""select {counts} from (select windowFunnel({WEEK})(t, {given}) as l from b.e
               where name in ({among}) group by subject) settings optimize_aggregation_in_order = 1"""


DUCKDB = {
    "funnel_3": duckdb_funnel(3),
    "funnel_12": duckdb_funnel(12),
    "predicate": duckdb_funnel(3, f"product in ({GOODS})"),
    "retention": f"""with s as (select subject, min(t) as t0 from e
            where name = 'Event 3' and t >= {BEGIN} and t < {END} group by 1),
        r as (select distinct s.subject, date_trunc('week', make_timestamp(t0)) as w,
                datediff('week', w, date_trunc('week', make_timestamp(t))) as k
              from e join s using (subject) where name = 'Event 1' and t > t0)
        select strftime(w, '%Y-%m-%d'), k, count(*) from r group by all order by 1, 2""",
    "paths": """with a as (select subject, min(t) as t0 from e where name = 'Event 3' group by 1),
        f as (select subject, (list(name order by t, seq))[1:6] as way from e join a using (subject)
              where t >= t0 group by 1)
        select way::varchar, count(*) from f group by 1 order by 2 desc, 1 limit 20""",
}
CHDB = {
    "funnel_3": chdb_funnel(3),
    "funnel_12": chdb_funnel(12),
    "predicate": chdb_funnel(3, f"product in ({GOODS})"),
    "retention": f"""with s as (select subject, min(t) as t0 from b.e
            where name = 'Event 3' and t >= {BEGIN} and t < {END} group by subject)
        select toString(w), k, uniqExact(subject) from (
            select subject, toStartOfWeek(fromUnixTimestamp64Micro(toInt64(t0), 'UTC'), 1) as w,
                dateDiff('week', w, toStartOfWeek(fromUnixTimestamp64Micro(toInt64(t), 'UTC'), 1)) as k
            from b.e join s using (subject) where name = 'Event 1' and t > t0)
        group by w, k order by 1, 2""",
    "paths": """with a as (select subject, min(t) as t0 from b.e where name = 'Event 3' group by subject)
        select way, count() as n from (
            select arraySlice(groupArray(name), 1, 6) as way
            from (select subject, name from b.e join a using (subject) where t >= t0
                  order by subject, t, seq)
            group by subject)
        group by way order by n desc, way limit 20""",
}
ENGINES = {"duckdb": (duckdb, DUCKDB), "chdb": (chdb, CHDB)}


def peak_gb() -> float:
    """This process's own, not that of the one which started it (`ru_maxrss` has both)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


def main(engine: str, folder: Path, table: Path, wanted: list[str]) -> None:
    opened, questions = ENGINES[engine]
    ask, build_s = opened(folder, table)
    found: dict[str, Any] = {"build_s": build_s}
    for name, sql in questions.items():
        if not wanted or name in wanted:
            answer, times = ask(sql), []
            for _ in range(3):
                begun = time.perf_counter()
                ask(sql)
                times.append(time.perf_counter() - begun)
            found[name] = {"s": statistics.median(times), "answer": answer}
    found["peak_gb"] = peak_gb()
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
