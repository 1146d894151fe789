"""`hark restart`: asks the supervisor of a running server to replace roles, and hears how it went.

The wish lies in DIR/run/restart.json and SIGUSR1 points to it; the answer comes in DIR/run/restarted.json.
Without a wish SIGUSR1 means every role.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from hark.clock import secret
from hark.collect.address import read_address
from hark.errors import HarkError
from hark.store.locks import ROLES, holder

ORDER = ("collect", "engine", "console", "questions")
PATIENCE_S = 120.0
_LOOK_S = 0.02

T = TypeVar("T")


class Wish(Struct, frozen=True):
    """Which roles somebody wants to be started anew; `id` tells one wish from the next."""

    id: str = ""
    roles: tuple[str, ...] = ORDER


class Outcome(Struct, frozen=True):
    """How a wish went: the exit codes of new processes that could not start; the old ones then went on."""

    id: str
    failed: dict[str, int] = field(default_factory=dict)


def restart(data: Path, roles: Sequence[str] = ORDER, patience_s: float = PATIENCE_S) -> tuple[str, ...]:
    """Replace these roles of the server on the directory, one after the other; returns them when it is done.

    Raises HarkError: `restart.role` (no such role), `restart.none` (no server runs here), `restart.failed`
    (a new process could not start: the old one goes on), `restart.slow`.
    """
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise HarkError(
            f"there is no role {unknown[0]!r}", f"the roles are {', '.join(ROLES)}", "restart.role"
        )
    wish = Wish(secret("r"), tuple(role for role in ORDER if role in roles))
    supervisor = _supervisor(data)
    _write(data / "run" / "restart.json", wish)
    os.kill(supervisor, signal.SIGUSR1)
    outcome = _outcome(data, wish.id, patience_s)
    if outcome.failed:
        failed = ", ".join(f"{role} (exit code {code})" for role, code in outcome.failed.items())
        hint = "the old process goes on; the reason stands in the server's output"
        raise HarkError(f"the new process could not start: {failed}", hint, "restart.failed")
    return wish.roles


def take_wish(data: Path) -> Wish:
    """What SIGUSR1 asks for, once; every role where nothing was written. For the supervisor."""
    path = data / "run" / "restart.json"
    found = _read(path, Wish)
    path.unlink(missing_ok=True)
    return found or Wish()


def tell(data: Path, outcome: Outcome) -> None:
    """For the supervisor: say how it went."""
    _write(data / "run" / "restarted.json", outcome)


def _supervisor(data: Path) -> int:
    """The process to ask. A collect that runs alone has nobody to follow it."""
    address, collect = read_address(data), holder(data, "collect")
    if address is None or collect in (None, address.pid):
        message = f"no server runs on {data} that could start its processes anew"
        raise HarkError(message, "start one: hark serve", "restart.none")
    return address.pid


def _outcome(data: Path, wish: str, patience_s: float) -> Outcome:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = _read(data / "run" / "restarted.json", Outcome)
        if found and found.id == wish:
            return found
        time.sleep(_LOOK_S)
    hint = "it goes on by itself; the server's output says how it went"
    raise HarkError(f"not done in {patience_s:.0f} s", hint, "restart.slow")


def _write(path: Path, value: Struct) -> None:
    """In one step, so that nobody reads half of it."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(msgspec.json.encode(value))
    temporary.replace(path)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
