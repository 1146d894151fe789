"""Random questions over random histories: the kernel's answer beside the specification's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random
from typing import cast

import hypothesis.strategies as st
import pyarrow as pa
from msgspec.structs import replace

from hark.definitions.types import EventMatch
from hark.history import columns, runs
from hark.history.reader import NOTHING, Snapshot
from hark.history.runs import Run
from hark.history.seal import as_rows
from hark.history.values import Wanted
from hark.model import DAY, Event, Kind
from tests.history.waiting import event, histories

SECOND = 1_000_000

steps = st.builds(
    EventMatch,
    st.lists(st.sampled_from(["A", "B", "C", "Campaign Entered"]), min_size=1, max_size=2, unique=True).map(
        tuple
    ),
    st.sampled_from([None, None, {"x": 1}, {"x": {"gte": 1}}]),
)


STATED = [b'{"traits":{"plan":"pro"}}', b'{"traits":{"plan":null}}', b'{"traits":{"plan":{"x":1}}}', b"{}"]
units = st.sampled_from([SECOND, DAY // 3, 4 * DAY])


def stating(events: Sequence[Event], unit: int = SECOND) -> list[Event]:
    """The same events so far apart as the unit says; some state traits."""
    return [
        replace(one, at=one.at // SECOND * unit, context=STATED[row % len(STATED)])
        for row, one in enumerate(events)
    ]


def crowd(seed: int) -> list[Event]:
    """Up to 60 events of up to four customers: many ties, repeats and gaps, as few drawn histories have."""
    chance = Random(seed)
    subjects = chance.randint(1, 4)
    return [_by_chance(chance, row, subjects) for row in range(chance.randint(5, 60))]


def _by_chance(chance: Random, row: int, subjects: int) -> Event:
    name = chance.choice(["A", "A", "B", "B", "C", "Campaign Entered"])
    return event(
        row,
        chance.randint(1, subjects),
        chance.randint(0, 12) * SECOND,
        name,
        active=name != "Campaign Entered" and chance.random() < 0.85,
        kind=Kind.FACT if name == "Campaign Entered" else Kind.TRACK,
        properties=chance.choice([b'{"x":1}', b'{"x":2}', b"{}"]),
    )


crowds = st.one_of(histories(), *[st.integers(0, 1 << 40).map(crowd)] * 3)
nows = st.one_of(st.integers(12, 14), st.integers(0, 25))


class Parts:
    """Histories as a snapshot gives them to kernels: some sorted runs for each bucket."""

    def __init__(self, events: Sequence[Event], parts: int, buckets: int) -> None:
        self.buckets = buckets
        self._runs: dict[int, list[Run]] = {}
        self._events = [
            [[one for one in events[part::parts] if one.subject % buckets == bucket] for part in range(parts)]
            for bucket in range(buckets)
        ]

    def runs(
        self,
        bucket: int,
        _names: Collection[str] | None = None,
        _properties: bool = False,
        values: Wanted = NOTHING,
    ) -> list[Run]:
        if bucket not in self._runs:
            self._runs[bucket] = [_run(part) for part in self._events[bucket]]
        return [runs.with_values(run, values) for run in self._runs[bucket]]

    def table(self, names: Collection[str] | None = None, columns_: Sequence[str] = ()) -> pa.Table:
        """All events of these names, their text plain."""
        everything = [one for parts in self._events for part in parts for one in part]
        found = [one for one in everything if names is None or one.name in names]
        rows = columns.table(columns.encode(found)).select(list(columns_))
        plain = [pa.string() if pa.types.is_dictionary(field.type) else field.type for field in rows.schema]
        return rows.cast(pa.schema(list(zip(columns_, plain, strict=True))))


def _run(events: Sequence[Event]) -> Run:
    return runs.run(columns.ordered(as_rows([columns.table(columns.encode(events))])))


def snapshot(events: Sequence[Event], parts: int, buckets: int = 2) -> Snapshot:
    return cast(Snapshot, Parts(events, parts, buckets))
