"""One command, four processes: starts them, starts again what died, and ends them together.

It holds the listening socket, so while collect changes clients wait in its queue and none is turned away.
On SIGUSR1 roles are replaced (`hark restart`): the new process of a role starts beside the old one, loads all
it needs, asks the old one to end and takes its place; if it can't start, the old one goes on.
Processes end with their supervisor, however that ends (Linux: the parent-death signal).
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from hark.collect.address import listen, write_address
from hark.errors import HarkError
from hark.restart import Outcome, Wish, take_wish, tell
from hark.role import STOP_ALL, SUCCEED
from hark.store.locks import ROLES, claim, hold, refuse_in_use
from hark.store.log import LogStore

GRACE_S = 10.0
"""How long the roles may take to end in order, before they are killed."""

STEADY_S = 10.0
"""A role that ran so long is started again at once."""

LONGEST_PAUSE_S = 1.0
"""Also a role that dies again and again is away for no longer."""

_PR_SET_PDEATHSIG = 1
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
_libc = ctypes.CDLL(None, use_errno=True)


class Place(Struct, frozen=True):
    """What the roles' command lines are made of."""

    data: Path
    url: str
    port: int
    fd: int
    """The listening socket that collect inherits."""
    clock_path: Path | None = None


def role_commands(place: Place) -> dict[str, Sequence[str]]:
    """The command line of each role."""
    common = ["--data", str(place.data), "--url", place.url, "--port", str(place.port), "--fd", str(place.fd)]
    clock = ["--clock", str(place.clock_path)] if place.clock_path else []
    return {role: [sys.executable, "-m", "hark.role", role, *common, *clock] for role in ROLES}


