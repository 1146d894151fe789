"""An orderly end while clients go on: what has begun is answered, and everybody is asked to come again.

The listening socket stays open in the supervisor, so a client's next connection waits there for the next
process. Only a request that is still coming in at the very end gets 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, MutableMapping
from typing import Any, TypeAlias

from hark.collect.http import App, Receive, Scope, Send, refuse
from hark.collect.refusals import Reason, Refusal

POLITE_S = 0.25
"""How long everything is still taken, each answer with `Connection: close`, so that busy clients leave by
themselves and none has its connection closed under it."""
FINISH_S = 0.3
"""How long after that requests which have begun may take to come in."""

Message: TypeAlias = MutableMapping[str, Any]

_CLOSE = (b"connection", b"close")
_START = "http.response.start"
STOPPING = Refusal(Reason.DRAINING, "the server is starting anew; send it again", retry_after_s=1)


class Door:
    """An application that can be closed while requests are inside."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._reading: set[asyncio.Task[Any]] = set()
        self._closing = False
        self.inside = 0
        """Requests that are being answered."""

    def close(self) -> None:
        """From now on each answer asks its client to leave the connection."""
        self._closing = True

    def interrupt(self) -> None:
        """Whoever is still sending a request is answered by 503."""
        for task in self._reading:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def hear() -> Message:
            task = asyncio.current_task()
            assert task
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

        self.inside += 1
        try:
            await self._app(scope, hear, say)
        except asyncio.CancelledError:
            if begun or not self._closing:
                raise
            await refuse(say, STOPPING)
        finally:
            self.inside -= 1
