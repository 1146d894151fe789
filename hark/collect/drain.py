"""The door of collect: how much may be inside at once, and an orderly end while clients go on.

At the end what has begun is answered, and everybody is asked to come again. The listening socket stays open
in the supervisor: a client's next connection waits there for the next process. Only a request that is still
coming in at the very end gets 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from hark.collect.http import App, Receive, Scope, Send, refuse
from hark.collect.refusals import Reason, Refusal
from hark.collect.watch import Traffic

POLITE_S = 1.0
"""How long everything is still taken, each answer with `Connection: close`, so that busy clients leave by
themselves and none has its connection closed under it."""
FINISH_S = 0.3
"""How long after that requests which have begun may take to come in."""

Message: TypeAlias = MutableMapping[str, Any]

COUNTED_BYTES = 512 * 1024
"""What a body counts for at most, or if its size is not announced: no more of one is kept in memory."""
PASSING_S = 2.0
"""How long somebody who is turned away is listened to."""

_CLOSE = (b"connection", b"close")
_START = "http.response.start"
STOPPING = Refusal(Reason.DRAINING, "the server is starting anew; send it again", retry_after_s=1)
CROWDED = Refusal(Reason.OVERLOAD, "more arrives than can be written; send it again soon", retry_after_s=1)


class Door:
    """An application that takes so much at once, and can be closed while requests are inside."""

    def __init__(self, app: App, traffic: Traffic, most_bytes: int) -> None:
        """`traffic` is kept true; past `most_bytes` of bodies inside, requests with one are turned away."""
        self._app, self._traffic, self._most_bytes = app, traffic, most_bytes
        self._reading: set[asyncio.Task[Any] | None] = set()
        self._closing = False

    def close(self) -> None:
        """From now on each answer asks its client to leave the connection."""
        self._closing = True

    def interrupt(self) -> None:
        """Whoever is still sending a request is answered by 503."""
        for task in self._reading:
            if task:
                task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        traffic, size = self._traffic, _announced(scope)
        if size and traffic.bytes + size > self._most_bytes:
            traffic.turned_away += 1
            await _let_pass(receive)
            await refuse(send, CROWDED)
            return
        traffic.inside += 1
        traffic.bytes += size
        task, begun = asyncio.current_task(), False

        async def hear() -> Message:
            self._reading.add(task)
            try:
                return await receive()
            finally:
                self._reading.discard(task)

        def say(message: Message) -> Awaitable[None]:
            nonlocal begun
            begun = True
            if self._closing and message["type"] == _START:
                message["headers"] = [*message["headers"], _CLOSE]
            return send(message)

        try:
            await self._app(scope, hear, say)
        except asyncio.CancelledError:
            if begun or not self._closing:
                raise
            await refuse(say, STOPPING)
        finally:
            traffic.inside -= 1
            traffic.bytes -= size


async def _let_pass(receive: Receive) -> None:
    """Reads a body without keeping it: a client that is still sending would not hear the answer."""
    passed = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(PASSING_S):
            while passed < COUNTED_BYTES:
                message = await receive()
                passed += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _announced(scope: Scope) -> int:
    """How many bytes of body a request brings, by its headers."""
    if scope.get("method") in ("GET", "HEAD", "OPTIONS"):
        return 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return min(int(value), COUNTED_BYTES) if value.isdigit() else COUNTED_BYTES
    return COUNTED_BYTES
