"""Every path that is not collect's own goes to the console over its local socket, streaming both ways."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from hark.collect.http import Headers, Receive, Scope, Send, answer

BODY_BYTES = 32 << 20
CONNECTIONS = 64
STREAMS = re.compile(rb"/in-app/stream(\?|$)")
"""What stays open for minutes has connections of its own, so that it never takes all of the others'."""
OPEN_STREAMS = 256
TIMEOUT = httpx.Timeout(connect=2, read=120, write=30, pool=10)
_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
_FORWARDED = frozenset((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"))
_AGAIN = (b"retry-after", b"2")
_HTML, _JSON = (
    [(b"content-type", kind), _AGAIN] for kind in (b"text/html; charset=utf-8", b"application/json")
)
_API = b"/api/"
_DOWN = b"""<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>Hark</title><body style="font:1rem/1.5 system-ui;margin:4rem auto;max-width:30rem;padding:0 1rem">
<h1 style="font-size:1.4rem">The console is starting</h1>
<p>Events are being collected. This page tries again by itself.</p></body></html>"""


_DOWN_API = b"""{"success":false,"code":"console.starting",\
"message":"the console is starting; send the same request again in 2 seconds"}"""


class _TooLargeError(Exception):
    pass


class Proxy:
    """Passes requests on to the server behind the Unix socket `socket`."""

    def __init__(self, socket: Path) -> None:
        self._client, self._streams = _client(socket, CONNECTIONS), _client(socket, OPEN_STREAMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = self._request(scope, receive)
            client = self._streams if STREAMS.fullmatch(request.url.raw_path[:15]) else self._client
            response = await client.send(request, stream=True)
        except _TooLargeError:
            await answer(send, 413, b"the request is too large", [(b"content-type", b"text/plain")])
        except httpx.HTTPError:
            down = (_DOWN_API, _JSON) if scope["path"].encode().startswith(_API) else (_DOWN, _HTML)
            await answer(send, 503, *down)
        else:
            await _pass_back(response, receive, send)

    async def close(self) -> None:
        await self._client.aclose()
        await self._streams.aclose()

    def _request(self, scope: Scope, receive: Receive) -> httpx.Request:
        query: bytes = scope["query_string"]
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        target = raw_path.partition(b"?")[0] + (b"?" + query if query else b"")
        headers = _headers_on(scope)
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        return httpx.Request(
            scope["method"],
            httpx.URL("http://console", raw_path=target),
            headers=headers,
            content=_body(receive) if has_body else None,
            extensions={"timeout": TIMEOUT.as_dict()},
        )


def _client(socket: Path, connections: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections // 2)
    # No certificates are read, which takes as long as all the rest here: nothing is said over TLS.
    transport = httpx.AsyncHTTPTransport(verify=False, uds=str(socket), limits=limits, retries=0)
    return httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)


def _headers_on(scope: Scope) -> Headers:
    """The request's headers for the console: hop-by-hop ones go, who asked how and where is added.

    What a client says in X-Forwarded-* is dropped: this process is the outermost that can be trusted.
    """
    kept: Headers = [(name, value) for name, value in scope["headers"] if name not in _HOP | _FORWARDED]
    host = next((value for name, value in kept if name == b"host"), b"localhost")
    client = scope["client"][0] if scope.get("client") else ""
    added = [(b"x-forwarded-for", client.encode()), (b"x-forwarded-host", host)]
    return [*kept, *added, (b"x-forwarded-proto", scope["scheme"].encode())]


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise httpx.WriteError("the client went away")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > BODY_BYTES:
            raise _TooLargeError
        yield chunk


async def _pass_back(response: httpx.Response, receive: Receive, send: Send) -> None:
    """Send the answer on as it comes; stop asking once the client is gone."""
    passing = asyncio.ensure_future(_send_on(response, send))
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((passing, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (passing, leaving):
            task.cancel()
        await asyncio.gather(passing, leaving, return_exceptions=True)
        await response.aclose()


async def _send_on(response: httpx.Response, send: Send) -> None:
    headers = [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in _HOP]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    async for chunk in response.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
