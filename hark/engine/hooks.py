"""What collect must know of the definitions in force, made of `state.db` and nothing else: the mappings of
sources (`DIR/hooks.json`), and the campaigns that calls may start (`DIR/triggers.json`).

They are written before the commit that puts them into force and again at every start, so that the files are
never older than what an answered `hark apply` says; after a crash between the two the row is read again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hark.definitions.mapping import Source
from hark.definitions.types import Campaign, Definition

NAME = "hooks.json"
TRIGGERS = "triggers.json"


def publish(data: Path, definitions: Sequence[Definition]) -> None:
    """Write what these definitions say, where it is something else than the files have."""
    sources = sorted((one for one in definitions if isinstance(one, Source)), key=lambda one: one.name)
    called = sorted(one.name for one in definitions if isinstance(one, Campaign) and one.trigger.api)
    _write(data / NAME, msgspec.json.encode(sources))
    _write(data / TRIGGERS, msgspec.json.encode(called))


def _write(path: Path, content: bytes) -> None:
    if content == (path.read_bytes() if path.exists() else b"[]"):
        return
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
