"""Properties and traits as short pairs of words, for reading."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from hark.model import JSON

LONGEST = 80


class Pair(Struct, frozen=True):
    name: str
    value: str


def pairs(found: JSON, most: int = 50) -> tuple[Pair, ...]:
    """The entries of an object, at most `most`; long values are cut."""
    if not isinstance(found, Mapping):
        return ()
    return tuple(Pair(str(name), text(value)) for name, value in list(found.items())[:most])


def text(value: JSON) -> str:
    """A value in one short line."""
    if isinstance(value, str):
        said = value
    elif isinstance(value, float):
        said = f"{value:,.2f}"
    else:
        said = msgspec.json.encode(value).decode()
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
