"""The demo's driver before a server that is busy, lost for a moment, or gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import Struct

from hark.app import Workspace
from hark.clock import SharedClock
from hark.collect.address import Address
from hark.demo.drive import Driver
from hark.demo.life import DAYS, START
from hark.demo.server import DemoServer
from hark.demo.shop import Shop
from hark.errors import HarkError
from hark.model import DAY

CUT = 0
"""Instead of a status: the connection is closed without an answer."""


class Place(Struct):
    """As much of a demo's server as the driver asks for."""

    data: Path
    address: Address
    alive: bool = True

    def runs(self) -> bool:
        return self.alive

    def last_words(self) -> str:
        return "it said goodbye"


@contextmanager
def answering(statuses: list[int]) -> Iterator[tuple[str, list[int]]]:
    """A server on loopback that answers with these statuses, one after the other; and the bodies' sizes."""
    sizes: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sizes.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            status = statuses.pop(0)
            if status == CUT:
                return
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sizes
        server.shutdown()


def driver(folder: Path, url: str, alive: bool = True) -> Driver:
    Workspace(folder / "data", make=True).settle()
    place = Place(folder / "data", Address(url, "token", 1), alive)
    clock = SharedClock(folder / "clock", create=True)
    return Driver(cast("DemoServer", place), clock, Shop(1, 3), "key")


def test_a_busy_server_is_waited_for(tmp_path: Path) -> None:
    """Refused as busy and cut off, the same calls are posted again until they are taken, and count once."""
    with answering([503, CUT, 429, 200]) as (url, sizes):
        driven = driver(tmp_path, url)
        driven.flow(START + DAYS * DAY)
    assert len(sizes) == 4
    assert len(set(sizes)) == 1
    assert driven.events > 0


def test_a_server_that_has_ended_is_told(tmp_path: Path) -> None:
    """Once the server's process is gone nobody waits; its last words are the hint."""
    with answering([CUT]) as (url, _):
        driven = driver(tmp_path, url, alive=False)
        with pytest.raises(HarkError, match="it said goodbye") as found:
            driven.flow(START + DAYS * DAY)
    assert found.value.id == "demo.server"
