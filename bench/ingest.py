"""Durable ingest: events a second that are on disk before their 200, beside a bare skeleton in the same run.

    python -m bench.ingest [--seconds S] [--rounds N] [--only batches|singles|paced]

Batches of 100 over 8 keep-alive connections, single events over 32, and 500 single events a second over 32.
The skeleton (`_skeleton.py`) is the same HTTP server, decoder, SQLite and fsync without anything else.
`hark_clicked` has a console behind the same port whose pages somebody opens. Server and load share the
machine. The bars hold on 2 quiet cores: 120k events/s in batches and 0.6 of the skeleton's; 4k single events
a second with p99 up to 30 ms and half of the skeleton's; at 500 a second p50 up to 2 ms and p99 up to 15 ms.
`cpu_us` is the server's processor time for one request, which noise moves least.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx

from hark.collect.sources import add_source

SHAPES = {"batches": (8, 100, 0), "singles": (32, 1, 0), "paced": (32, 1, 500)}
"""Connections, events of a request, and requests a second (0: as many as are answered)."""

TICKS = os.sysconf("SC_CLK_TCK")


def servers(folder: Path, listener: socket.socket) -> dict[str, list[str]]:
    fd, port = str(listener.fileno()), str(listener.getsockname()[1])
    hark = ["-m", "hark.role", "collect", "--data", str(folder / "hark"), "--port", port, "--fd", fd]
    return {"skeleton": ["-m", "bench._skeleton", str(folder), fd], "hark": hark, "hark_clicked": hark}


@contextmanager
def clicking(data: Path, port: int) -> Iterator[None]:
    """A console behind the same port, and somebody who opens its pages, five a second."""
    url, over = f"http://127.0.0.1:{port}", threading.Event()
    words = [sys.executable, "-m", "hark.role", "console", "--data", str(data), "--url", url]
    console = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    clicker = threading.Thread(target=click, args=(url + "/sign-in", over))
    try:
        wait_for(data / "run" / "console.sock")
        clicker.start()
        yield
    finally:
        over.set()
        clicker.join()
        console.kill()
        console.wait()


def click(url: str, over: threading.Event) -> None:
    with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
        while not over.wait(0.2):
            client.get(url).raise_for_status()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)


def measure(name: str, shape: str, seconds: float) -> dict[str, float]:
    """One run of one server on a fresh directory."""
    folder = Path(tempfile.mkdtemp(prefix="hark-bench-"))
    key = add_source(folder / "hark", "web").write_key
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    words = [sys.executable, *servers(folder, listener)[name]]
    server = subprocess.Popen(words, pass_fds=(listener.fileno(),))
    try:
        time.sleep(1.0)
        port = listener.getsockname()[1]
        with clicking(folder / "hark", port) if name == "hark_clicked" else nullcontext():
            return under_load(server.pid, port, key, shape, seconds)
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        listener.close()
        shutil.rmtree(folder)


def under_load(pid: int, port: int, key: str, shape: str, seconds: float) -> dict[str, float]:
    connections, events, rate = SHAPES[shape]
    numbers = [str(port), key, str(connections), str(events), str(seconds), str(rate)]
    words = [sys.executable, "-m", "bench._load", *numbers]
    before = cpu_s(pid)
    found: dict[str, float] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    share = seconds / (seconds + 0.5)
    found["events_per_s"] = round(found["requests"] * events / seconds)
    found["cpu_us"] = round((cpu_s(pid) - before) * share / max(1, found["requests"]) * 1e6, 1)
    return found


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def compare(shape: str, seconds: float, rounds: int) -> dict[str, object]:
    """The servers by turns; medians, and hark's rate over the skeleton's, alone and with a console in use."""
    runs: dict[str, list[dict[str, float]]] = {"skeleton": [], "hark": [], "hark_clicked": []}
    for _ in range(rounds):
        for name, found in runs.items():
            found.append(measure(name, shape, seconds))
    result: dict[str, object] = {name: medians(found) for name, found in runs.items()}
    rates = {name: statistics.median(run["events_per_s"] for run in found) for name, found in runs.items()}
    cpus = {name: statistics.median(run["cpu_us"] for run in found) for name, found in runs.items()}
    ratios = {
        "ratio": rates["hark"] / rates["skeleton"],
        "ratio_clicked": rates["hark_clicked"] / rates["skeleton"],
        "cpu_ratio": cpus["skeleton"] / cpus["hark"],
    }
    return result | {name: round(value, 3) for name, value in ratios.items()}


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    names = ("events_per_s", "p50_ms", "p99_ms", "cpu_us", "failed")
    return {name: statistics.median(run[name] for run in runs) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=SHAPES)
    given = parser.parse_args()
    shapes = [given.only] if given.only else list(SHAPES)
    print(json.dumps({shape: compare(shape, given.seconds, given.rounds) for shape in shapes}, indent=1))


if __name__ == "__main__":
    main()
