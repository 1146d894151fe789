"""The ASGI application on the public port: collects calls, answers `/control/`, passes the rest on.

A 200 for a call means that it is on disk. Nothing a client sends is answered by 5xx, except 503 with
Retry-After for what is temporary.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

from hark.clock import Clock
from hark.collect import steps
from hark.collect.body import too_large
from hark.collect.counts import Counts
from hark.collect.queue import Appender, OverloadError
from hark.collect.refusals import Reason, Refusal
from hark.collect.steps import Request
from hark.errors import HarkError
from hark.store.contracts import LogFullError, NewRow, Reject

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

PATHS = {
    "/v1/track": "track",
    "/v1/t": "track",
    "/v1/identify": "identify",
    "/v1/i": "identify",
    "/v1/page": "page",
    "/v1/p": "page",
    "/v1/screen": "screen",
    "/v1/s": "screen",
    "/v1/batch": "batch",
    "/v1/b": "batch",
}
"""What each collecting path takes."""

_log = logging.getLogger("hark.collect")
_JSON = (b"content-type", b"application/json")
_CORS = (b"access-control-allow-origin", b"*")
_PREFLIGHT: Headers = [
    _CORS,
    _JSON,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding"),
    (b"access-control-max-age", b"86400"),
]
_SUCCESS = b'{"success":true}'
_HEADERS: Headers = [_JSON, _CORS]


class Collect:
    """The application: `control` answers `/control/...`, `rest` every path that is not ours."""

    def __init__(
        self,
        context: steps.Context,
        appender: Appender,
        clock: Clock,
        counts: Counts,
        control: App,
        rest: App,
    ) -> None:
        self.context = context
        self._appender = appender
        self._clock = clock
        self._counts = counts
        self._control = control
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        kind = PATHS.get(path)
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
        elif kind is not None:
            await self._collect(kind, scope, receive, send)
        elif path.startswith("/control/"):
            await self._control(scope, receive, send)
        elif path.startswith("/v1/"):
            await self._refuse(send, "", Refusal(Reason.UNKNOWN_PATH, f"there is no {path}"))
        else:
            await self._rest(scope, receive, send)

    async def _collect(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await answer(send, 200, b"{}", _PREFLIGHT)
            return
        if scope["method"] != "POST":
            wrong = Refusal(Reason.WRONG_METHOD, f"send POST, not {scope['method']}")
            await self._refuse(send, "", wrong, [(b"allow", b"POST, OPTIONS")])
            return
        request = _request(kind, scope, self._clock)
        try:
            refusal = await self._take(request, receive) or await self._store(request)
        except Exception:
            _log.exception("a call could not be taken")
            refusal = Refusal(Reason.UNEXPECTED, "the server made a mistake; send it again later", 60)
        if refusal:
            await self._refuse(send, request.source, refusal)
        else:
            await answer(send, 200, _success(request) if request.refused else _SUCCESS, _HEADERS)

    async def _take(self, request: Request, receive: Receive) -> Refusal | None:
        """Read the body and take the request through the steps."""
        refusal = steps.run(steps.BEFORE_BODY, request, self.context)
        if refusal:
            return refusal
        limits = self.context.limits
        body = await read_body(receive, limits.body_bytes, limits.body_s)
        if isinstance(body, Refusal):
            return body
        request.body = body
        request.received_at = self._clock.now()
        refusal = steps.run(steps.STEPS, request, self.context)
        if refusal and request.refused:
            await self._append([], steps.rejects(request))
        return refusal

    async def _store(self, request: Request) -> Refusal | None:
        rows, rejects = steps.rows(request), steps.rejects(request)
        refusal = await self._append(rows, rejects) if rows or rejects else None
        if refusal is None:
            self._counts.accept(request.source, request.calls - len(request.refused))
            for one in request.refused:
                self._counts.refuse(request.source, one.reason)
        return refusal

    async def _append(self, rows: list[NewRow], rejects: list[Reject]) -> Refusal | None:
        try:
            await self._appender.append(rows, rejects)
        except HarkError as error:
            return unwritten(error)
        return None

    async def _refuse(
        self, send: Send, source: str, refusal: Refusal, headers: Headers | None = None
    ) -> None:
        self._counts.refuse(source, refusal.detail or refusal.reason)
        await refuse(send, refusal, headers)


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


async def refuse(send: Send, refusal: Refusal, headers: Headers | None = None) -> None:
    """Answer with the refusal's status, code and message."""
    found = {"success": False, "code": refusal.detail or refusal.reason, "message": refusal.message}
    all_headers = [*_HEADERS, *(headers or [])]
    if refusal.status in (429, 503):
        all_headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    await answer(send, refusal.status, msgspec.json.encode(found), all_headers)


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _request(kind: str, scope: Scope, clock: Clock) -> Request:
    headers: Headers = scope["headers"]
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    return Request(kind, clock.now(), dict(headers), size)


def _success(request: Request) -> bytes:
    refused = [{"index": one.member, "code": one.reason, "message": one.message} for one in request.refused]
    return msgspec.json.encode({"success": True, "refused": refused})
