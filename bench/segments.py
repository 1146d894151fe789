"""Segments: `python -m bench.segments [EVENTS]` (default 100M events of 5M customers for the preview).

* `dispatch`: processor time of an event that no segment watches, with 1,000 segments and with none, by turns.
  The limit is 1.1 of it.
* `crowd`: 1,000 customers do what takes them into a segment, in one request each; from the first tick after
  they stand in the log until all memberships are on disk, by how many customers there are. Limit 0.3 s.
* `preview`: a condition of five parts over the whole history (that of `bench.funnel`, kept where
  HARK_BENCH_KEEP says), key columns resident, the median of three. Limit 3 s at 5M customers.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.funnel import BEGIN, LARGE, PER_CUSTOMER, snapshot, timed, used, write
from hark.clock import SetClock
from hark.decide.plan import Plan
from hark.decide.step import step
from hark.definitions.conditions import read_condition
from hark.definitions.document import Document
from hark.definitions.parse import parse
from hark.definitions.types import Segment
from hark.engine import Engine
from hark.engine.folder import Folder
from hark.engine.records import Records
from hark.history.reader import Resident
from hark.model import DAY, SECOND, Event, Instant, Lane, sequence
from hark.settings import Settings
from hark.store.changes import Kept
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.store.state import open_reader
from hark.understand.segments import segment_at

SEGMENTS, CROWD = 1_000, 1_000
LIMITS = {"dispatch": 1.1, "crowd_s": 0.3, "preview_s": 3.0}
FIVE = {
    "all": [
        {"did": {"event": "Event 1", "times": {"gte": 3}, "within": "30d"}},
        {"did_not": {"event": "Event 9", "within": "14d"}},
        {"did": {"event": "Event 2", "days": {"gte": 2}}},
        {"since_last": {"event": "Event 0", "lt": "7d"}},
        {"not": {"change": {"event": "Event 0", "window": "14d", "ratio": {"lte": 0.5}}}},
    ]
}


class Nowhere:
    """No records are kept."""

    def kept(self, _subject: int) -> Kept | None:
        return None

    def kept_of(self, _subjects: Sequence[int]) -> dict[int, Kept]:
        return {}

    def key(self, subject: int) -> tuple[str, Instant]:
        return f"u:{subject}", 0

    def first(self, _subject: int) -> bool:
        return False


def segments(count: int) -> Plan:
    text = "\n---\n".join(
        f"segment: s{number}\nwhere: {{did: {{event: Watched {number}, within: {number % 30 + 1}d}}}}"
        for number in range(count)
    )
    return Plan.compile([Document(one.kind, one.name, 1, one.body) for one in parse(text)] if count else [])


def dispatch(events: int = 200_000, rounds: int = 7) -> dict[str, float]:
    """Microseconds an event takes in the folder; rounds alternate, so that the machine's moods are shared."""
    plans = {"none": segments(0), "with_segments": segments(SEGMENTS)}
    given = [
        Event(n % 1000 + 1, n, sequence(n, 0), f"Event {n % 50}", 0, "web", "", n, n, n)
        for n in range(events)
    ]
    found: dict[str, list[float]] = {name: [] for name in plans}
    for _ in range(rounds):
        for name, plan in plans.items():
            folder = Folder(Records(Nowhere()), plan, step)
            begun = time.process_time()
            for event in given:
                folder.event(event)
            found[name].append((time.process_time() - begun) / events * 1e6)
    best = {name: min(times) for name, times in found.items()}
    return {**best, "ratio": best["with_segments"] / best["none"]}


def crowd(customers: int) -> float:
    """Seconds until 1,000 of so many customers are in the segment they go into."""
    with TemporaryDirectory() as folder:
        data, clock = Path(folder), SetClock(BEGIN)
        log = LogStore(data / "log")
        _send(log, clock, "batch", _batches(customers))
        definition = parse("segment: buyers\nwhere: {did: {event: Bought, within: 30d}}")[0]
        document = {"kind": "segment", "name": "buyers", "body": definition.body}
        define = {"name": "define", "documents": [document], "author": "bench", "note": ""}
        log.append([NewRow(Lane.URGENT, clock.now(), "bench", "command", json.dumps(define).encode())])
        engine = Engine(data, clock, None, Settings(seal_age_s=1e9))
        while engine.tick():
            pass
        clock.at += SECOND
        steps = max(1, customers // CROWD)
        rows = [{"userId": f"u{n * steps}", "event": "Bought", "messageId": f"b{n}"} for n in range(CROWD)]
        _send(log, clock, "track", rows)
        begun = time.perf_counter()
        while engine.tick():
            pass
        took = time.perf_counter() - begun
        reader = open_reader(data)
        inside = sum("buyers" in record.members for record in _records(reader))
        assert inside == CROWD, inside
        engine.close()
        return took


def _batches(customers: int) -> list[Any]:
    return [
        {"batch": [{"type": "track", "userId": f"u{n}", "event": "Seen", "messageId": f"s{n}"}
                   for n in range(start, min(start + 500, customers))]}
        for start in range(0, customers, 500)
    ]  # fmt: skip


def _send(log: LogStore, clock: SetClock, kind: str, bodies: list[Any]) -> None:
    for start in range(0, len(bodies), 200):
        part = bodies[start : start + 200]
        log.append([NewRow(Lane.LIVE, clock.now(), "web", kind, json.dumps(one).encode()) for one in part])


def _records(reader: Any) -> Any:
    after = 0
    while page := reader.records(after, 1_000):
        yield from page
        after = page[-1].subject


def preview(folder: Path) -> dict[str, Any]:
    """Seconds of the five-part condition, first and again, and how many it holds for."""
    resident = Resident()
    wanted = Segment("preview", read_condition(FIVE, "UTC"))

    def ask() -> list[int]:
        return [segment_at(snapshot(folder, resident), wanted, BEGIN + 90 * DAY).count]

    first, (count,) = timed(ask)
    again = [timed(ask)[0] for _ in range(3)]
    return {"first_s": first, "preview_s": statistics.median(again), "members": count, **used()}


def main(events: int) -> int:
    found: dict[str, Any] = {"dispatch": dispatch()}
    found["crowd_s"] = {str(customers): crowd(customers) for customers in (10_000, 200_000)}
    with TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("HARK_BENCH_KEEP", temporary)) / f"history-{events}"
        if not folder.exists():
            write(folder, events)
        found["preview"] = {"events": events, "customers": events // PER_CUSTOMER, **preview(folder)}
    failed = [
        name
        for name, ok in (
            ("dispatch", found["dispatch"]["ratio"] <= LIMITS["dispatch"]),
            ("crowd_s", max(found["crowd_s"].values()) <= LIMITS["crowd_s"]),
            ("preview_s", events < LARGE or found["preview"]["preview_s"] <= LIMITS["preview_s"]),
        )
        if not ok
    ]
    print(json.dumps({**found, "limits": LIMITS, "over": failed}))
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LARGE))
