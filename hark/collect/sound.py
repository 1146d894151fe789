"""Batches in which every call certainly counts: seen column by column, without making a call of any.

Collect needs to know no more of most batches; to make each call of them takes twice as long. Whatever is
unusual is left to `formats.members`, whose word is final: what is sound here, all of whose calls count there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import msgspec
from msgspec import Raw, Struct

from hark.collect import formats
from hark.collect.calls import MEMBER_BYTES, NOTHING, RESERVED, InvalidError, Item, instant

_TYPES = frozenset({"track", "page", "screen", "identify"})
"""Of groups and aliases there is more to ask."""
_MARK = b"\x1f"
"""Stands nowhere in JSON."""


class Sound(Struct, frozen=True):
    """What there is to know of a batch whose calls all count."""

    calls: int
    names: frozenset[str]
    """Of its track calls."""
    objects: bytes
    """The calls' properties, traits and contexts, in a row."""


def sound(body: bytes, raws: Sequence[Raw]) -> Sound | None:
    """What the batch in `body` is, if all of its calls count; None where that takes a closer look.

    `raws` are its members as they stand; the whole of it is JSON (`body.read_head`).
    """
    if len(body) > MEMBER_BYTES and max(map(len, raws), default=0) > MEMBER_BYTES:
        return None
    try:
        batch = formats.batch_of(body)
        names = _names(batch.batch)
        objects = [raw for item in batch.batch for raw in (item.properties, item.traits, item.context) if raw]
        if names is None or not (_known(batch.batch) and _are_objects(objects)):
            return None
        for text in {item.timestamp or item.original_timestamp for item in batch.batch} - {None, ""}:
            instant(text or "")
        for context in {bytes(item.context) for item in batch.batch} | {bytes(batch.context)}:
            formats.said(context or NOTHING)
    except (msgspec.ValidationError, InvalidError, ValueError, OverflowError):
        return None
    return Sound(len(batch.batch), names, b"".join(chain(objects, (batch.context,))))


def _names(items: Sequence[Item]) -> frozenset[str] | None:
    """The names of the track calls; None where a call is of another type or has no name of its own."""
    names = {item.event or "" for item in items if item.type == "track"}
    types = {item.type for item in items}
    return frozenset(names) if types <= _TYPES and "" not in names and not names & RESERVED else None


def _known(items: Sequence[Item]) -> bool:
    """Whether each call says whose it is."""
    return all(item.user_id or item.anonymous_id for item in items)


def _are_objects(raws: Sequence[Raw]) -> bool:
    return (_MARK + _MARK.join(raws)).count(_MARK + b"{") == len(raws)
