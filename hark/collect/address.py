"""Where a server listens: the public socket, and DIR/run/serve.json, by which commands find it.

Apart from the server itself, which takes a second to load, for the supervisor and every command ask this.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec
from msgspec import Struct

from hark.clock import secret

CONNECTIONS = 2048
"""At once, at most; the next waits in the listening socket."""


class Address(Struct):
    """DIR/run/serve.json: where the server is, and the token which opens its `/control/`."""

    url: str
    token: str
    pid: int


def listen(host: str, port: int) -> socket.socket:
    """The public socket, bound and listening."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=CONNECTIONS)


def write_address(data: Path, host: str, port: int) -> Address:
    """Write DIR/run/serve.json (0600) with a fresh token."""
    shown = f"[{host}]" if ":" in host else host
    address = Address(f"http://{shown}:{port}", secret("ct"), os.getpid())
    path = data / "run" / "serve.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(address))
    temporary.replace(path)
    return address


def read_address(data: Path) -> Address | None:
    """What DIR/run/serve.json says; None where it is missing."""
    try:
        return msgspec.json.decode((data / "run" / "serve.json").read_bytes(), type=Address)
    except FileNotFoundError:
        return None
