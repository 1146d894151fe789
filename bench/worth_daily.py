"""The day's estimates of a million customers, the first time and the next day: `python -m bench.worth_daily`.

A history on disk whose purchases (with a value) are drawn from the model, one sealed file a bucket; then 1 %
more purchases in files of their own. The first day reads and fits the whole, the next one reads what is new
and climbs on from the parameters of the day before.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa

from bench.worth import SEED, drawn
from hark.definitions.learned import Prospect
from hark.history.merged import Merged
from hark.history.reader import Resident, Snapshot
from hark.history.seal import BUCKETS, Sealer
from hark.learn.worth.answer import Worth, purchase_days
from hark.learn.worth.estimates import Models, estimates
from hark.model import DAY, WEEK, Kind
from hark.store.table import ROWS, EventTable, bucket_of

NOW = 1_772_000_000_000_000
CUSTOMERS, NEW = 1_000_000, 0.01
ASKED = Worth(("Order Completed",), "revenue")


def purchases(chance: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray]:
    """(subject, at) of every purchase: the first, the last, and the others anywhere between."""
    known = drawn(chance, customers)
    first = NOW - known.seen * WEEK
    repeats = known.repeats.astype(np.int64)
    subject = np.repeat(np.arange(1, customers + 1), repeats + 1)
    share = chance.random(len(subject))
    starts = np.concatenate([[0], np.cumsum(repeats + 1)[:-1]])
    share[starts], share[starts[repeats > 0] + repeats[repeats > 0]] = 0.0, 1.0
    at = np.repeat(first, repeats + 1) + share * np.repeat(known.last * WEEK, repeats + 1)
    return subject, at.astype(np.int64)


def write(sealer: Sealer, table: EventTable, name: str, subject: np.ndarray, at: np.ndarray) -> None:
    """As sealed files, a value of a few cents to some hundreds in each row."""
    version = sealer.version()
    bucket, order = bucket_of(subject, BUCKETS), np.lexsort((at, subject))
    files = []
    for one in range(BUCKETS):
        rows = order[bucket[order] == one]
        files.append(table.write(one, name, [_rows(subject[rows], at[rows], rows)], 0))
    table.commit(version, [file for file in files if file], [], version.sealed + 1)


def _rows(subject: np.ndarray, at: np.ndarray, seq: np.ndarray) -> pa.Table:
    count = len(subject)
    when = pa.array(at, pa.timestamp("us", tz="UTC"))
    said = [f'{{"order_id":{n},"revenue":{n % 50_000 / 100},"currency":"EUR"}}' for n in seq.tolist()]
    columns = {"subject": subject, "at": when, "seq": seq, "name": ["Order Completed"] * count,
               "kind": np.full(count, int(Kind.TRACK), np.int8), "source": ["shop"] * count,
               "message_id": [""] * count, "received_at": when, "known_at": when, "instant": when,
               "active": np.ones(count, np.bool_), "properties": said, "context": ["{}"] * count,
               "origin": pa.nulls(count, pa.int64())}  # fmt: skip
    return pa.table({name: columns[name] for name in ROWS.names}).cast(ROWS)


def day(table: EventTable, kept: Resident, models: Models, now: int) -> dict[str, float]:
    """What the estimates take."""
    version = table.version()
    assert version is not None
    began, used = perf_counter(), process_time()
    days = purchase_days(Snapshot(table, version, [], Merged(()), kept), ASKED, now)
    read = perf_counter() - began
    found = estimates(days, now // DAY + 1, Prospect(ASKED.events, "purchases"), models)
    assert found is not None
    seconds, used = perf_counter() - began, process_time() - used
    told = {"read_s": read, "seconds": seconds, "processor_s": used}
    return {"customers": len(found[0]), **{name: round(value, 2) for name, value in told.items()}}


def main(customers: int) -> None:
    chance = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        table = EventTable(Path(folder) / "history")
        sealer, kept, models = Sealer(table, "bench"), Resident(), Models()
        subject, at = purchases(chance, customers)
        write(sealer, table, "sealed-1", subject, at)
        print(json.dumps({"day": "first"} | day(table, kept, models, NOW)), flush=True)
        more = chance.choice(customers, int(customers * NEW), replace=False) + 1
        write(sealer, table, "sealed-2", more, NOW + chance.integers(0, DAY, len(more)))
        print(json.dumps({"day": "next"} | day(table, kept, models, NOW + DAY)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
