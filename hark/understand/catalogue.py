"""The catalogue: which events and properties were seen, how often, of what type, and what breaks a plan.

A fold over rows of the history in any order. Events are counted exactly, by columns. Their properties are
looked at in every event of a name up to `LOOK` in one part of the rows, and evenly spread over it beyond
that; events with a plan are all checked. Memory is bounded: `MOST_EVENTS` names, `MOST_PROPERTIES` of each;
what comes beyond is counted together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field
from numpy.typing import NDArray

from hark.history.columns import micros
from hark.model import DAY, GROUPS, JSON, Instant, Kind
from hark.understand.tracking import Check, leaves, type_of

COLUMNS = ("subject", "at", "name", "kind", "source", "received_at", "properties")
"""What of each row is read."""
MOST_EVENTS = 1_000
MOST_PROPERTIES = 200
LOOK = 500
LOOK_ALL = 20_000
"""Events of one part of the rows whose properties are looked at, over all names."""
DAYS = 90
LONGEST = 120
"""Characters of a name, and of an example as JSON."""

Ints: TypeAlias = NDArray[np.int64]


class PropertySeen(Struct):
    """One property of one event, in those events that were looked at."""

    count: int = 0
    types: dict[str, int] = field(default_factory=dict)
    example: str = ""
    """As JSON, cut."""
    first: Instant = 0
    last: Instant = 0


class ViolationSeen(Struct):
    """How often a property broke one rule of the plan."""

    property: str
    rule: str
    count: int = 0
    example: str = ""
    last: Instant = 0


class EventSeen(Struct):
    """One event; `first` and `last` are when it happened, `arrived` when its first one came in."""

    kind: int
    first: Instant
    last: Instant
    arrived: Instant
    count: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    days: dict[int, int] = field(default_factory=dict)
    """Day since 1970 (UTC) to events, the last 90 of them."""
    looked: int = 0
    """Events whose properties were looked at."""
    properties: dict[str, PropertySeen] = field(default_factory=dict)
    beyond: int = 0
    """Values of further properties, beyond the most that are kept."""
    checked: int = 0
    broken: int = 0
    """Of the checked, those with any violation."""
    violations: list[ViolationSeen] = field(default_factory=list)


class Catalogue(Struct):
    """What was seen in the rows folded so far."""

    events: dict[str, EventSeen] = field(default_factory=dict)
    beyond: int = 0
    """Events of further names, beyond the most that are kept."""

    @property
    def began(self) -> Instant:
        """When the first event of all came in; 0: none did."""
        return min((event.arrived for event in self.events.values()), default=0)

    def forget_examples(self) -> None:
        """Values of customers: they go when one of those is erased, and come anew with later events."""
        for event in self.events.values():
            for seen in event.properties.values():
                seen.example = ""
            for violation in event.violations:
                violation.example = ""


def fold(catalogue: Catalogue, rows: pa.Table, checks: Mapping[str, Check]) -> None:
    """Add rows with the columns COLUMNS. Facts of Hark's own, and the second row that an event of a group
    has, are left out."""
    own = pc.and_(pc.not_equal(rows["kind"], int(Kind.FACT)), pc.less(rows["subject"], GROUPS))
    rows = rows.filter(own)
    if not rows.num_rows:
        return
    names, codes = _coded(rows["name"])
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    look = max(1, min(LOOK, LOOK_ALL // len(names)))
    part = _Part(rows)
    for code, name in enumerate(names):
        mine = order[edges[code] : edges[code + 1]]
        event = _event(catalogue, name[:LONGEST], part, mine) if len(mine) else None
        if event is not None:
            _count(event, part, mine)
            _look(event, part, mine, look, checks.get(name))


class _Part:
    """The columns of one part of the rows, as arrays."""

    def __init__(self, rows: pa.Table) -> None:
        self.at, self.arrived = micros(rows["at"]), micros(rows["received_at"])
        self.kind = rows["kind"].to_numpy()
        self.sources, self.source = _coded(rows["source"])
        self.properties = rows["properties"].combine_chunks()

    def objects(self, rows: Ints) -> list[JSON]:
        """The decoded properties of some rows; nothing for what is no object."""
        texts = self.properties.take(pa.array(rows)).to_pylist()
        return [found if isinstance(found := msgspec.json.decode(text), dict) else {} for text in texts]


def _coded(column: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """The different texts of a column, and the code of each row."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    return array.dictionary.to_pylist(), array.indices.to_numpy().astype(np.int64)