def supervise(
    data: Path,
    port: int,
    host: str,
    clock_path: Path | None = None,
    commands: Callable[[Place], Mapping[str, Sequence[str]]] = role_commands,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve a data directory until SIGTERM, SIGINT or SIGHUP. For a process without other threads.

    `started` is told the address once the socket listens (port 0: a free one). Raises HarkError if the
    directory is foreign or in use, the port is taken, or a role said that it can't go on.
    """
    claim(data)
    refuse_in_use(data)
    with _listening(host, port) as listener, _signals_held():
        with hold(data, "collect"):
            LogStore(data / "log").close()
        number = listener.getsockname()[1]
        address = write_address(data, host, number)
        place = Place(data, address.url, number, listener.fileno(), clock_path)
        if started:
            started(address.url)
        try:
            _Family(data, [_Child(role, line, place.fd) for role, line in commands(place).items()]).live()
        finally:
            (data / "run" / "serve.json").unlink(missing_ok=True)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        message = f"port {port} on {host} can't be had: {error.strerror}"
        raise HarkError(message, "choose another with --port", "serve.port") from None


@contextmanager
def _signals_held() -> Iterator[None]:
    """They are waited for, so that none comes at a wrong moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Child:
    """One role's process, when it may be started again, and the one that will follow it."""

    def __init__(self, role: str, command: Sequence[str], fd: int) -> None:
        self.role = role
        self._command = command
        self._fd = fd
        self._failures = 0
        self._began = 0.0
        self.start_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.successor: subprocess.Popen[bytes] | None = None
        self.refused: int | None = None
        """The exit code of a successor that ended before it took over."""

    @property
    def alive(self) -> bool:
        return self.process is not None

    def start(self) -> None:
        self._began = time.monotonic()
        self.process = self._spawn(self._command)

    def replace(self) -> None:
        """Start the process that follows this one; it asks this one to end once it is ready."""
        self.refused = None
        self.successor = self._spawn([*self._command, SUCCEED])

    def reap(self) -> int | None:
        """The exit code if the process has ended with none to follow it; its next start is then due: at once,
        or after a growing pause."""
        self._reap_successor()
        code = self.process.poll() if self.process else None
        if code is None:
            return None
        ran_s = time.monotonic() - self._began
        self.process, self.successor = self.successor, None
        self._began = time.monotonic()
        if self.process:
            return None
        self._failures = 0 if ran_s > STEADY_S else self._failures + 1
        pause = 0.0 if self._failures <= 1 else min(0.05 * 2.0**self._failures, LONGEST_PAUSE_S)
        self.start_at = self._began + pause
        return code

    def signal(self, number: int) -> None:
        for process in (self.process, self.successor):
            if process:
                process.send_signal(number)

    def wait(self) -> None:
        for process in (self.process, self.successor):
            if process:
                process.wait()

    def _reap_successor(self) -> None:
        code = self.successor.poll() if self.successor else None
        if code is not None:
            self.successor, self.refused = None, code

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        fds = (self._fd,) if self.role == "collect" else ()
        parent = os.getpid()
        return subprocess.Popen(
            command,
            pass_fds=fds,
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 (there are no threads here)
            start_new_session=True,
        )


class _Restart:
    """Replaces roles one after the other, so that two cores are enough for it."""

    def __init__(self, wish: Wish, children: Sequence[_Child]) -> None:
        self._id = wish.id
        self._next = [child for child in children if child.role in wish.roles]
        self._now: _Child | None = None
        self._failed: dict[str, int] = {}

    def advance(self) -> Outcome | None:
        """Called whenever a process has ended: begins with the next role; the outcome once all are done."""
        while self._now is None or self._now.successor is None:
            if self._now and self._now.refused is not None:
                self._failed[self._now.role] = self._now.refused
            if not self._next:
                return Outcome(self._id, self._failed)
            self._now = self._next.pop(0)
            if self._now.alive:
                self._now.replace()
        return None


class _Family:
    """The roles of one server, from the first start to the end of the last."""

    def __init__(self, data: Path, children: Sequence[_Child]) -> None:
        self._data = data
        self._children = children
        self._restart: _Restart | None = None
        self._asked = False
        """Somebody wants a restart that has not begun."""

    def live(self) -> None:
        """Keep the roles alive until a signal says to end, or a role that it can't go on (HarkError)."""
        failed = self._keep()
        self._end()
        if failed:
            message = f"the {failed} process can't go on, so all were stopped"
            raise HarkError(message, "its reason stands in the line above", "serve.stopped")

    def _keep(self) -> str:
        """Start what is due until the end; the role which can't go on, or ""."""
        while True:
            for child in self._children:
                if not child.alive and child.start_at <= time.monotonic():
                    child.start()
            self._go_on_with_restart()
            found = signal.sigtimedwait(_SIGNALS, self._pause())
            if found and found.si_signo == signal.SIGUSR1:
                self._asked = True
            elif found and found.si_signo != signal.SIGCHLD:
                return ""
            for child in self._children:
                code = child.reap()
                if code == STOP_ALL:
                    return child.role
                if code is not None:
                    sys.stderr.write(f"hark: {child.role} ended ({code}), starting it again\n")

    def _go_on_with_restart(self) -> None:
        if self._asked and not self._restart:
            self._asked, self._restart = False, _Restart(take_wish(self._data), self._children)
        outcome = self._restart.advance() if self._restart else None
        if outcome:
            self._restart = None
            tell(self._data, outcome)
            for role, code in outcome.failed.items():
                sys.stderr.write(f"hark: the new {role} could not start ({code}), the old one goes on\n")

    def _pause(self) -> float:
        """Seconds until the next start is due; the signal of a child's end comes before."""
        due = [child.start_at for child in self._children if not child.alive]
        return max(0.0, min([*due, time.monotonic() + 5]) - time.monotonic())

    def _end(self) -> None:
        for child in self._children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while self._any_alive() and time.monotonic() < deadline:
            signal.sigtimedwait([signal.SIGCHLD], 0.1)
        for child in self._children:
            child.signal(signal.SIGKILL)
            child.wait()

    def _any_alive(self) -> bool:
        for child in self._children:
            child.reap()
        return any(child.alive for child in self._children)


def _die_with(parent: int) -> None:
    """In a new process: get signals again, and be killed when the supervisor ends."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
