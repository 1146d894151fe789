"""The console's process: Django under granian on a unix socket, all in this one process.

granian runs embedded (its worker processes would outlive a killed parent), and Django's WSGI application
answers each request in a thread of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TypeAlias

from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi
from granian.constants import Interfaces
from granian.server.embed import Server

from hark.clock import Clock

SOCKET = "console.sock"
AT_ONCE = 64
"""Requests answered at the same time; others wait."""
STREAMS = 256
"""Connections beside these that may stay open: inboxes."""

Application: TypeAlias = Any
"""A WSGI or ASGI application; both standards describe it by its behaviour."""


def serve(data: Path, clock: Clock, url: str) -> None:
    """Bring config.db up to date, say how to make the first account, and answer until SIGTERM.

    Only one runs on a data directory (its caller holds `console.lock`), so a socket found is a dead one's.
    """
    os.umask(0o077)
    application = prepare(data, clock, url)
    stop = threading.Event()
    threading.Thread(target=_weekly, args=(data, clock, stop), name="weekly", daemon=True).start()
    socket = data / "run" / SOCKET
    socket.unlink(missing_ok=True)
    asyncio.run(_answer(application, socket))
    sys.stdout.flush()
    sys.stderr.flush()
    # granian's own threads don't survive the interpreter's end: they abort when Python takes itself apart.
    os._exit(0)


def prepare(data: Path, clock: Clock, url: str) -> Application:
    """Django loaded and migrated, and its WSGI application with the static files before it."""
    from hark.console.config import configure

    (data / "run").mkdir(parents=True, exist_ok=True)
    configure(data, clock, url)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from hark.console.accounts.welcome import invite
    from hark.console.files import with_files

    call_command("migrate", verbosity=0, interactive=False)
    link = invite(data, url)
    if link:
        print(f"Make the first account (this link works once): {link}", flush=True)  # noqa: T201
    return with_files(get_wsgi_application(), data)


def _weekly(data: Path, clock: Clock, stop: threading.Event) -> None:
    """The team's letter of the week."""
    from django.conf import settings

    from hark.console.digests.weekly import Weekly
    from hark.previews import team_post
    from hark.settings import read

    here = settings.HARK_SOURCE
    post = team_post(here.state, read(data).outbound_allow, clock)
    Weekly(here, settings.HARK_ZONE, post).run(stop)


def asgi(application: Application) -> Application:
    """The WSGI application for an ASGI server, each request in a thread of its own, and beside it the streams
    of inboxes, which would hold a thread for minutes."""
    from hark.console.inbox import stream

    bridge: Application = WsgiToAsgi  # asgiref leaves it untyped
    inner, streams, places = bridge(application), stream.Streams(), asyncio.Semaphore(AT_ONCE)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def say(message: Any) -> None:
            await send(message)

        if scope.get("path") == stream.PATH:
            await streams(scope, receive, say)
            return
        async with places, ThreadSensitiveContext():
            await inner(scope, receive, say)

    return answer


async def _answer(application: Application, socket: Path) -> None:
    server = Server(
        asgi(application),
        uds=socket,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
        backpressure=AT_ONCE + STREAMS,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()
