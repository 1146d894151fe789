"""A real collect process for tests, with short time limits and a disk that can be told to fail.

`python -m tests.collect.runner DIR`: every fsync of the log fails once DIR/fail exists.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import httpx

from hark import settings
from hark.clock import WallClock
from hark.collect.address import read_address
from hark.collect.serve import serve
from hark.collect.steps import Limits
from hark.model import Lane
from hark.store.contracts import Reject, Row
from hark.store.locks import hold
from hark.store.log import LogReader
from hark.store.rejects import RejectSearch, find_rejects

PATIENCE_S = 20.0


class FailingDisk(apsw.VFS):
    """Files whose fsync fails while the file `fail` exists."""

    def __init__(self, fail: Path) -> None:
        self.fail = fail
        super().__init__("failing", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:
        return FailingFile(name, flags, self.fail)


class FailingFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: Any, fail: Path) -> None:
        self.fail = fail
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:
        if self.fail.exists():
            raise apsw.IOError("fsync failed")
        super().xSync(flags)


class Collect:
    """A running collect process: its address, its keys' answers, and what it stored."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.collect.runner", str(data)], start_new_session=True
        )
        self._wait()
        address = read_address(data)
        assert address
        self.url, self.token = address.url, address.token
        self.port = int(address.url.rpartition(":")[2])

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self.process.poll() is None, "collect ended at once"
            assert time.monotonic() < deadline, "collect does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        address = read_address(self.data)
        if address is None or address.pid != self.process.pid:
            return False
        try:
            httpx.get(address.url + "/v1/nothing", timeout=2, trust_env=False, verify=False)
        except httpx.HTTPError:
            return False
        return True

    def post(self, path: str, body: Any, key: str = "", **more: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = (key, "") if key else None
        return httpx.post(
            self.url + path, content=content, auth=auth, timeout=30, trust_env=False, verify=False, **more
        )

    def control(self, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
        method = "GET" if body is None else "POST"
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return httpx.request(
            method, self.url + path, json=body, headers=headers, timeout=30, trust_env=False, verify=False
        )

    def raw(self, request: bytes, then: bytes = b"", pause_s: float = 0.0, cut: bool = False) -> bytes:
        """What the server says to these very bytes; `cut` ends our side after them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as line:
            line.sendall(request)
            time.sleep(pause_s)
            if then:
                line.sendall(then)
            if cut:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))

    def rows(self, lane: Lane = Lane.LIVE) -> list[Row]:
        reader = LogReader(self.data / "log")
        try:
            return reader.read(lane, 0, 1_000_000)
        finally:
            reader.close()

    def rejects(self) -> Sequence[Reject]:
        return find_rejects(self.data / "log", RejectSearch())

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)


@contextmanager
def collecting(data: Path) -> Iterator[Collect]:
    """A collect process on the directory, stopped at the end."""
    running = Collect(data)
    try:
        yield running
    finally:
        running.stop(signal.SIGKILL)


def main(data: Path) -> None:
    failing = FailingDisk(data / "fail")
    with hold(data, "collect"):
        serve(data, "127.0.0.1", 0, WallClock(), settings.read(data), limits=Limits(body_s=1.0))
    failing.unregister()


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    main(Path(sys.argv[1]))