def _event(catalogue: Catalogue, name: str, part: _Part, mine: Ints) -> EventSeen | None:
    found = catalogue.events.get(name)
    if found is None and len(catalogue.events) >= MOST_EVENTS:
        catalogue.beyond += len(mine)
        return None
    if found is None:
        at, arrived = int(part.at[mine[0]]), int(part.arrived[mine].min())
        found = catalogue.events[name] = EventSeen(int(part.kind[mine[0]]), at, at, arrived)
    return found


def _count(event: EventSeen, part: _Part, mine: Ints) -> None:
    at = part.at[mine]
    event.count += len(mine)
    event.first, event.last = min(event.first, int(at.min())), max(event.last, int(at.max()))
    event.arrived = min(event.arrived, int(part.arrived[mine].min()))
    days, counts = np.unique(at // DAY, return_counts=True)
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        event.days[day] = event.days.get(day, 0) + count
    newest = max(event.days)
    event.days = {day: count for day, count in event.days.items() if day > newest - DAYS}
    for code, count in enumerate(np.bincount(part.source[mine]).tolist()):
        if count:
            source = part.sources[code]
            event.sources[source] = event.sources.get(source, 0) + count


def _look(event: EventSeen, part: _Part, mine: Ints, look: int, check: Check | None) -> None:
    chosen = mine if len(mine) <= look else mine[np.linspace(0, len(mine) - 1, look).astype(np.int64)]
    event.looked += len(chosen)
    for properties, at in zip(part.objects(chosen), part.at[chosen].tolist(), strict=True):
        _seen(event, properties, at)
    if check is not None:
        for start in range(0, len(mine), LOOK_ALL):
            rows = mine[start : start + LOOK_ALL]
            for properties, at in zip(part.objects(rows), part.at[rows].tolist(), strict=True):
                _checked(event, properties, at, check)


def _seen(event: EventSeen, properties: JSON, at: Instant) -> None:
    for whole_path, value in leaves(properties):
        path = whole_path[:LONGEST]
        seen = event.properties.get(path)
        if seen is None:
            if len(event.properties) >= MOST_PROPERTIES:
                event.beyond += 1
                continue
            seen = event.properties[path] = PropertySeen(first=at, last=at)
        seen.count += 1
        kind = type_of(value)
        seen.types[kind] = seen.types.get(kind, 0) + 1
        seen.first, seen.last = min(seen.first, at), max(seen.last, at)
        if not seen.example and value is not None:
            seen.example = shown(value)


def _checked(event: EventSeen, properties: JSON, at: Instant, check: Check) -> None:
    event.checked += 1
    found = check(properties)
    event.broken += bool(found)
    for one in found:
        seen = _violation(event, one.property[:LONGEST], one.rule)
        if seen is not None:
            seen.count += 1
            if at >= seen.last:
                seen.last = at
                seen.example = "" if one.value is None else shown(one.value)


def _violation(event: EventSeen, path: str, rule: str) -> ViolationSeen | None:
    for seen in event.violations:
        if (seen.property, seen.rule) == (path, rule):
            return seen
    if len(event.violations) >= MOST_PROPERTIES:
        return None
    event.violations.append(ViolationSeen(path, rule))
    return event.violations[-1]


def shown(value: JSON) -> str:
    """A value as JSON, cut."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
