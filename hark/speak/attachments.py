"""Files that go with a transactional message: beside the state, since no history should hold them.

DIR/attachments/MESSAGE has all of a message's files. They are there before the message is in the log, and go
when it is old; an erasure takes those of its customer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from hark.model import DAY, Instant

FOLDER = "attachments"
MOST_FILES, MOST_BYTES = 10, 7_000_000
"""Of one message; in a letter they take a third more, and many servers refuse letters over 10 MB."""
KEPT_US = 7 * DAY
"""Nothing transactional is tried for longer."""
NAME = re.compile(r'[^\x00-\x1f\x7f/\\"]{1,120}')
TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_ID = re.compile(r"[0-9a-f]{32}")


class Attachment(Struct, frozen=True):
    """One file."""

    name: str
    type: str
    content: bytes


Files: TypeAlias = tuple[Attachment, ...]


class Attachments:
    """Those of one data directory."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def keep(self, message: str, files: Files, now: Instant) -> None:
        """On disk, whole, when it returns; what is too old goes."""
        self._folder.mkdir(exist_ok=True)
        self._sweep(now)
        path = self._path(message)
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.msgpack.encode(files))
            os.fsync(file.fileno())
        os.utime(new, (now / 1e6, now / 1e6))
        new.replace(path)

    def of(self, message: str) -> Files:
        """Raises FileNotFoundError where they are gone."""
        return msgspec.msgpack.decode(self._path(message).read_bytes(), type=Files)

    def drop(self, messages: Iterable[str]) -> None:
        """Removes those of these messages; nothing, where there are none."""
        for message in messages:
            self._path(message).unlink(missing_ok=True)

    def _path(self, message: str) -> Path:
        if not _ID.fullmatch(message):
            raise ValueError(f"{message!r} is no message's id")
        return self._folder / message

    def _sweep(self, now: Instant) -> None:
        for path in self._folder.iterdir():
            if path.stat().st_mtime * 1e6 < now - KEPT_US:
                path.unlink(missing_ok=True)
