"""The process that answers questions, one a connection, at low priority."""

from __future__ import annotations

import os
import signal
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import socket
from typing import Any

import msgspec

from hark.clock import Clock
from hark.errors import HarkError
from hark.questions import SOCKET
from hark.questions.desk import Desk

THREADS = 2
WAITING = 16
"""Questions in hand at once, those being answered included; more are refused."""
NICE = 10
BODY_BYTES = 64 * 1024
WARM_AFTER_S = 10.0
"""When kernels are compiled that no question has needed yet; not at once, since starting is work enough."""


class Server(socketserver.UnixStreamServer):
    """Answers one question a connection, THREADS at a time."""

    request_queue_size = 64

    def __init__(self, path: Path, desk: Desk) -> None:
        self.desk = desk
        self._pool = ThreadPoolExecutor(THREADS, "question")
        self._room = threading.BoundedSemaphore(WAITING)
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
    """POST a question as JSON; 200 with the answer, or an error's message, hint and id."""

    timeout = 10.0
    server: Server

    def do_POST(self) -> None:
        status, body = self._answered()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answered(self) -> tuple[int, bytes]:
        try:
            length = int(self.headers.get("Content-Length", 0))
            question = msgspec.json.decode(self.rfile.read(min(length, BODY_BYTES)))
            return 200, msgspec.json.encode(self.server.desk.answer(question))
        except HarkError as error:
            return 400, msgspec.json.encode({"message": error.message, "hint": error.hint, "id": error.id})
        except (ValueError, msgspec.MsgspecError) as error:
            return 400, msgspec.json.encode({"message": str(error), "hint": "", "id": "question.wrong"})

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: who asks is told."""


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
    keeping = threading.Thread(target=desk.catalogue.run, args=(stop,), name="catalogue", daemon=True)
    keeping.start()
    warming = threading.Thread(target=warm_later, args=(stop,), name="warming", daemon=True)
    warming.start()
    with Server(path, desk) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
    stop.set()
    warming.join()  # a compiler that is torn down in the middle may take the process with it
    path.unlink(missing_ok=True)
