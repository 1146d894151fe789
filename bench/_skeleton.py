"""The limit that ingest is measured against: the same HTTP server, decoder, SQLite and fsync, and no more.

`python -m bench._skeleton DIR FD`: reads each body, decodes it, inserts it into one table with one
transaction and fsync for all that wait, then answers 200. No keys, no checks, no lanes.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import apsw
import msgspec
from granian import _granian
from granian.constants import Interfaces
from granian.server.embed import Server

TABLE = "CREATE TABLE live (seq INTEGER PRIMARY KEY, received_at INTEGER, source, kind, body, refused)"
INSERT = "INSERT INTO live (received_at, source, kind, body, refused) VALUES (?, 'web', 'batch', ?, x'')"
HEADERS = [(b"content-type", b"application/json")]


class Skeleton:
    def __init__(self, path: Path) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self.file = apsw.Connection(str(path))
        self.file.pragma("page_size", 8192)
        self.file.pragma("journal_mode", "wal")
        self.file.pragma("synchronous", "full")
        self.file.pragma("wal_autocheckpoint", 4000)
        self.file.execute(TABLE)
        threading.Thread(target=self.write, daemon=True).start()

    async def __call__(self, _: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        msgspec.json.decode(body)
        done = self.loop.create_future()
        self.waiting.put((body, done))
        await done
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b'{"success":true}'})

    def write(self) -> None:
        while True:
            group = [self.waiting.get()]
            while not self.waiting.empty():
                group.append(self.waiting.get())
            with self.file:
                self.file.executemany(INSERT, [(time.time_ns() // 1000, body) for body, _ in group])
            self.loop.call_soon_threadsafe(self.answer, group)

    def answer(self, group: list[tuple[bytes, asyncio.Future[None]]]) -> None:
        for _, done in group:
            done.set_result(None)


class OnSocket(Server):
    def __init__(self, app: Skeleton, fd: int) -> None:
        super().__init__(
            app, interface=Interfaces.ASGINL, websockets=False, backpressure=2048, log_enabled=False
        )
        self.fd = fd

    def _init_shared_socket(self) -> None:
        make: Any = _granian.SocketHolder
        self._shd = make(self.fd, False, 2048)


async def main(folder: Path, fd: int) -> None:
    await OnSocket(Skeleton(folder / "skeleton.db"), fd).serve()


if __name__ == "__main__":
    listener = socket.socket(fileno=int(sys.argv[2]))
    asyncio.run(main(Path(sys.argv[1]), listener.fileno()))
