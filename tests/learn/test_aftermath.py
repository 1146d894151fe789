"""What came after a moment: columns against the walk over each history."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.learn.aftermath import After, after, afters
from hark.model import DAY, HOUR, MINUTE, Event
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

NOW = T0 + 20 * DAY
MOMENTS = ("Message Sent", "Content Read")
NAMES = ("A", "B", "Content Read", "Message Sent", "Message Clicked", "Unsubscribed", "Message Complained")

drawn = st.tuples(
    st.integers(1, 4),
    st.one_of(
        st.integers(0, 24 * 4).map(lambda q: T0 + q * 6 * HOUR),
        st.integers(0, 8).map(lambda q: T0 + q * 15 * MINUTE),
    ),
    st.sampled_from(NAMES),
)


def made(rows: list[tuple[int, int, str]]) -> list[Event]:
    events = [event(who, at, seq, name) for seq, (who, at, name) in enumerate(rows)]
    quiet = ("Message Clicked", "Unsubscribed")
    return [replace(one, active=False) if one.name in quiet else one for one in events]


@given(st.lists(drawn, max_size=40), st.integers(1, 3))
def test_columns_agree_with_the_walk(rows: list[tuple[int, int, str]], parts: int) -> None:
    """Of every message and every text read both say the same of what came after."""
    events = [one for one in made(rows) if one.at <= NOW]
    ordered = sorted(events, key=lambda one: (one.subject, one.at, one.seq))
    walked = [
        after(mine, (one.at, one.seq))
        for _, same in groupby(ordered, lambda one: one.subject)
        for mine in [list(same)]
        for one in mine
        if one.name in MOMENTS
    ]
    found = afters(snapshot(made(rows), parts), MOMENTS, NOW)
    columns = zip(found.returned, found.tried, found.muted, found.complained, found.silent, strict=True)
    assert [After(*map(bool, row)) for row in columns] == walked


def test_what_the_words_promise() -> None:
    """A visit by itself is a return, after a click it is none; what was never done before is new."""
    sent, old = event(1, T0, 2, "Message Sent"), event(1, T0 - DAY, 1, "A")
    visit, later = event(1, T0 + 25 * HOUR, 4, "A"), event(1, T0 + 25 * HOUR + MINUTE, 5, "B")
    click = replace(event(1, T0 + HOUR, 3, "Message Clicked"), active=False)
    assert after([old, sent, visit, later], (T0, 2)) == After(True, True, False, False, True)
    assert after([old, sent, click, visit], (T0, 2)) == After(False, False, False, False, True)
    assert after([old, sent, event(1, T0 + 24 * HOUR, 6, "A")], (T0, 2)).silent is False
    late = event(1, T0 + 7 * DAY + 1, 7, "Unsubscribed")
    assert not after([old, sent, late], (T0, 2)).muted


def test_a_gap_of_thirty_minutes_ends_no_session() -> None:
    """Half an hour after the last activity it goes on, in the walk and in columns; later it is new."""
    for gap, returned in ((30 * MINUTE, False), (30 * MINUTE + 1, True)):
        events = [event(1, T0, 1, "A"), event(1, T0 + MINUTE, 2, "Message Sent"), event(1, T0 + gap, 3, "A")]
        assert after(events, (T0 + MINUTE, 2)).returned is returned
        assert afters(snapshot(events, 1), MOMENTS, NOW).returned.tolist() == [returned]
