"""One process for each role on a data directory: `flock` on DIR/run/ROLE.lock.

The kernel lets a lock go when its holder ends, however it ends, so there is nothing to clean up.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from hark.errors import HarkError

ROLES = ("collect", "engine", "console", "questions")
_MARKS = ("run", "hark.toml", "state.db", "config.db", "log/sources.json", "log/1.db", "run/collect.lock")
_TRIES, _PAUSE_S = 10, 0.02
_LOOK_S = 0.002
"""How often one that succeeds another looks whether the lock is free: nobody has the role meanwhile."""


class Lock:
    """A held lock; `release`, the end of the `with` or of the process gives it back."""

    def __init__(self, number: int) -> None:
        self._number = number

    def release(self) -> None:
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def hold(data: Path, role: str) -> Lock:
    """Become the one process with this role on the data directory.

    Raises HarkError `data.in-use`, naming the process which holds it. Tries for a fifth of a second, since
    `holder` takes the lock for an instant to see whether it is free.
    """
    number = _open(data, role)
    for _ in range(_TRIES):
        if _locked(number):
            return _taken(number)
        time.sleep(_PAUSE_S)
    pid = _written(number)
    os.close(number)
    raise _in_use(data, role, pid)


def succeed(data: Path, role: str, patience_s: float = 60.0) -> Lock:
    """Become the one process with this role after the one which is it now: that one is asked to end.

    Raises HarkError `data.in-use` if it has not ended after `patience_s`.
    """
    number, asked = _open(data, role), 0
    deadline = time.monotonic() + patience_s
    while not _locked(number):
        pid = _written(number)
        if pid not in (0, asked):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            asked = pid
        if time.monotonic() > deadline:
            os.close(number)
            raise _in_use(data, role, pid)
        time.sleep(_LOOK_S)
    return _taken(number)


def holder(data: Path, role: str) -> int | None:
    """The process that has the role now; None: nobody (0: somebody who has not said who)."""
    if not (data / "run" / f"{role}.lock").exists():
        return None
    with Lock(number := _open(data, role)):
        return None if _locked(number) else _written(number)


def refuse_in_use(data: Path) -> None:
    """Raise HarkError `data.in-use` if any role on the directory is taken."""
    for role in ROLES:
        pid = holder(data, role)
        if pid is not None:
            raise _in_use(data, role, pid)


def claim(data: Path) -> None:
    """Make the data directory, or see that it is one.

    Raises HarkError `data.foreign` (something else is there) or `data.unwritable`.
    """
    hint = "choose an empty directory, or one that Hark has made, with --data"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if _strangers(data) and not any((data / mark).exists() for mark in _MARKS):
            raise HarkError(f"{data} holds something else than Hark's data", hint, "data.foreign")
        (data / "run").mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        raise HarkError(f"{data} is no directory", hint, "data.foreign") from None
    except OSError as error:
        raise HarkError(f"{data} can't be used: {error.strerror}", hint, "data.unwritable") from None


def _strangers(data: Path) -> bool:
    """Whether the directory holds anything but the output a person may have redirected into it."""
    return any(path.suffix not in (".out", ".log") for path in data.iterdir())


def _open(data: Path, role: str) -> int:
    path = data / "run" / f"{role}.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(number: int) -> Lock:
    os.ftruncate(number, 0)
    os.pwrite(number, str(os.getpid()).encode(), 0)
    return Lock(number)


def _written(number: int) -> int:
    text = os.pread(number, 32, 0)
    return int(text) if text.isdigit() else 0


def _in_use(data: Path, role: str, pid: int) -> HarkError:
    message = f"{data} is in use: process {pid or 'unknown'} is its {role}"
    return HarkError(message, "stop that process, or choose another directory with --data", "data.in-use")
