"""Hark as it is served: the four processes over one directory, a provider that takes every message, and
somebody who clicks through the console's pages."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from hark.clock import WallClock
from hark.collect.address import write_address
from hark.collect.sources import read_sources
from hark.model import Lane
from hark.speak.catcher import Catcher
from hark.store.contracts import NewRow
from hark.store.locks import ROLES
from hark.store.log import LogStore
from hark.store.state import open_reader
from hark.supervisor import Place, role_commands

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGES = ("/", "/live", "/customers", "/segments", "/campaigns", "/campaigns/campaign_0", "/events")
CLICK_EVERY_S = 2.0
MESSAGES_PER_S = 50
"""What the sender takes: the product's default."""


class Served(Struct, frozen=True):
    """The processes, by role, and where they are reached."""

    data: Path
    port: int
    key: str
    pids: dict[str, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_s(self) -> dict[str, float]:
        """User and system time of each process so far."""
        return {role: cpu_s(pid) for role, pid in self.pids.items()}


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


@contextmanager
def serving(data: Path) -> Iterator[Served]:
    """All four, until everything there was to fold is folded and the console answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port, fd = listener.getsockname()[1], listener.fileno()
    address, began = write_address(data, "127.0.0.1", port), WallClock().now()
    commands = role_commands(Place(data, address.url, port, fd))
    running = {
        role: subprocess.Popen(commands[role], pass_fds=(fd,), stdout=subprocess.DEVNULL) for role in ROLES
    }
    try:
        while not (open_reader(data).engine_time() >= began and (data / "run" / "console.sock").exists()):
            ended = [role for role, process in running.items() if process.poll() is not None]
            assert not ended, f"ended at the start: {ended}"
            time.sleep(0.1)
        key = read_sources(data)[0].write_key(0)
        yield Served(data, port, key, {role: process.pid for role, process in running.items()})
    finally:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for process in running.values():
            _ended(process)
        listener.close()


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def provider(data: Path) -> Iterator[Catcher]:
    """The mail catcher, and a definition of it as the sender; before the servers are started."""
    (data / "hark.toml").write_text("outbound_allow = ['127.0.0.1']\n")
    with Catcher() as catcher:
        body = {"address": "Bench <bench@hark.example>", "host": "127.0.0.1", "port": catcher.port}
        document = {"kind": "sender", "name": "catcher", "body": body | {"rate_per_s": MESSAGES_PER_S}}
        command = {"name": "define", "documents": [document], "author": "bench", "note": ""}
        log = LogStore(data / "log")
        log.append([NewRow(Lane.URGENT, WallClock().now(), "bench", "command", msgspec.json.encode(command))])
        log.close()
        yield catcher


class Clicks:
    """Somebody of the team, signed in, who opens the console's pages one after the other."""

    def __init__(self, served: Served) -> None:
        self.taken_s: dict[str, list[float]] = {}
        self.failed: dict[str, int] = {}
        self._client = httpx.Client(base_url=served.url, trust_env=False, verify=False, timeout=60)
        self._over = threading.Event()
        self._sign_in(served.data)
        self._thread = threading.Thread(target=self._run, name="clicks")

    def __enter__(self) -> Clicks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def found(self) -> dict[str, object]:
        """By page: times opened, the longest in ms, and how many were not answered with 200."""
        return {
            page: {
                "opened": len(taken),
                "most_ms": round(max(taken) * 1e3),
                "failed": self.failed.get(page, 0),
            }
            for page, taken in sorted(self.taken_s.items())
        }

    def _sign_in(self, data: Path) -> None:
        """Makes the first account by the link which the console has put aside for it."""
        link = (data / "run" / "welcome").read_text().strip()
        path = "/" + link.split("/", 3)[3]
        form = self._client.get(path).raise_for_status().text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token, "the welcome page has a form"
        given = {"email": "ann@shop.example", "password": "correct horse battery"}
        answer = self._client.post(path, data=given | {"csrfmiddlewaretoken": token[1]})
        assert answer.status_code == 302, answer.text

    def _run(self) -> None:
        number = 0
        while not self._over.wait(CLICK_EVERY_S):
            page, began = PAGES[number % len(PAGES)], time.monotonic()
            number += 1
            try:
                good = self._client.get(page).status_code == 200
            except httpx.HTTPError:
                good = False
            self.taken_s.setdefault(page, []).append(time.monotonic() - began)
            self.failed[page] = self.failed.get(page, 0) + (not good)
