"""GET /in-app/stream: the inbox as server-sent events, again whenever it changes, on whichever device.

Beside Django's threads, since each page that is open holds one of these for minutes.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import msgspec

from hark.console.inbox.tokens import Claim
from hark.console.pages.inbox import claim_of, look
from hark.console.source import Source, source
from hark.model import SECOND

Scope: TypeAlias = Any
"""An ASGI scope, and its two callables; the standard describes them by their behaviour."""

PATH = "/in-app/stream"
MOST = 200
"""At once; who comes beyond asks again later, and asks for the messages themselves meanwhile."""
LOOK_S, BEAT_S, LONGEST_S = 3.0, 15.0, 600.0
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"access-control-allow-origin", b"*"),
    (b"x-accel-buffering", b"no"),
]
_SHORT = [(b"content-type", b"application/json"), (b"access-control-allow-origin", b"*")]
_PREFLIGHT = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-headers", b"authorization"),
    (b"access-control-max-age", b"86400"),
]


class Streams:
    """Those of one process."""

    def __init__(self) -> None:
        self._open = 0

    async def __call__(self, scope: Scope, receive: Scope, send: Scope) -> None:
        here = source()
        if scope["method"] == "OPTIONS":
            await _answer(send, 204, b"", _PREFLIGHT)
            return
        claim = await asyncio.to_thread(claim_of, here, _token(scope))
        if claim is None:
            await _answer(send, 401, b'{"success":false,"code":"token"}', _SHORT)
        elif self._open >= MOST:
            await _answer(send, 503, b'{"success":false,"code":"busy"}', [*_SHORT, (b"retry-after", b"60")])
        else:
            await self._held(here, claim, receive, send)

    async def _held(self, here: Source, claim: Claim, receive: Scope, send: Scope) -> None:
        self._open += 1
        telling = asyncio.ensure_future(_tell(here, claim, send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= 1
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)


async def _tell(here: Source, claim: Claim, send: Scope) -> None:
    """The inbox now and at each change, until the token or the stream is over."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    passed, quiet, last = 0.0, 0.0, b""
    longest = min(LONGEST_S, (claim.until - here.now()) / SECOND)
    while passed <= longest:
        found = msgspec.json.encode(await asyncio.to_thread(look, here, claim.user))
        if found != last or quiet >= BEAT_S:
            said = b": \n\n" if found == last else b"event: messages\ndata: " + found + b"\n\n"
            await send({"type": "http.response.body", "body": said, "more_body": True})
            quiet, last = 0.0, found
        await asyncio.sleep(LOOK_S)
        passed, quiet = passed + LOOK_S, quiet + LOOK_S
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Scope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _token(scope: Scope) -> str:
    """As bearer token; in the address only for EventSource, which sends no headers."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    query: str = scope["query_string"].decode("latin-1")
    return token.strip() if scheme.lower() == "bearer" else parse_qs(query).get("token", [""])[0]


async def _answer(send: Scope, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
