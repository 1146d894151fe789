"""What takes every message at once: `python -m bench._sink` prints `{"http": PORT, "smtp": PORT}`.

HTTP as Twilio and SendGrid answer, and as much of SMTP as a client without extensions asks for. It keeps
nothing, so that next to nothing of a measured time is its own.
"""

from __future__ import annotations

import asyncio
import json
from typing import cast

ANSWER = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"sid":"SM"}'


class Http(asyncio.Protocol):
    """Requests whose bodies have a Content-Length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = cast("asyncio.Transport", transport), b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            self.buffer = b""
            self.transport.write(ANSWER)


class Smtp(asyncio.Protocol):
    """Takes every letter for everybody."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer, self.letter = cast("asyncio.Transport", transport), b"", False
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n.\r\n" if self.letter else b"\r\n")) >= 0:
            line, self.buffer = self.buffer[:end], self.buffer[end + (5 if self.letter else 2) :]
            self.transport.write(self.answer(line[:4].upper()))

    def answer(self, verb: bytes) -> bytes:
        if self.letter:
            self.letter = False
            return b"250 taken\r\n"
        self.letter = verb == b"DATA"
        return b"354 go on\r\n" if self.letter else b"221 bye\r\n" if verb == b"QUIT" else b"250 sink\r\n"


async def main() -> None:
    loop = asyncio.get_running_loop()
    servers = {name: await loop.create_server(kind, "127.0.0.1", 0) for name, kind in KINDS.items()}
    ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


KINDS: dict[str, type[asyncio.Protocol]] = {"http": Http, "smtp": Smtp}

if __name__ == "__main__":
    asyncio.run(main())
