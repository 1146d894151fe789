"""Columns agree with the walk over each customer's events; the walk means what semantics say."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hark.learn.signals.beginnings import EVER, Beginning, How, beginning, beginnings
from hark.learn.signals.columns import ask_counts
from hark.learn.signals.counts import all_counted
from hark.model import DAY, HOUR, Event
from tests.learn.histories import T0, event
from tests.understand.rows import snapshot

NOW = T0 + 90 * DAY


def walk(*events: Event) -> Beginning | None:
    return beginning(events, NOW)


def test_the_first_28_days_begin_with_the_first_activity() -> None:
    """Day 28 begins exactly 28 days later: before it is early, from it on is the outcome, until day 56."""
    came = event(1, T0, 1, "Came")
    early, later = event(1, T0 + 28 * DAY - 1, 2, "Early"), event(1, T0 + 28 * DAY, 3, "Later")
    last, after = event(1, T0 + 56 * DAY - 1, 4, "Last"), event(1, T0 + 56 * DAY, 5, "After")
    found = walk(came, early, later, last, after)
    assert found == Beginning(T0, 2, frozenset({"Came", "Early"}), frozenset({"Later", "Last"}))


def test_activity_that_a_click_called_for_is_no_outcome() -> None:
    """Up to 24 hours after a click it is prompted; before the click, or later, it is not."""
    came, click = event(1, T0, 1, "Came"), event(1, T0 + 30 * DAY, 3, "Message Clicked")
    before, prompted = event(1, T0 + 30 * DAY, 2, "Before"), event(1, T0 + 31 * DAY, 4, "Prompted")
    later = event(1, T0 + 31 * DAY + 1, 5, "Later")
    found = walk(came, before, click, prompted, later)
    assert found is not None
    assert found.came_for >= {"Before", "Later"}
    assert "Prompted" not in found.came_for


def test_who_began_lately_is_not_judged() -> None:
    """With the 56th day not over there is no beginning, whatever was done."""
    assert beginning([event(1, T0, 1, "Came")], T0 + 56 * DAY - 1) is None
    assert beginning([event(1, T0, 1, "Came")], T0 + 56 * DAY) is not None


shapes = st.tuples(
    st.integers(1, 6),
    st.one_of(st.integers(0, 60 * 4).map(lambda q: T0 + q * 6 * HOUR), st.just(T0 + 28 * DAY)),
    st.sampled_from(["A", "B", "C", "Message Clicked", "Message Sent"]),
)


hows = st.builds(How, st.integers(1, 4), st.sampled_from([1, 7, 28]), st.booleans())


def test_an_event_counts_as_often_and_in_the_days_that_are_asked() -> None:
    """Twice in the first 7 days: the second on the last moment of them counts, an instant later does not; of
    the last 7, from the first moment of day 22 on."""
    for second, often in ((7 * DAY - 1, True), (7 * DAY, False)):
        events = [event(1, T0, 1, "A"), event(1, T0 + second, 2, "A")]
        found = beginning(events, NOW, How(2, 7))
        assert found is not None
        assert found.did == ({"A"} if often else set())
        assert ask_counts(snapshot(events, 1), NOW, (How(2, 7),))[How(2, 7)].keys() == found.did
    events = [event(1, T0, 1, "A"), event(1, T0 + 21 * DAY, 2, "B"), event(1, T0 + 21 * DAY - 1, 3, "C")]
    found = beginning(sorted(events, key=lambda one: one.at), NOW, How(1, 7, last=True))
    assert found is not None
    assert found.did == {"B"}


@given(st.lists(shapes, max_size=60), st.integers(50, 90), st.integers(1, 3), hows)
def test_columns_agree_with_the_walk(
    drawn: list[tuple[int, int, str]], days: int, parts: int, how: How
) -> None:
    """Over random histories both give the same counts for every event, half and number of active days."""
    events = [event(who, at, seq, name) for seq, (who, at, name) in enumerate(drawn)]
    events.sort(key=lambda one: (one.subject, one.at, one.seq))
    now = T0 + days * DAY
    histories = [list(group) for _, group in groupby(events, key=lambda one: one.subject)]
    counts = ask_counts(snapshot(events, parts), now, (EVER, how))
    for asked, found in counts.items():
        expected = all_counted(list(beginnings(histories, now, asked)))
        assert found.keys() == expected.keys()
        for name, one in expected.items():
            for mine, theirs in zip(vars(found[name]).values(), vars(one).values(), strict=True):
                assert np.array_equal(mine, theirs), name
