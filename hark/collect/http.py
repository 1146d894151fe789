"""The wire: what a request is to those who answer it, what an answer is, and reading and sending them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct, field

from hark.clock import Clock
from hark.collect.body import too_large
from hark.collect.queue import Appender, OverloadError
from hark.collect.refusals import Reason, Refusal
from hark.collect.rejects import RejectLog
from hark.collect.steps import Context
from hark.errors import HarkError
from hark.store.contracts import LogFullError, NewRow, Reject

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

HEADERS: Headers = [(b"content-type", b"application/json"), (b"access-control-allow-origin", b"*")]
"""Of every answer in JSON: also pages of other origins may read it."""
SUCCESS = b'{"success":true}'


class Incoming(Struct):
    """One HTTP request, its body not yet read."""

    method: str
    path: str
    headers: Headers
    query: bytes
    receive: Receive
    params: Mapping[str, str] = field(default_factory=dict)
    """The segments of the path for which the route has a name."""
    client: str = ""
    """The address that asks."""


class Answer(Struct, frozen=True):
    """What is sent back."""

    status: int
    body: bytes
    headers: Headers = field(default_factory=lambda: HEADERS)


DONE = Answer(200, SUCCESS)


class Collector(Struct, frozen=True):
    """What all answers of a collect process share."""

    context: Context
    appender: Appender
    clock: Clock
    rejects: RejectLog

    async def append(self, rows: list[NewRow], rejects: list[Reject]) -> Refusal | None:
        """Rows and rejects are on disk when this returns, or the refusal says why not."""
        try:
            await self.appender.append(rows, rejects)
        except HarkError as error:
            return unwritten(error)
        return None

    async def body(self, incoming: Incoming) -> bytes | Refusal:
        """The whole body, within the limits of one request."""
        return await read_body(incoming.receive, self.context.sources.body_bytes, self.context.limits.body_s)

    def refused(self, refusal: Refusal, source: str = "", body: bytes = b"") -> Answer:
        """The answer for a whole request's refusal, which is counted, and kept in the reject log."""
        self.rejects.refused(refusal, source, body)
        return refused(refusal)


async def read_body(receive: Receive, limit: int, seconds: float) -> bytes | Refusal:
    """The whole body, at most `limit` bytes within `seconds`.

    The end of the connection is not the end of the body: what was cut short is refused, never stored.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return Refusal(Reason.CUT_SHORT, "the connection ended before the body")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    return too_large(limit)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        return Refusal(Reason.BODY_TIMEOUT, f"the body took longer than {seconds:g} s")


def unwritten(error: HarkError) -> Refusal:
    """The answer when the log could not take the rows."""
    if isinstance(error, OverloadError):
        return Refusal(Reason.OVERLOAD, error.message, retry_after_s=1)
    if isinstance(error, LogFullError):
        return Refusal(Reason.DISK_FULL, error.message, retry_after_s=60)
    return Refusal(Reason.LOG_BROKEN, error.message, retry_after_s=2)


def refused(refusal: Refusal) -> Answer:
    """The refusal's status, code and message."""
    found = {"success": False, "code": refusal.detail or refusal.reason, "message": refusal.message}
    headers = HEADERS
    if refusal.status in (429, 503):
        headers = [*HEADERS, (b"retry-after", str(refusal.retry_after_s).encode())]
    return Answer(refusal.status, msgspec.json.encode(found), headers)


async def refuse(send: Send, refusal: Refusal) -> None:
    """Send the refusal's answer."""
    await reply(send, refused(refusal))


async def reply(send: Send, given: Answer) -> None:
    """Send a whole answer."""
    await answer(send, given.status, given.body, given.headers)


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send a whole answer, given in its parts."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
