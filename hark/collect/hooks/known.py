"""The mappings of sources as the engine has published them: DIR/hooks.json, read again when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from hark.definitions.mapping import Source

_decode = msgspec.json.Decoder(list[Source]).decode


class Hooks:
    """What is known of webhooks in one data directory. Asking costs one call of the system."""

    def __init__(self, data: Path, base_url: str = "") -> None:
        """`base_url` is the server's public address; "" where only the callers know it."""
        self._path = data / "hooks.json"
        self.base_url = base_url.rstrip("/")
        self._stamp: tuple[int, int, int] | None = None
        self._known: Mapping[str, Source] = {}

    def find(self, name: str) -> Source | None:
        """The mapping of a source; None: it has none."""
        stamp = self._now()
        if stamp != self._stamp:
            self._known = {one.name: one for one in _decode(self._path.read_bytes())} if stamp else {}
            self._stamp = stamp
        found = self._known.get(name)
        return found if found and found.mapping else None

    def _now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
