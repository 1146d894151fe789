"""The one way out: every connection that Hark opens to a provider or a customer's endpoint starts here.

Names are resolved here and the very address that was checked is connected to, so that a name which
answers otherwise a moment later (DNS rebinding) gains nothing. There are no redirects, no proxies from the
environment and no cookies; an answer is read up to a limit and within a deadline for the whole exchange.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import httpcore
from msgspec import Struct

from hark.speak.contract import Answer, Lost, Request
from hark.speak.places import NOWHERE_ELSE, Allowed, BadPlaceError, all_reachable, place_of

Resolve: TypeAlias = Callable[[str, int], list[str]]
Pair: TypeAlias = tuple[bytes, bytes]

LONGEST_ANSWER = 64_000
"""Bytes of an answer that are read; no provider says more of one message."""
LONGEST_REQUEST = 30_000_000
RESOLVE_S = 3.0
IDLE_S = 4.0
"""Servers close idle connections after five seconds and more; one that closes while we write is *unknown*."""


class Timeouts(Struct, frozen=True):
    connect_s: float = 10
    command_s: float = 30
    """For each answer within a conversation, and to hand over each part of a message."""
    final_s: float = 120
    """For the answer after a message was handed over, where the server may still scan it."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def resolve_soon(host: str, port: int) -> list[str]:
    """The same for whoever must not wait for a resolver that does not answer. Raises OSError."""
    found: list[list[str] | OSError] = []

    def ask() -> None:
        try:
            found.append(resolve(host, port))
        except OSError as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(RESOLVE_S)
    answer = found[0] if found else TimeoutError(f"no resolver answered for {host}")
    if isinstance(answer, OSError):
        raise answer
    return answer


def connect(
    host: str, port: int, timeout_s: float, allowed: Allowed = NOWHERE_ELSE, by: Resolve = resolve
) -> socket.socket:
    """A TCP connection to a reachable address of the host. Raises BadPlaceError before any packet to an
    address that may not be reached, OSError where nobody answers."""
    allowed.refuse_literal(host)
    addresses = all_reachable(host, by(host, port), allowed)
    failed: OSError | None = None
    for address in addresses:
        try:
            found = socket.create_connection((address, port), timeout_s)
        except OSError as error:
            failed = error
            continue
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found
    raise failed or OSError(f"{host} has no address")


class Wire:
    """HTTP exchanges, each at most once: what was not certainly refused before it was said is `Lost.said`."""

    def __init__(
        self, allowed: Allowed = NOWHERE_ELSE, timeouts: Timeouts | None = None, by: Resolve = resolve,
        trusted: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """`trusted` holds the authorities that certificates are checked by; None: the system's."""
        self.allowed = allowed
        self.timeouts = timeouts or Timeouts()
        self._said = threading.local()
        backend = _Backend(allowed, by, self._said)
        self._pools = {
            two: httpcore.ConnectionPool(
                trusted or ssl.create_default_context(),
                max_connections=64,
                keepalive_expiry=IDLE_S,
                network_backend=backend,
                http1=not two,
                http2=two,
            )
            for two in (False, True)
        }

    def exchange(self, request: Request) -> Answer | Lost:
        """Sends the request once and reads the answer. Never raises for what a network can do."""
        self._said.any = False
        self._said.until = time.monotonic() + self.timeouts.connect_s + self.timeouts.final_s
        try:
            return self._exchange(request)
        except BadPlaceError as error:
            return Lost(str(error), said=False, refused=True)
        except (OSError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Lost(f"{type(error).__name__}: {error}".strip(" :"), said=bool(self._said.any))

    def _exchange(self, request: Request) -> Answer:
        place = place_of(request.url, self.allowed)
        if len(request.body) > LONGEST_REQUEST:
            raise BadPlaceError(f"a request over {LONGEST_REQUEST} bytes is not sent")
        url = httpcore.URL(
            scheme=place.scheme.encode(),
            host=place.host.encode(),
            port=place.port,
            target=place.target.encode(),
        )
        headers = [(b"Host", place.authority.encode()), *_headers(request)]
        with self._pools[request.http2].stream(
            request.method, url, headers=headers, content=request.body, extensions=self._extensions()
        ) as response:
            return Answer(response.status, _named(response.headers), _upto(response.iter_stream()))

    def _extensions(self) -> dict[str, Any]:
        times = self.timeouts
        return {
            "timeout": {
                "connect": times.connect_s,
                "pool": times.connect_s,
                "write": times.command_s,
                "read": times.final_s,
            }
        }

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def _headers(request: Request) -> list[Pair]:
    given = {"User-Agent": "Hark", "Accept": "application/json", **request.headers}
    given["Content-Length"] = str(len(request.body))
    for name, value in given.items():
        if not value.isascii() or not value.isprintable():
            raise BadPlaceError(f"the header {name} would not be one line of plain text")
    return [(name.encode(), value.encode()) for name, value in given.items()]


def _named(headers: Iterable[Pair]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _upto(parts: Iterable[bytes]) -> bytes:
    """The answer's beginning; the rest is left unread, and the connection with it. The status is known by
    now: a body that is cut off doesn't change it."""
    found = b""
    try:
        for part in parts:
            found += part
            if len(found) >= LONGEST_ANSWER:
                break
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        pass
    return found[:LONGEST_ANSWER]


class _Backend(httpcore.NetworkBackend):
    """httpcore's way to the network, through `connect`."""

    def __init__(self, allowed: Allowed, by: Resolve, said: threading.local) -> None:
        self._allowed, self._by, self._said = allowed, by, said

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,
        local_address: str | None = None, socket_options: Any = None,  # noqa: ARG002 (httpcore's names)
    ) -> httpcore.NetworkStream:  # fmt: skip
        try:
            found = connect(host, port, timeout or 10, self._allowed, self._by)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(found, self._said)


class _Stream(httpcore.NetworkStream):
    """A connection which remembers that something was said on it, and keeps to the exchange's deadline."""

    def __init__(self, connected: socket.socket, said: threading.local) -> None:
        self._socket, self._said = connected, said

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._patience(timeout)
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout("no answer in time") from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._patience(timeout)
        self._said.any = self._said.any or bool(buffer)
        try:
            self._socket.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout("could not be handed over in time") from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def _patience(self, timeout: float | None) -> None:
        rest = self._said.until - time.monotonic()
        self._socket.settimeout(max(0.001, rest if timeout is None else min(rest, timeout)))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._patience(timeout)
        try:
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except OSError as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(wrapped, self._said)

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _readable(self._socket)
        return self._socket if info in ("socket", "ssl_object") and _has(info, self._socket) else None


def _has(info: str, connected: socket.socket) -> bool:
    return info == "socket" or isinstance(connected, ssl.SSLSocket)


def _readable(connected: socket.socket) -> bool:
    """Whether an idle connection has something to say, which can only be that it ends."""
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
