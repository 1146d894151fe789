"""The whole directory, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from hark import settings
from hark.collect.sources import read_sources
from hark.doctor import sqlite
from hark.doctor.findings import Finding, Looked, damaged, fine
from hark.doctor.history import look_history
from hark.doctor.log import look_log
from hark.doctor.state import look_state
from hark.errors import HarkError
from hark.model import Lane
from hark.speak.keyfile import NAME as KEYS
from hark.speak.keyfile import read_keys
from hark.store.state import open_reader


def look(data: Path, looked: Looked = lambda _: None) -> Iterator[Finding]:
    """A finding for each file that should be there. Changes nothing, and may run beside a server."""
    cursors, dropped = _engine(data)
    yield from look_log(data, cursors, looked)
    yield from look_state(data)
    yield from look_history(data, dropped, looked)
    yield from _databases(data)
    for name, (read, lost) in SMALL.items():
        yield from _small(data, name, read, lost)


def total_bytes(data: Path) -> int:
    """What `look` will tell its `looked`, about."""
    files = [*(data / "log").glob("*.db"), *(data / "history").rglob("*.parquet")]
    return sum(file.stat().st_size for file in files)


def _engine(data: Path) -> tuple[dict[Lane, int], int]:
    """How far the engine says it is: the lanes' cursors, and the last chunk it has let go of."""
    reader = open_reader(data)
    try:
        return reader.cursors(), reader.dropped()
    except Exception:  # a broken state is a finding of its own
        return {}, 0
    finally:
        reader.close()


def _databases(data: Path) -> Iterator[Finding]:
    for name, lost in DATABASES.items():
        if (data / name).exists():
            problem = sqlite.problem(data / name)
            yield damaged(name, problem, lost) if problem else fine(name, "its structure is right")


def _small(data: Path, name: str, read: Callable[[Path], str], lost: str) -> Iterator[Finding]:
    if (data / name).exists():
        try:
            yield fine(name, read(data))
        except (HarkError, ValueError, OSError) as error:
            yield damaged(name, str(error), lost)


def _keys(data: Path) -> str:
    return f"{len(read_keys((data / KEYS).read_text())):,} keys"


def _sources(data: Path) -> str:
    return f"{len(read_sources(data)):,} sources"


def _settings(data: Path) -> str:
    settings.read(data)
    return "every setting can be read"


DATABASES = {
    "config.db": "accounts and sessions: restore it, or remove it and make the first account anew",
    "log/counts.db": "the sources' counters: remove it, and they begin anew",
}
SMALL: dict[str, tuple[Callable[[Path], str], str]] = {
    "log/sources.json": (_sources, "sources and their keys: restore it, or clients are answered 401"),
    "hark.toml": (_settings, "settings: mend the file"),
    KEYS: (_keys, "links in letters sent so far: restore it"),
}
