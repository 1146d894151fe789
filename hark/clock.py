"""The only source of time, ids and chance. Everything else is given a `Clock`."""

from __future__ import annotations

import hashlib
import mmap
import secrets
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from hark.model import Instant


class Clock(Protocol):
    """Where the present moment comes from."""

    def now(self) -> Instant:
        """Microseconds since 1970 UTC."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> Instant:
        return time.time_ns() // 1000


class SetClock:
    """A clock that stands until it is set; for tests, replay and back-tests."""

    def __init__(self, at: Instant = 0) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at


class SharedClock:
    """A virtual clock in a small file that several processes map: one sets it, the others read it."""

    def __init__(self, path: Path, create: bool = False) -> None:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(struct.pack("<q", 0))
        self.path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    def now(self) -> Instant:
        at: int = struct.unpack("<q", self._map[:8])[0]
        return at

    def set(self, at: Instant) -> None:
        self._map[:8] = struct.pack("<q", at)


def open_clock(path: Path | None) -> Clock:
    """The shared virtual clock in `path`, or the wall clock without one."""
    return SharedClock(path) if path else WallClock()


def instant(value: str | datetime) -> Instant:
    """An ISO 8601 text or a datetime with a zone as microseconds; without a zone: ValueError."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        raise ValueError(f"a time needs a zone, for example 2026-03-01T09:00:00Z (got {value!r})")
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)


def moment(at: Instant) -> datetime:
    """The zone-aware UTC datetime of an instant."""
    seconds, micros = divmod(at, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def derived_id(*parts: str | int) -> str:
    """A 128-bit id made of its parts alone (hex): the same parts give the same id everywhere."""
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def unit_hash(salt: str, key: str) -> float:
    """u in [0, 1): 64-bit BLAKE2b of `key`, keyed by `salt`; anybody can recompute an assignment by it."""
    digest = hashlib.blake2b(key.encode(), digest_size=8, key=salt.encode()[:64]).digest()
    return (int.from_bytes(digest, "big") >> 11) / float(1 << 53)


def secret(prefix: str) -> str:
    """A fresh unguessable token."""
    return f"{prefix}_{secrets.token_urlsafe(24)}"
