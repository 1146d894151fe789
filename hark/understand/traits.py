"""How each trait came to its value: every change of it, told by the events that state traits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from hark.model import JSON, Event, Instant
from hark.understand.conditions import stated


class Changed(Struct, frozen=True):
    """A trait got this value."""

    value: JSON
    at: Instant
    source: str


def changes(events: Iterable[Event]) -> Mapping[str, tuple[Changed, ...]]:
    """By trait its values in the order of the events, (at, seq); what is said again is no change."""
    found: dict[str, list[Changed]] = {}
    for event in events:
        for name, value in stated(event).items():
            known = found.setdefault(name, [])
            if not known or known[-1].value != value:
                known.append(Changed(value, event.at, event.source))
    return {name: tuple(found[name]) for name in sorted(found)}
