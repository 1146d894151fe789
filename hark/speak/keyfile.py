"""The keys that sign links: `DIR/secret.key`, one `id_secret` a line; the last signs, all are accepted."""

from __future__ import annotations

import os
from pathlib import Path

from hark.clock import secret as fresh_secret
from hark.speak.links import Key, Links

NAME = "secret.key"
SHORTEST = 16


def open_keys(directory: Path) -> tuple[Key, ...]:
    """The keys in `directory`, made (0600) the first time; of two processes that make them, one wins."""
    path = directory / NAME
    if not path.exists():
        _create(path, fresh_secret("k1") + "\n")
    return read_keys(path.read_text())


def open_links(directory: Path, base: str) -> Links:
    """Links under the public address `base`, signed by the keys in `directory`."""
    return Links(base, open_keys(directory))


def read_keys(text: str) -> tuple[Key, ...]:
    """The keys in the file's text. ValueError if there is none or a line is broken."""
    parts = [line.partition("_") for line in text.split()]
    keys = tuple(Key(key_id, secret) for key_id, _, secret in parts)
    if not keys or any(not key.id or len(key.secret) < SHORTEST for key in keys):
        raise ValueError(f"{NAME} is damaged: every line must be id_secret; restore it from your backup")
    return keys


def _create(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A hard link, unlike a rename, never replaces the keys another process has just made.
        os.link(fresh, path)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
