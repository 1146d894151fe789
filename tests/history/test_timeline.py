"""One subject's history page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.history.timeline import Timeline
from hark.model import Event, Kind
from hark.store import table
from tests.history.waiting import NAMES, Place, canonical, event, histories


def paged(timeline: Timeline, limit: int, names: list[str] | None, activity: bool | None) -> Iterator[Event]:
    """All events, a page after the other."""
    page = timeline.page(limit, None, names, activity)
    yield from page.events
    while page.older is not None:
        assert len(page.events) == limit
        page = timeline.page(limit, page.older, names, activity)
        yield from page.events


@settings(max_examples=30, deadline=None)
@given(
    histories(subjects=3),
    st.integers(0, 40),
    st.booleans(),
    st.integers(1, 7),
    st.none() | st.lists(st.sampled_from(NAMES)),
    st.sampled_from([None, True, False]),
)
def test_pages_together_are_the_history_newest_first(
    events: list[Event],
    sealed: int,
    merges: bool,
    limit: int,
    names: list[str] | None,
    activity: bool | None,
) -> None:
    """Page after page, whatever the filter, ties and merges: each event that fits once, by (at, seq) down."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.waiting.add(events[:sealed])
        place.seal()
        place.waiting.add(events[sealed:])
        if merges:
            place.waiting.merge(2, 1)
        for known in canonical(events, place.waiting.merged):
            timeline = Timeline(place.snapshot(), known[0].subject)
            fitting = [one for one in known if fits(one, names, activity)]
            found = list(paged(timeline, limit, names, activity))
            assert [one.seq for one in found] == [one.seq for one in fitting[::-1]]
            assert [one.properties for one in found] == [one.properties for one in fitting[::-1]]
            assert dict(timeline.names()) == {
                name: sum(one.name == name for one in known) for name in {one.name for one in known}
            }


def fits(one: Event, names: list[str] | None, activity: bool | None) -> bool:
    did = one.active and one.kind != Kind.FACT
    return (names is None or one.name in names) and activity in (None, did)


def test_a_page_reads_only_the_part_of_a_file_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long history in one file a page reads properties of one row group, not of all ten."""
    monkeypatch.setitem(table.WRITING, "row_group_size", 100)
    place = Place(tmp_path, buckets=1)
    place.waiting.add([event(row, 1, row * 1_000) for row in range(1_000)])
    place.seal()
    group, read = table.EventTable.group, []

    def counted(self: table.EventTable, file: table.File, number: int, columns: Sequence[str]) -> Any:
        found = group(self, file, number, columns)
        read.append(found.num_rows if "properties" in columns else 0)
        return found

    monkeypatch.setattr(table.EventTable, "group", counted)
    page = Timeline(place.snapshot(), 1).page(50, (500_000, 0))
    assert [one.at for one in page.events] == [at * 1_000 for at in range(499, 449, -1)]
    assert sum(read) == 100


def test_who_has_no_history_has_no_page(tmp_path: Path) -> None:
    """A subject without events has an empty page and no names."""
    place = Place(tmp_path)
    place.waiting.add([event(0, 1, 5)])
    timeline = Timeline(place.snapshot(), 2)
    assert (timeline.page(10).events, timeline.page(10).older, timeline.names()) == ([], None, [])
