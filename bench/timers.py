"""A million timers that wait: `python -m bench.timers [--customers 1000000]`.

Every customer has booked something and is reminded when it begins (`wait: {to: event.starts_at}`); 100
campaigns are live. Nearly all of it begins in a month. All four processes run. Measured from outside, in the
outbox on disk, which is looked at every 2 ms:

* `paced`: 1,000 a second come due over 30 s; how late each reminder is (p50 50 ms, p99 1 s at most).
* `burst`: 100,000 come due in the same second; how long after it the last of them is durable (20 s).
* `restart`: timers came due while no engine ran; from its process's start to the first of them (5 s).
* `memory_gb`: the proportional set of the four processes together with everything pending (1.5 GB).

The mails themselves go out at the sender's pace, which is not looked at here.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import msgspec

from bench._servers import Served, provider, serving
from hark.clock import WallClock
from hark.collect.sources import add_source
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import SECOND, Instant, Lane
from hark.store.contracts import NewRow
from hark.store.log import LogStore

BATCH, CAMPAIGNS, A_MONTH_S = 100, 100, 30 * 86_400
PACED_S, RATE = 30, 1_000
BURST, WHILE_DOWN = 100_000, 1_000
LIMITS = {"p50_ms": 50, "p99_ms": 1_000, "burst_s": 20, "restart_s": 5, "memory_gb": 1.5}


def definitions() -> str:
    reminder = (
        "campaign: reminder\ntransactional: true\ntrigger: {event: Booked}\nkey: event.n\nreenter: always\n"
        "steps: [{wait: {to: event.starts_at}}, {send: {template: hello, channel: email}}]"
    )
    others = [
        f"campaign: campaign_{number}\nhypothesis: It helps.\ntrigger: {{event: Event {number}}}\n"
        f"goal: {{event: Goal {number}, within: 7d}}\ncontrol: 20%\ntopic: news\n"
        "steps: [{wait: {for: 1d}}, {send: {template: hello, channel: email}}]"
        for number in range(CAMPAIGNS - 1)
    ]
    base = [
        "topic: news\nsays: News\ndefault: in\nopt_in: single",
        "template: hello\nchannel: email\nsubject: Hello\ntext: Hello",
    ]
    return "\n---\n".join([*base, reminder, *others])


def booked(numbers: range, starts: Sequence[Instant]) -> Iterator[bytes]:
    """Batches in which these customers give their address and book what begins then (µs)."""
    for first in range(numbers.start, numbers.stop, BATCH):
        calls = [
            call
            for number in range(first, min(first + BATCH, numbers.stop))
            for call in _calls(number, starts[number - numbers.start])
        ]
        yield f'{{"batch":[{",".join(calls)}]}}'.encode()


def _calls(number: int, starts: Instant) -> tuple[str, str]:
    who = f'"userId":"user-{number}"'
    return (
        f'{{"type":"identify",{who},"messageId":"i{number}","traits":{{"email":"u{number}@shop.example"}}}}',
        f'{{"type":"track",{who},"messageId":"b{number}","event":"Booked",'
        f'"properties":{{"n":{number},"starts_at":"{_iso(starts)}"}}}}',
    )


def _iso(at: Instant) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // SECOND)) + f".{at % SECOND:06d}Z"


def put(data: Path, batches: Iterator[bytes]) -> None:
    """Straight into the log, and folded: nobody serves."""
    log, now = LogStore(data / "log"), WallClock().now()
    log.append([NewRow(Lane.LIVE, now, "set-up", "batch", body) for body in batches])
    log.close()
    Engine(data, WallClock()).catch_up()


def defined(data: Path) -> None:
    log = LogStore(data / "log")
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(definitions())]
    command = {"name": "define", "documents": documents, "author": "bench", "note": ""}
    log.append(
        [NewRow(Lane.URGENT, WallClock().now(), "bench", "command", msgspec.json.encode(command))],
    )
    log.close()
    add_source(data, "bench")
    Engine(data, WallClock()).catch_up()


def seen(data: Path, wanted: int, until: Instant) -> list[tuple[Instant, Instant]]:
    """(due, seen) of reminders as they stand in the outbox, until there are so many or the time is over."""
    state = apsw.Connection(str(data / "state.db"), flags=apsw.SQLITE_OPEN_READONLY)
    last = next(iter(state.execute("SELECT ifnull(max(number), 0) FROM outbox")))[0]
    found: list[tuple[Instant, Instant]] = []
    while len(found) < wanted and WallClock().now() < until:
        rows = list(
            state.execute("SELECT number, due_at FROM outbox WHERE number > ? ORDER BY number", (last,))
        )
        now = WallClock().now()
        found += [(due, now) for _, due in rows]
        last = rows[-1][0] if rows else last
        time.sleep(0.002)
    state.close()
    return found


def memory_gb(served: Served) -> float:
    """The proportional set of all processes."""
    lines = [
        line
        for pid in served.pids.values()
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    ]
    return sum(int(line.split()[1]) for line in lines) / (1 << 20)


def live(data: Path, paced: Instant, burst: Instant) -> dict[str, object]:
    """The paced timers, then the burst, with a server running."""
    with provider(data), serving(data) as served:
        assert WallClock().now() < paced, "the server was up before the first came due"
        pending_gb = memory_gb(served)
        late = sorted((at - due) / 1e3 for due, at in seen(data, PACED_S * RATE, burst - 5 * SECOND))
        rest = seen(data, BURST, burst + 120 * SECOND)
        return {
            "paced": {
                "seen": len(late),
                "p50_ms": round(statistics.median(late), 1),
                "p99_ms": round(late[math.ceil(len(late) * 0.99) - 1], 1),
                "most_ms": round(late[-1], 1),
            },
            "burst": {"seen": len(rest), "last_s": round((rest[-1][1] - burst) / SECOND, 2)},
            "memory_gb": {"pending": round(pending_gb, 2), "after": round(memory_gb(served), 2)},
        }


def restart(data: Path, number: int) -> dict[str, object]:
    """Timers that came due while no engine ran."""
    due = WallClock().now() + 20 * SECOND
    put(data, booked(range(number, number + WHILE_DOWN), [due] * WHILE_DOWN))
    time.sleep(max(0.0, (due - WallClock().now()) / SECOND + 1))
    found: list[tuple[Instant, Instant]] = []
    look = threading.Thread(target=lambda: found.extend(seen(data, WHILE_DOWN, due + 120 * SECOND)))
    look.start()
    began = WallClock().now()
    with provider(data), serving(data):
        look.join()
    return {
        "seen": len(found),
        "first_s": round((found[0][1] - began) / SECOND, 2),
        "last_s": round((found[-1][1] - began) / SECOND, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    customers = parser.parse_args().customers
    with TemporaryDirectory(prefix="hark-bench-") as folder:
        data, far = Path(folder), WallClock().now() + A_MONTH_S * SECOND
        defined(data)
        began = time.monotonic()
        put(data, booked(range(customers), [far + number * 1_000 for number in range(customers)]))
        armed_s = time.monotonic() - began
        print(f"{customers} timers armed in {armed_s:.0f} s", file=sys.stderr, flush=True)
        soon = PACED_S * RATE + BURST
        paced = WallClock().now() + round((60 + armed_s * soon / customers) * SECOND)
        burst = paced + (PACED_S + 20) * SECOND
        starts = [paced + n * SECOND // RATE for n in range(PACED_S * RATE)] + [burst] * BURST
        put(data, booked(range(customers, customers + soon), starts))
        found = live(data, paced, burst) | {"restart": restart(data, customers + soon)}
    print(json.dumps({"pending": customers, "armed_s": round(armed_s), **found, "limits": LIMITS}, indent=1))


if __name__ == "__main__":
    main()
