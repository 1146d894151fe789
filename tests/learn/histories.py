"""Histories for learning: made of events, as the reader of the real table gives them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from hark.definitions.document import Document
from hark.history import columns
from hark.history.reader import NOTHING
from hark.history.runs import KEYS, Run, run, with_values
from hark.history.seal import as_rows
from hark.history.values import Wanted
from hark.model import DAY, JSON, Event, FactName, Instant, Kind

T0: Instant = 1_772_000_000_000_000


class Told:
    """A history that is all in one chunk, in the columns of the real table."""

    def __init__(self, events: Sequence[Event]) -> None:
        ordered = sorted(events, key=lambda event: (event.subject, event.at, event.seq))
        self.rows = columns.table(columns.encode(ordered))

    buckets = 1

    def runs(
        self,
        _bucket: int,
        _names: Collection[str] | None = None,
        _properties: bool = False,
        values: Wanted = NOTHING,
    ) -> list[Run]:
        return [with_values(run(as_rows([self.rows]).select([*KEYS, "properties"])), values)]

    def table(self, names: Collection[str] | None, columns: Sequence[str], /) -> pa.Table:
        rows = self.rows
        if names is not None:
            rows = rows.filter(pc.is_in(rows["name"].cast(pa.string()), pa.array(list(names), pa.string())))
        return rows.select(list(columns))


def event(subject: int, at: Instant, seq: int, name: str, properties: JSON = None) -> Event:
    kind = Kind.FACT if name in set(FactName) else Kind.TRACK
    raw = msgspec.json.encode(properties or {})
    return Event(subject, at, seq, name, kind, "test", f"m{seq}", at, at, at, properties=raw)


def entry(
    subject: int,
    at: Instant,
    seq: int,
    arm: str,
    version: int = 1,
    campaign: str = "c",
    carried: bool = False,
) -> Event:
    """An entry as the engine writes it."""
    told = {"campaign": campaign, "version": version, "run": f"r{seq}", "arm": arm, "variant": "mail"}
    more = {"share": 0.5, "first": True, "carried": carried}
    return event(subject, at, seq, FactName.CAMPAIGN_ENTERED, told | more)


def campaign(version: int = 1, name: str = "c", **changed: JSON) -> Document:
    """A campaign with a goal of 14 days and half the people left alone."""
    body: dict[str, JSON] = {
        "trigger": {"enters": "quiet"},
        "goal": {"event": "Bought", "within": "14d"},
        "control": "50%",
        "topic": "news",
        "variants": {"mail": {"send": {"channel": "email", "template": "hello"}}},
    }
    return Document("campaign", name, version, body | changed)


def people(
    arm: str, count: int, goals: int, first: int, values: Sequence[float] = (), at: Instant = T0
) -> list[Event]:
    """`count` subjects of one arm, numbered from `first`; the first `goals` of them buy a day later."""
    events = [entry(first + number, at, 10 * (first + number), arm) for number in range(count)]
    for number in range(goals):
        worth = {"revenue": values[number]} if len(values) else {}
        events.append(event(first + number, at + DAY, 10 * (first + number) + 1, "Bought", worth))
    return events
