"""Sources and their keys: DIR/log/sources.json, owned by collect.

A write key is public (it stands in web pages); a secret key may do more and stays on servers.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from hark.clock import secret
from hark.errors import HarkError


class Keys(Struct, frozen=True, omit_defaults=True):
    """A source as it is kept: several keys of each sort, so that one can be changed without a gap."""

    name: str
    write_keys: tuple[str, ...]
    secret_keys: tuple[str, ...]
    disabled_keys: tuple[str, ...] = ()
    strict: bool = False
    """A batch with an invalid member is refused whole."""
    protected: tuple[str, ...] = ()
    """Names of events that only a secret key may send."""


class Source(Struct, frozen=True):
    """What a new source is told."""

    source: str
    write_key: str
    secret_key: str


class Access(Struct, frozen=True):
    """What a key opens."""

    source: Keys
    secret: bool
    disabled: bool = False


class Sources:
    """The sources of a data directory, by key."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._use(read_sources(data))

    def find(self, key: str) -> Access | None:
        """What the key opens; None: it is nobody's."""
        return self._access.get(key)

    def add(self, name: str) -> Source:
        """Make a source and know it from now on. Raises HarkError `source.exists` or `source.name`."""
        made = add_source(self._data, name)
        self._use(read_sources(self._data))
        return made

    def _use(self, found: list[Keys]) -> None:
        self._access: dict[str, Access] = {}
        for source in found:
            self._access |= {key: Access(source, False) for key in source.write_keys}
            self._access |= {key: Access(source, True) for key in source.secret_keys}
            self._access |= {key: Access(source, False, True) for key in source.disabled_keys}


def read_sources(data: Path) -> list[Keys]:
    """The sources there are. Raises HarkError `sources.broken` if the file can't be read as such."""
    path = data / "log" / "sources.json"
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Keys])
    except msgspec.MsgspecError as error:
        raise HarkError(f"{path} is broken: {error}", "restore it from a copy", "sources.broken") from None


def add_source(data: Path, name: str) -> Source:
    """Make a source with one key of each sort; on disk when this returns.

    For whoever holds the collect role. Raises HarkError `source.exists` or `source.name`.
    """
    sources = read_sources(data)
    if not name or name == "hark":
        raise HarkError(f"{name!r} can't be a source's name", "choose a name such as web", "source.name")
    if any(source.name == name for source in sources):
        raise HarkError(f"there is a source {name!r} already", "choose another name", "source.exists")
    made = Source(name, secret("wk"), secret("sk"))
    _write(data / "log" / "sources.json", [*sources, Keys(name, (made.write_key,), (made.secret_key,))])
    return made


def _write(path: Path, sources: list[Keys]) -> None:
    """Replace the file in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(number, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(sources)))
        file.flush()
        os.fsync(number)
    Path(temporary).replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
