"""Real servers for tests: `hark serve` in a directory of its own, with the commands beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from hark.store.locks import holder

ROLES = ("collect", "engine", "console", "questions")
PATIENCE_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(true: Callable[[], Any], seconds: float = PATIENCE_S, what: str = "") -> Any:
    """Wait until `true()` is, and return it; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or true}"
        time.sleep(0.02)
    return found


def hark(data: Path, *words: str, fails: bool = False) -> Any:
    """Run the command with --json and give its answer; with `fails`, its one line of error."""
    command = [sys.executable, "-m", "hark", *words, "--data", str(data)]
    done = subprocess.run(
        [*command, *([] if fails else ["--json"])],
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * PATIENCE_S,
    )
    if fails:
        assert done.returncode, f"{words} should have failed: {done.stdout}"
        return done.stderr.strip()
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout)


class Server:
    """`hark serve`, started and stopped as a person would."""

    def __init__(self, data: Path, clock: Path | None = None) -> None:
        """With `clock` the server lives in the time of that file (`hark.clock.SharedClock`)."""
        self.data, self.port, self.clock = data, free_port(), clock
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        words = ["hark", "serve", "--port", str(self.port), "--data", str(self.data)]
        if self.clock:
            words = ["hark.demo.server", str(self.data), str(self.port), str(self.clock)]
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "serve.out").open("ab") as out:
            command = [sys.executable, "-m", *words]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        eventually(self.answers, seconds=4 * PATIENCE_S, what=f"{self.url} answers; {self.output()}")
        return self

    def output(self) -> str:
        return (self.data / "serve.out").read_text(errors="replace")[-2000:]

    def answers(self) -> bool:
        """Collect answers, and every role has its lock."""
        try:
            httpx.get(self.url + "/v1/nothing", timeout=2, trust_env=False)
        except httpx.HTTPError:
            return False
        return all(self.pid(role) for role in ROLES)

    def pid(self, role: str) -> int | None:
        """The process that holds the role now."""
        return holder(self.data, role)

    def kill(self, role: str) -> None:
        """kill -9 of one role's process."""
        self.signal(role, signal.SIGKILL)

    def signal(self, role: str, number: int) -> None:
        """A signal to one role's process, if it runs."""
        pid = self.pid(role)
        if pid:
            with_no_error(os.kill, pid, number)

    def kill_all(self) -> None:
        """kill -9 of the supervisor and of all its processes."""
        pids = [pid for role in ROLES if (pid := self.pid(role))]
        assert self.process
        for pid in [self.process.pid, *pids]:
            with_no_error(os.kill, pid, signal.SIGKILL)
        self.process.wait()
        eventually(lambda: not any(self.pid(role) for role in ROLES), what="all roles are gone")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE_S)

    def post(self, path: str, body: Any, key: str) -> httpx.Response:
        return httpx.post(self.url + path, json=body, auth=(key, ""), timeout=10, trust_env=False)


def with_no_error(call: Callable[..., object], *words: object) -> None:
    """Call it; a process that is gone already is fine."""
    try:
        call(*words)
    except ProcessLookupError:
        return


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """A running server which is stopped at the end."""
    server = Server(data).start()
    try:
        yield server
    finally:
        server.stop()
