"""A provider on loopback: takes HTTP requests, keeps them, answers as it is told, misbehaves on command."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from msgspec import Struct, field


class Taken(Struct, frozen=True):
    """A request as it arrived; names of headers are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answering(Struct, frozen=True):
    """What is answered to whatever comes."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """The connection is cut instead, after the request was taken whole."""
    silent: bool = False
    """No answer comes until the server stops, or `silent_s` are over."""
    silent_s: float = 30


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that are killed are what some tests are about."""


class Provider:
    """`with Provider() as provider:` listens on 127.0.0.1; `taken` grows in order of arrival."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.answers = Answering()
        self.stopping = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # who sent it ended within it
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                taken = Taken(self.command, self.path, headers, body)
                provider.taken.append(taken)
                provider.answer(self, provider.how(taken))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def how(self, _taken: Taken) -> Answering:
        return self.answers

    def answer(self, to: BaseHTTPRequestHandler, how: Answering) -> None:
        if how.silent:
            self.stopping.wait(how.silent_s)
        if how.cut or how.silent:
            to.close_connection = True
            return
        to.send_response(how.status)
        for name, value in {**how.headers, "Content-Length": str(len(how.body))}.items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(how.body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
