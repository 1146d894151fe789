"""The mappings in force, for the collecting process: `DIR/hooks.json`, made of `state.db` and nothing else.

It is written before the commit that puts a mapping into force and again at every start, so that the file is
never older than what an answered `hark apply` says; after a crash between the two the row is read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hark.definitions.mapping import Source
from hark.definitions.types import Definition

NAME = "hooks.json"


def publish(data: Path, definitions: Iterable[Definition]) -> None:
    """Write the mappings among these definitions, if they are others than the file has."""
    found = sorted((one for one in definitions if isinstance(one, Source)), key=lambda one: one.name)
    content = msgspec.json.encode(found)
    path = data / NAME
    if content == (path.read_bytes() if path.exists() else b"[]"):
        return
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
