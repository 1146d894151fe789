"""One customer's events from the newest back, however they are spread over files, merges and what waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from hark.history.reader import open_snapshot
from hark.model import Event
from hark.store import table
from tests.history.waiting import Place, canonical, event, histories

changes = st.lists(st.tuples(st.integers(4, 6), st.integers(1, 3), st.booleans()), max_size=3)


@pytest.fixture(scope="module")
def small_groups() -> Iterator[None]:
    """Files of groups of three rows, so that every customer is in several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(table.WRITING, "row_group_size", 3)
        yield


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), changes, st.sets(st.integers(1, 6), max_size=1), st.integers(0, 40), st.integers(0, 12))
def test_a_story_read_back_is_the_history_read_on(
    small_groups: None,
    events: list[Event],
    changed: list[tuple[int, int, bool]],
    erased: set[int],
    number: int,
    limit: int,
) -> None:
    """From sealed and waiting rows, with merges done and undone, a page before any event is what stood there,
    of all names or of some; nothing of the erased; the same with only the customer's chunks read."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for turn, part in enumerate((events[0::3], events[1::3], events[2::3])):
            place.waiting.add(part)
            if turn < 2:
                place.seal()
            merge(place, changed[turn : turn + 1])
        theirs = canonical(events, place.waiting.merged)
        place.waiting.gone = [one for one in erased if by_hand_root(place, one) == one]
        for history in theirs:
            subject = by_hand_root(place, history[0].subject)
            known = [] if subject in place.waiting.gone else history
            mark = (known[number % len(known)].at, known[number % len(known)].seq) if known else None
            before = [one for one in known if mark is None or (one.at, one.seq) < mark]
            alone = open_snapshot(place.data, place.waiting, only=subject)  # type: ignore[arg-type]
            for snapshot in (place.snapshot(), alone):
                assert snapshot.timeline(subject, limit) == as_they_are(known, subject)[::-1][:limit]
                found = list(snapshot.newest(subject, mark, ("A", "B")))
                assert found == [one for one in as_they_are(before, subject)[::-1] if one.name in ("A", "B")]


def merge(place: Place, changed: list[tuple[int, int, bool]]) -> None:
    """A merge of the younger into the older, and for some its undoing."""
    for younger, older, undone in changed:
        if by_hand_root(place, younger) == younger:
            place.waiting.merge(younger, older)
            if undone:
                place.waiting.unmerge(younger)


def by_hand_root(place: Place, subject: int) -> int:
    into: dict[int, int] = {}
    for one in place.waiting.merged:
        into[one.younger] = one.older
        if one.undoes:
            del into[one.younger]
    while subject in into:
        subject = into[subject]
    return subject


def as_they_are(events: list[Event], subject: int) -> list[Event]:
    """The events under today's id."""
    from msgspec.structs import replace

    return [replace(one, subject=subject) for one in events]


def test_a_page_of_a_long_story_reads_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a story over many groups of rows only the last are read whole for its newest page."""
    monkeypatch.setitem(table.WRITING, "row_group_size", 10)
    place = Place(tmp_path)
    place.waiting.add([event(row, 1 + row % 2, row) for row in range(2000)])
    place.seal()
    read: list[int] = []
    group = table.EventTable.group

    def counted(self: table.EventTable, file: table.File, number: int, columns: list[str]) -> object:
        read.append(len(columns) if "properties" in columns else 0)
        return group(self, file, number, columns)

    monkeypatch.setattr(table.EventTable, "group", counted)
    assert [one.at for one in place.snapshot().timeline(1, 15)] == list(range(1998, 1968, -2))
    assert 1 <= len([columns for columns in read if columns]) <= 3
