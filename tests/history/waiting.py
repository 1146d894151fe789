"""What the tests of the history share: events, and a `recent` that is a list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import hypothesis.strategies as st

from hark.history.columns import decode, encode
from hark.history.reader import Resident, Snapshot, open_snapshot
from hark.history.seal import Sealer
from hark.model import Event, Kind, sequence
from hark.store.contracts import Merge
from hark.store.table import EventTable

EPOCH = "e1"
NAMES = ["A", "B", "C", "Campaign Entered"]


def event(
    row: int, subject: int, at: int, name: str = "A", known_at: int | None = None, **more: object
) -> Event:
    """An event that arrived as row `row` of the log, an hour after everything else."""
    received = 3_600_000_000 + row
    known = received if known_at is None else known_at
    fields: dict[str, object] = {"active": True, "properties": b"{}", "kind": Kind.TRACK} | more
    return Event(
        subject=subject, at=at, seq=sequence(row, 0), name=name, source="web", message_id=f"m{row}",
        received_at=received, known_at=known, instant=received, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, subjects: int = 6, most: int = 40) -> list[Event]:
    """Events in order of arrival: few instants, so that many are tied; late ones; some inactive."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(1, subjects),
                st.integers(0, 12),
                st.sampled_from(NAMES),
                st.booleans(),
                st.sampled_from([b'{"x":1}', b'{"x":2}', b"{}"]),
            ),
            max_size=most,
        )
    )
    return [
        event(
            row, subject, at * 1_000_000, name, properties=properties,
            active=active and name != "Campaign Entered",
            kind=Kind.FACT if name == "Campaign Entered" else Kind.TRACK,
        )
        for row, (subject, at, name, active, properties) in enumerate(drawn)
    ]  # fmt: skip


class Waiting:
    """`recent` and the merges, as `StateReader` gives them."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, bytes]] = []
        self.merged: list[Merge] = []
        self.gone: list[int] = []
        self.number = 0

    def add(self, events: Sequence[Event]) -> None:
        self.number += 1
        self.chunks.append((self.number, encode(events)))

    def merge(self, younger: int, older: int) -> None:
        self.merged.append(Merge(younger, older, 0, "identify"))

    def unmerge(self, younger: int) -> None:
        """Undoes the latest merge of this subject."""
        number = max(n for n, one in enumerate(self.merged, 1) if one.younger == younger and not one.undoes)
        older = self.merged[number - 1].older
        self.merged.append(Merge(younger, older, 0, "wrong", undoes=number))

    def drop(self, sealed: int) -> None:
        self.chunks = [(number, chunk) for number, chunk in self.chunks if number > sealed]

    def recent(self, after: int) -> Iterable[bytes]:
        return [chunk for number, chunk in self.chunks if number > after]

    def recent_of(self, subjects: Collection[int], after: int) -> Iterable[bytes]:
        return [chunk for chunk in self.recent(after)
                if any(event.subject in subjects for event in decode(chunk))]  # fmt: skip

    def erased(self) -> list[int]:
        return self.gone

    def merges(self) -> list[Merge]:
        return self.merged


class Place:
    """A data directory with a history, and what waits for it."""

    def __init__(self, data: Path, buckets: int = 2) -> None:
        self.data = data
        self.table = EventTable(data / "history")
        self.waiting = Waiting()
        self.sealer = Sealer(self.table, EPOCH, buckets)

    def seal(self) -> None:
        self.waiting.drop(self.sealer.seal(self.waiting.chunks, self.waiting.merged))

    def snapshot(self, resident: Resident | None = None) -> Snapshot:
        return open_snapshot(self.data, self.waiting, resident)  # type: ignore[arg-type]


def by_hand(merges: Sequence[Merge]) -> dict[int, int]:
    """Who became whom, merge by merge and undo by undo."""
    into: dict[int, int] = {}
    for merge in merges:
        into[merge.younger] = merge.older
        if merge.undoes:
            del into[merge.younger]
    return into


def canonical(events: Iterable[Event], merges: Sequence[Merge]) -> list[list[Event]]:
    """Each customer's events by (at, seq), with their ids followed by hand."""
    into = by_hand(merges)
    by: dict[int, list[Event]] = {}
    for one in events:
        subject = one.subject
        while subject in into:
            subject = into[subject]
        by.setdefault(subject, []).append(one)
    return [sorted(by[subject], key=lambda one: (one.at, one.seq)) for subject in sorted(by)]
