"""What a look at one file answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

Looked: TypeAlias = Callable[[int], None]
"""Told how many bytes more have been read, for a progress bar."""


class Finding(Struct, frozen=True):
    """One file, or one part of the directory that should be there."""

    path: str
    """Relative to the data directory."""
    ok: bool
    found: str
    lost: str = ""
    """What the damage costs, and what to do; "" if nothing."""


def fine(path: str, found: str) -> Finding:
    return Finding(path, True, found)


def damaged(path: str, found: str, lost: str) -> Finding:
    return Finding(path, False, found, lost)
