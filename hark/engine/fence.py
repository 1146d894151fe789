"""Is this the directory that has been sending, or a copy of it? A copy does not send until somebody says so.

Two directories with one past would each send what waits. A copy is known by the machine's id, and by the
device and inode of state.db, which a restored file does not keep; and by silence: the state stood still for
over an hour while messages were due. A machine rolled back as a whole is known by that silence alone.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from hark.model import HOUR, Instant
from hark.store.state import StateStore

SILENCE_US = HOUR
_MACHINE = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


class Marks(Struct, frozen=True):
    """What a directory is known by; "" and 0 where the system does not say."""

    host: str = ""
    device: int = 0
    inode: int = 0

    @staticmethod
    def of(data: Path) -> Marks:
        host = next((path.read_text().strip() for path in _MACHINE if path.is_file()), "")
        found = (data / "state.db").stat()
        return Marks(host, found.st_dev, found.st_ino)


class Kept(Struct, frozen=True):
    """What the state remembers."""

    marks: Marks
    closed: str = ""
    """Why nothing is sent; "" where it is."""


class Fence:
    """Of one engine. What is new in it is written by the tick's commit."""

    def __init__(self, data: Path, state: StateStore, now: Instant) -> None:
        self._marks = Marks.of(data)
        text = state.meta("fence")
        before = msgspec.json.decode(str(text), type=Kept) if text else None
        self._kept = before
        self.closed = ""
        """Why nothing is sent; "" where it is."""
        if before:
            self.closed = before.closed or _differs(before.marks, self._marks) or _silence(state, now)

    def open(self) -> None:
        """Somebody has said that this is the one directory that sends."""
        self.closed = ""

    def take(self) -> str | None:
        """What the commit has to write; None where nothing has changed."""
        kept = Kept(self._kept.marks if self._kept and self.closed else self._marks, self.closed)
        if kept == self._kept:
            return None
        self._kept = kept
        return msgspec.json.encode(kept).decode()


def _differs(before: Marks, now: Marks) -> str:
    if before.host and now.host and before.host != now.host:
        return "this data directory was used on another machine before"
    if (before.device, before.inode) != (now.device, now.inode):
        return "this data directory was copied or restored from a backup"
    return ""


def _silence(state: StateStore, now: Instant) -> str:
    stood = state.engine_time()
    if now - stood <= SILENCE_US or not state.due(now, 1):
        return ""
    hours = (now - stood) / HOUR
    return f"nothing was done here for {hours:.1f} hours while messages were due"
