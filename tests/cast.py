"""Real servers for tests: `hark serve` in a directory of its own, with the commands beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from hark import cli as hark_cli
from hark.errors import HarkError
from hark.model import Lane
from hark.store.locks import holder
from hark.store.log import LogReader
from hark.store.state_reader import open_reader

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
    """Run the command with --json and give its answer; with `fails`, its one line of error.

    In this process: a new one spends seconds on loading libraries, on nothing that such a test is about.
    """
    out, error, code = StringIO(), StringIO(), 0
    command = ["hark", *_given(data, words, fails)]
    with redirect_stdout(out), redirect_stderr(error), patch.object(sys, "argv", command):
        try:
            hark_cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return _answer(words, fails, code, out.getvalue(), error.getvalue())


def hark_process(data: Path, *words: str, fails: bool = False) -> Any:
    """The same in a process of its own, as people run it."""
    command = [sys.executable, "-m", "hark", *_given(data, words, fails)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10 * PATIENCE_S)
    return _answer(words, fails, done.returncode, done.stdout, done.stderr)


def _given(data: Path, words: Sequence[str], fails: bool) -> list[str]:
    return [*words, "--data", str(data), *([] if fails else ["--json"])]


def _answer(words: Sequence[str], fails: bool, code: int, out: str, error: str) -> Any:
    if fails:
        assert code, f"{words} should have failed: {out}"
        return error.strip()
    assert code == 0, f"{words}: {error}"
    return json.loads(out)


def unread(data: Path, lanes: Collection[Lane] = tuple(Lane)) -> int:
    """How many of these lanes have rows that the engine has not read yet."""
    with closing(LogReader(data / "log")) as log, closing(open_reader(data)) as state:
        read = state.cursors()
        return sum(end > read.get(lane, 0) for lane, end in log.ends().items() if lane in lanes)


def all_read(data: Path) -> None:
    """Wait until a server's engine has read all that was acknowledged."""

    def read() -> bool:
        try:
            return not unread(data)
        except HarkError:  # the engine has not made its state yet
            return False

    eventually(read, what="the engine has read the log")


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
            httpx.get(self.url + "/v1/nothing", timeout=2, trust_env=False, verify=False)
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
        return httpx.post(
            self.url + path, json=body, auth=(key, ""), timeout=10, trust_env=False, verify=False
        )


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
