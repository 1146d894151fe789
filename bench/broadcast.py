"""A broadcast to everybody while live campaigns go on: `python -m bench.broadcast [--customers 1000000]`.

All four processes of a server, with the pipeline's 20 live campaigns and its traffic of 1,000 single calls a
second. First the time from an order's 200 to its receipt in the outbox on disk without the broadcast
(`alone`), then while one goes out to every customer who consents (`during`): drawn, checked, and durably
queued within 90 s (`queued_s`, from its instant to the last message on disk), while the receipts' median and
99th percentile stay within twice what they were alone. The mails go out at the sender's pace, which is not
looked at here.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path

import apsw
import msgspec

from bench._servers import Served, provider, serving
from bench._traffic import Traffic
from bench.pipeline import PROBES_PER_S, directory, receipts, send, spread
from hark.clock import WallClock
from hark.definitions.parse import parse
from hark.model import SECOND, Instant, Lane
from hark.store.contracts import NewRow
from hark.store.log import LogStore

ALONE_S, BEFORE_S, MEASURED_S, MOST_S = 30.0, 20, 90.0, 300
LIMITS = {"queued_s": 90, "slower": 2.0}
NEWS = """
campaign: news
hypothesis: They come back.
trigger: {{broadcast: {{at: "{at}", zone: UTC}}}}
goal: {{event: Event 5, within: 7d}}
control: 10%
topic: news
variants:
  a: {{send: {{template: hello, channel: email}}}}
  b: {{send: {{template: hello, channel: email}}}}
"""


def announce(data: Path, at: Instant) -> None:
    """The broadcast's definition, applied to the running server by the log."""
    text = NEWS.format(at=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // SECOND)))
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(text)]
    command = {"name": "define", "documents": documents, "author": "bench", "note": ""}
    log = LogStore(data / "log")
    log.append([NewRow(Lane.URGENT, WallClock().now(), "bench", "command", msgspec.json.encode(command))])
    log.close()


def measured(served: Served, traffic: Traffic) -> dict[str, float]:
    """How long receipts take under this traffic, in ms."""
    load = send(served, traffic)
    seen = receipts(served.data, traffic.seconds + 5)
    said, _ = load.communicate()
    return spread(json.loads(said)["probes"], seen)


def queued(data: Path, at: Instant) -> list[tuple[Instant, int]]:
    """(instant, messages of the broadcast on disk), each second until none came for twenty."""
    state = apsw.Connection(str(data / "state.db"), flags=apsw.SQLITE_OPEN_READONLY)
    last, found, counts = 0, 0, list[tuple[Instant, int]]()
    find = "SELECT number, campaign FROM outbox WHERE number > ? ORDER BY number"
    while WallClock().now() < at + MOST_S * SECOND:
        for number, campaign in state.execute(find, (last,)):
            last, found = number, found + (campaign == "news")
        counts.append((WallClock().now(), found))
        if found and len(counts) > 20 and counts[-21][1] == found:
            break
        time.sleep(1)
    state.close()
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--prepared", type=Path)
    given = parser.parse_args()
    counts: list[tuple[Instant, int]] = []
    with directory(given.customers, given.prepared) as data, provider(data):
        at = WallClock().now() + (30 + round(ALONE_S) + BEFORE_S + 30) * SECOND
        at -= at % SECOND
        announce(data, at)
        with serving(data) as served:
            alone = measured(served, Traffic(1_000, ALONE_S, given.customers, 1, PROBES_PER_S))
            early_s = (at - WallClock().now()) / SECOND
            assert early_s > 0, "the broadcast had begun before its comparison was over"
            time.sleep(early_s)
            look = threading.Thread(target=lambda: counts.extend(queued(data, at)))
            look.start()
            print(f"the broadcast begins; alone: {alone}", file=sys.stderr, flush=True)
            during = measured(served, Traffic(1_000, MEASURED_S, given.customers, 1, PROBES_PER_S))
            look.join()
    last = counts[-1][1]
    reached = next(when for when, found in counts if found == last)
    print(
        json.dumps(
            {
                "customers": given.customers,
                "messages": last,
                "queued_s": round((reached - at) / SECOND, 1),
                "alone": alone,
                "during": during,
                "slower": {name: round(during[name] / alone[name], 2) for name in ("p50_ms", "p99_ms")},
                "limits": LIMITS,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
