"""The collect process: the public port, one granian worker in this very process, and its orderly end.

The listening socket comes from the supervisor (`fd`), which keeps it open while this process changes, so
that clients wait in its queue and are not turned away.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

from granian import _granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server as Embedded

from hark.clock import Clock
from hark.collect.address import CONNECTIONS, Address, listen, read_address, write_address
from hark.collect.control import Control
from hark.collect.counts import Counts
from hark.collect.dispatch import Collect
from hark.collect.drain import FINISH_S, POLITE_S, Door
from hark.collect.hooks.known import Hooks
from hark.collect.http import Receive, Scope, Send
from hark.collect.keeping import Keeper, count_rejects, count_rows
from hark.collect.queue import Appender
from hark.collect.rate import Rate
from hark.collect.sources import Sources
from hark.collect.steps import Context, Limits
from hark.collect.watch import Watch
from hark.settings import Settings
from hark.store.contracts import Counted, NewRow, Place, Reject
from hark.store.counts import CountStore
from hark.store.log import LogReader, LogStore
from hark.store.rejects import rejects_after
from hark.store.retention import EVERY_S, drop
from hark.store.vitals import Histogram

BROKEN = 74
"""Exit code after a failed commit: what is on disk is unknown until the log is opened anew."""

OTHER_FILES = 256
"""Descriptors kept free of connections: the log must always be able to go on in a new file."""
READ_BUFFER = 64 * 1024
"""Bytes the HTTP server reads at once; it answers 431 itself to headers that don't fit."""
SWITCH_S = 0.0005
"""How long the log's thread waits for the interpreter at most (the default is 5 ms) before its next call."""

_log = logging.getLogger("hark.collect")
_LAST_ANSWERS_S = 0.25
_MB = 1 << 20
LIMITS = Limits()


def serve(
    data: Path,
    host: str,
    port: int,
    clock: Clock,
    settings: Settings,
    fd: int | None = None,
    limits: Limits = LIMITS,
) -> None:
    """Collect until SIGTERM or SIGINT, then answer what has begun and end.

    With `fd` that socket is used (a supervisor's, who also wrote serve.json); else host and port are bound.
    The caller holds the collect role.
    """
    listener = socket.socket(fileno=fd) if fd is not None else listen(host, port)
    address = read_address(data) if fd is not None else None
    if address is None:
        address = write_address(data, host, listener.getsockname()[1])
    watch = Watch(settings, clock)
    store = _TimedLog(watch.writes, data / "log", settings.log_file_mb * _MB, settings.min_free_mb * _MB)
    context = Context(
        Sources(data), Rate(settings.rate_per_s), Hooks(data, settings.base_url), limits, watch=watch
    )
    sys.setswitchinterval(SWITCH_S)
    asyncio.run(_serve(data, listener, address, clock, store, context, settings.log_days))


def most_connections() -> int:
    """How many there may be, with as many descriptors as the system allows this process."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(1, min(CONNECTIONS, most - OTHER_FILES))


def _end_soon() -> None:
    """End without another word once the waiting have their 503."""
    asyncio.get_running_loop().call_later(_LAST_ANSWERS_S, os._exit, BROKEN)


class _TimedLog(LogStore):
    """The log, and how long its commits take."""

    def __init__(self, writes: Histogram, directory: Path, file_bytes: int, min_free_bytes: int) -> None:
        super().__init__(directory, file_bytes, min_free_bytes)
        self._writes = writes

    def append(self, rows: Sequence[NewRow], refused: Sequence[Reject] = ()) -> list[int]:
        began = time.perf_counter()
        try:
            return super().append(rows, refused)
        finally:
            self._writes.observe(time.perf_counter() - began)


def _observer(data: Path) -> Any:
    """Loaded beside the first requests, for the same reason as the proxy."""
    return import_module("hark.store.standing").Observer(data)


class _Rest:
    """The console's proxy, loaded beside the first requests: its HTTP client takes a third of a second to
    import, and events shall not wait for it when this process starts anew."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._loading = asyncio.ensure_future(asyncio.to_thread(import_module, "hark.collect.proxy"))
        self._proxy: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._proxy is None:
            module = await asyncio.shield(self._loading)
            self._proxy = self._proxy or module.Proxy(self._socket)
        await self._proxy(scope, receive, send)

    async def close(self) -> None:
        if self._proxy:
            await self._proxy.close()


class _Server(Embedded):
    """Granian in this process, on a socket that is open already."""

    def __init__(self, app: Door, listener: socket.socket) -> None:
        http1 = HTTP1Settings(max_buffer_size=READ_BUFFER, header_read_timeout=10_000)
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backpressure=most_connections(),
            http1_settings=http1,
            log_access=False,
            log_enabled=False,
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        """Granian opens its socket here; it offers no other way to give it one."""
        make: Any = _granian.SocketHolder
        self._shd = make(self._listener.fileno(), False, CONNECTIONS)


async def _serve(
    data: Path,
    listener: socket.socket,
    address: Address,
    clock: Clock,
    store: LogStore,
    context: Context,
    log_days: int,
) -> None:
    watch = context.watch
    waiting_bytes = watch.settings.queue_mb * _MB
    kept = CountStore(data / "log" / "counts.db")
    counts, keeper = _counting(data / "log", store, kept, clock)
    keeping = asyncio.ensure_future(keeper.run())
    appender = Appender(
        store, _end_soon, waiting_bytes=waiting_bytes, stored=counts.stored, has_room=watch.has_room
    )
    dropping = asyncio.ensure_future(_drop_old(data, appender, clock, log_days))
    control = Control(address.token, appender, store, context.sources, clock, counts)
    rest = _Rest(data / "run" / "console.sock")
    app = Collect(context, appender, clock, counts, control, rest)
    door = Door(app, watch.traffic, waiting_bytes)
    server = _Server(door, listener)
    _stop_on_signals(server, door, context)
    watch.look_on(lambda: _observer(data))
    await server.serve()
    dropping.cancel()
    await rest.close()
    await appender.close()
    keeping.cancel()
    keeper.keep()
    kept.close()


async def _drop_old(data: Path, appender: Appender, clock: Clock, days: int) -> None:
    """Now and then: lets the log go on in a new file, and old files go."""
    while True:
        try:
            await appender.append([])
            await asyncio.to_thread(drop, data, clock.now(), days)
        except Exception:  # the next round tries again; until then the log keeps everything
            _log.exception("old files of the log could not be dropped")
        await asyncio.sleep(EVERY_S)


def _counting(log: Path, store: LogStore, kept: CountStore, clock: Clock) -> tuple[Counts, Keeper]:
    """The counters, which go on where an earlier process kept them; the rest is counted from the log."""
    end = Place(store.end(), store.rejected)
    place = kept.place() or Place()

    def uncounted() -> Counted:
        with closing(LogReader(log)) as reader:
            rows = count_rows(reader, place.seq, end.seq)
        return {**rows, **count_rejects(rejects_after(log, place.reject))}

    kept.forget(clock.now())
    counts = Counts(clock, end, kept.totals())
    return counts, Keeper(counts, kept, uncounted)


def _stop_on_signals(server: _Server, door: Door, context: Context) -> None:
    """On SIGTERM or SIGINT: tell the clients to leave, then take no more connections, then end."""
    loop = asyncio.get_running_loop()
    listen_no_more: Callable[[], None] = server.stop

    def stop() -> None:
        context.watch.draining = True
        door.close()
        loop.call_later(POLITE_S, shut)

    def shut() -> None:
        listen_no_more()
        loop.call_later(FINISH_S, give_up)

    def give_up() -> None:
        context.draining = True
        door.interrupt()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
