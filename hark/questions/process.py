"""The process that answers questions, at low priority: HTTP over a socket of the directory."""

from __future__ import annotations

import os
import signal
import socketserver
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from hark.clock import Clock
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import SOCKET, Progress
from hark.questions.budget import limit_memory
from hark.questions.desk import Desk
from hark.questions.jobs import Jobs

CONNECTIONS = 64
"""Connections at once; more are told to come again."""
NICE = 10
BODY_BYTES = 64 * 1024
LONGEST_S = 10.0
"""A connection waits no longer for an answer; who asked looks again."""
WARM_AFTER_S = 10.0
"""When kernels are compiled that no question has needed yet; not at once, since starting is work enough."""


class Server(socketserver.UnixStreamServer):
    """A thread for each connection; questions themselves are answered by `Jobs`."""

    request_queue_size = 64

    def __init__(self, path: Path, desk: Desk) -> None:
        self.jobs = Jobs(desk)
        self._pool = ThreadPoolExecutor(CONNECTIONS, "connection")
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(str(path), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        free = self._room.acquire(blocking=False)
        if free:
            self._pool.submit(self._one, request, client_address)
        else:
            refuse(request)
            self.shutdown_request(request)

    def _one(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        finally:
            self.shutdown_request(request)
            self._room.release()


class Handler(BaseHTTPRequestHandler):
    """POST a question as JSON, GET /ID what became of it, DELETE /ID ends it; `?patience=` in seconds.

    200 with the answer, 202 with how far it is, or an error's message, hint and id.
    """

    timeout = 10.0
    server: Server

    def do_POST(self) -> None:
        self._answer(self._begun)

    def do_GET(self) -> None:
        self._answer(lambda: self.server.jobs.look(self._id(), self._patience_s()))

    def do_DELETE(self) -> None:
        self._answer(self._cancelled)

    def _begun(self) -> JSON | Progress:
        length = int(self.headers.get("Content-Length", 0))
        question = msgspec.json.decode(self.rfile.read(min(length, BODY_BYTES)))
        return self.server.jobs.look(self.server.jobs.begin(question), self._patience_s())

    def _cancelled(self) -> JSON:
        self.server.jobs.cancel(self._id())
        return {}

    def _id(self) -> str:
        return urlsplit(self.path).path.strip("/")

    def _patience_s(self) -> float:
        given = dict(parse_qsl(urlsplit(self.path).query)).get("patience", LONGEST_S)
        return min(float(given), LONGEST_S)

    def _answer(self, work: Callable[[], JSON | Progress]) -> None:
        status, body = answered(work)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: who asks is told."""


def answered(work: Callable[[], JSON | Progress]) -> tuple[int, bytes]:
    """The status and the body."""
    try:
        found = work()
        return (202 if isinstance(found, Progress) else 200), msgspec.json.encode(found)
    except HarkError as error:
        return 400, msgspec.json.encode({"message": error.message, "hint": error.hint, "id": error.id})
    except (ValueError, msgspec.MsgspecError) as error:
        return 400, msgspec.json.encode({"message": str(error), "hint": "", "id": "question.wrong"})


BUSY = msgspec.json.encode(
    {"message": "too many questions at once", "hint": "ask again in a moment", "id": "question.busy"}
)


def refuse(request: socket) -> None:
    """Answer 503 at once, without a thread."""
    head = f"HTTP/1.0 503 Busy\r\nContent-Type: application/json\r\nContent-Length: {len(BUSY)}\r\n\r\n"
    request.sendall(head.encode() + BUSY)


def warm_later(stop: threading.Event) -> None:
    """Compile the kernels in the background, so that nobody's first question waits for it."""
    if stop.wait(WARM_AFTER_S):
        return
    from hark.understand.kernels.warm import warm

    warm(stop)


def daily_later(data: Path, clock: Clock, stop: threading.Event) -> None:
    """What the server does once a day."""
    from hark.app import Workspace
    from hark.questions.daily import Daily

    Daily(Workspace(data, clock)).run(stop)


def serve(data: Path, clock: Clock) -> None:
    """Answer on DIR/run/questions.sock until SIGTERM, at low priority.

    Only one runs on a data directory (its caller holds `questions.lock`), so a socket found is a dead one's.
    """
    os.nice(NICE)
    os.umask(0o077)
    path = data / "run" / SOCKET
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    desk, stop = Desk(data, clock, writes=True), threading.Event()
    limit_memory(desk.budget)
    keeping = threading.Thread(target=desk.catalogue.run, args=(stop,), name="catalogue", daemon=True)
    keeping.start()
    warming = threading.Thread(target=warm_later, args=(stop,), name="warming", daemon=True)
    warming.start()
    batches = threading.Thread(target=daily_later, args=(data, clock, stop), name="daily", daemon=True)
    batches.start()
    with Server(path, desk) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
        server.jobs.close()
    stop.set()
    warming.join()  # a compiler that is torn down in the middle may take the process with it
    path.unlink(missing_ok=True)
