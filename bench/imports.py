"""Importing: rows a second at sizes that span a factor of 100, and what live events feel of it.

    python -m bench.imports [--rows N] [--live-seconds S]

First `hark import` of N/100, N/10 and N rows of JSON lines into an empty directory without a server: rows a
second from start to folded, and the ratio of the largest to the smallest (1 is even). Then a server with
50 live events a second for S seconds, alone and with an import beside it: p50 and p99 of the answer, and the
ratio of the p99.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from hark.app import Workspace
from tests.cast import Server, serving

COLUMNS = ("--customer", "who", "--at", "when", "--event", "what")
PER_S = 50


def lines(path: Path, rows: int) -> Path:
    with path.open("w") as file:
        for number in range(rows):
            row = {
                "who": f"c{number % (rows // 20 + 1)}",
                "what": f"E{number % 50}",
                "when": 1_700_000_000 + number,
            }
            file.write(json.dumps({**row, "n": number, "plan": "pro", "page": "/shop/basket"}) + "\n")
    return path


def imported(file: Path, data: Path) -> float:
    """Seconds of one `hark import`, its start included."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "hark", "import", str(file), *COLUMNS, "--data", str(data), "--json"]
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - began


def sizes(folder: Path, rows: int) -> dict[str, float]:
    found = {}
    for count in (rows // 100, rows // 10, rows):
        seconds = imported(lines(folder / f"{count}.jsonl", count), folder / f"data{count}")
        found[f"rows_per_s_{count}"] = round(count / seconds)
    rates = list(found.values())
    return found | {"largest_over_smallest": round(rates[-1] / rates[0], 2)}


def live(server: Server, key: str, seconds: float) -> dict[str, float]:
    """Answers of single events, PER_S a second."""
    took = []
    with httpx.Client(trust_env=False, verify=False, timeout=30, auth=(key, "")) as client:
        for number in range(int(seconds * PER_S)):
            began = time.perf_counter()
            client.post(
                server.url + "/v1/track", json={"userId": f"u{number}", "event": "Seen"}
            ).raise_for_status()
            took.append(time.perf_counter() - began)
            time.sleep(max(0.0, 1 / PER_S - took[-1]))
    cuts = statistics.quantiles(took, n=100)
    return {"p50_ms": round(cuts[49] * 1e3, 2), "p99_ms": round(cuts[98] * 1e3, 2)}


def beside(folder: Path, rows: int, seconds: float) -> dict[str, object]:
    data = folder / "served"
    with serving(data) as server:
        key = Workspace(data).add_source("web").write_key
        alone = live(server, key, seconds)
        file = lines(folder / "beside.jsonl", rows)
        importing = threading.Thread(target=imported, args=(file, data))
        importing.start()
        during = live(server, key, seconds)
        still = importing.is_alive()
        importing.join()
    ratio = round(during["p99_ms"] / alone["p99_ms"], 2)
    return {"alone": alone, "with_import": during, "p99_ratio": ratio, "import_outlasted": still}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--live-seconds", type=float, default=15.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hark-bench-") as folder:
        found = {"sizes": sizes(Path(folder), given.rows)}
        found |= {"live": beside(Path(folder), given.rows, given.live_seconds)}  # type: ignore[dict-item]
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
