"""What the engine has published for this process, read again when it changes: the mappings of sources
(DIR/hooks.json), and the campaigns that calls may start (DIR/triggers.json)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from hark.definitions.mapping import Source

T = TypeVar("T")


class Hooks:
    """What is known of webhooks and calls in one data directory. Asking costs one call of the system."""

    def __init__(self, data: Path, base_url: str = "") -> None:
        """`base_url` is the server's public address; "" where only the callers know it."""
        self.base_url = base_url.rstrip("/")
        self._sources = _Published(data / "hooks.json", _by_name)
        self._campaigns = _Published(data / "triggers.json", _names)

    def find(self, name: str) -> Source | None:
        """The mapping of a source; None: it has none."""
        found = self._sources.now().get(name)
        return found if found and found.mapping else None

    def starts(self, campaign: str) -> bool:
        """Whether a campaign of this name is started by calls."""
        return campaign in self._campaigns.now()


def _by_name(content: bytes) -> Mapping[str, Source]:
    return {one.name: one for one in _sources.decode(content)}


def _names(content: bytes) -> frozenset[str]:
    return frozenset(_texts.decode(content))


_sources = msgspec.json.Decoder(list[Source])
_texts = msgspec.json.Decoder(list[str])


class _Published(Generic[T]):
    """One file of the engine's; none is as good as an empty list."""

    def __init__(self, path: Path, read: Callable[[bytes], T]) -> None:
        self._path, self._read = path, read
        self._stamp: tuple[int, int, int] | None = None
        self._known = read(b"[]")

    def now(self) -> T:
        """What the file says."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._known = self._read(self._path.read_bytes() if stamp else b"[]")
            self._stamp = stamp
        return self._known

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
