"""A stand-in for collect's control door: keeps the rows it is given, or refuses them on command."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec


class Collector:
    """Listens on a free loopback port while the `with` lasts."""

    token = "t0ken"

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.fails = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
                allowed = self.headers["Authorization"] == f"Bearer {door.token}"
                good = allowed and self.path == "/control/append" and not door.fails
                if good:
                    door.rows += body["rows"]
                self.send_response(200 if good else 503)
                self.end_headers()
                self.wfile.write(b'{"rows": [1]}')

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        return Handler
