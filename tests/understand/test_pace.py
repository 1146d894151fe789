"""Pace: how long people take from one event to another, and who takes longer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats

from hark.definitions.parse import parse
from hark.definitions.resolve import passages_in
from hark.definitions.types import Segment
from hark.model import DAY, HOUR, SECOND, Event
from hark.understand.conditions import Pace
from hark.understand.conditions.calendar import day_start
from hark.understand.conditions.pace import Passage, Reference
from hark.understand.conditions.sequence import Match
from hark.understand.pace import cases, quantiles_s, reference, times, went_on
from hark.understand.segments import segment_at
from tests.understand.histories import EVENTS, START, event
from tests.understand.test_segments import by_subject, held

MIDNIGHT = day_start(START // DAY, "UTC")
BUILT = Passage(Match(("Signed Up",)), Match(("Built",)))
MATCHES = st.builds(Match, EVENTS, st.sampled_from([None, None, {"v": 1}]))
PASSAGES = st.builds(Passage, MATCHES, MATCHES, st.booleans())

# Weeks in remission under 6-mercaptopurine: Freireich et al. 1963; who was still in remission is negative.
REMISSIONS = (6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35)
STILL = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
"""The estimate as it is printed in Kleinbaum and Klein, Survival Analysis, chapter 2."""


def test_who_still_waits_is_estimated_as_published() -> None:
    """The remissions of Freireich's patients give the table in the textbook, and its median of 23 weeks."""
    waits = np.abs(np.array(REMISSIONS, np.int64)) * SECOND
    over = np.array(REMISSIONS) > 0
    times, shares = went_on(waits, over)
    found = dict(zip((times // SECOND).tolist(), (1 - shares).tolist(), strict=True))
    assert found == pytest.approx(STILL, abs=0.0006)
    by = quantiles_s(waits, over)
    assert (by[49], len(by)) == (23, 55), "44.8 % are still in remission, so the table ends at 55 %"


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=60))
def test_who_still_waits_is_estimated_as_scipy_does(drawn: list[tuple[int, bool]]) -> None:
    """The same product-limit estimate by an independent library, at every time."""
    waits = np.array([wait for wait, _ in drawn], np.int64)
    over = np.array([ended for _, ended in drawn])
    times, shares = went_on(waits, over)
    if not over.any():
        assert not len(times)
        return
    theirs = stats.ecdf(stats.CensoredData(uncensored=waits[over], right=waits[~over]))
    for time, share in zip(times.tolist(), shares.tolist(), strict=True):
        assert share == pytest.approx(theirs.cdf.evaluate(time), abs=1e-9)


WEEKS = st.integers(0, 8).map(lambda week: week * 7 * DAY)


@st.composite
def crowds(draw: st.DrawFn) -> list[Event]:
    """Two subjects' events, whole weeks apart or close to that, many at one instant."""
    drawn = st.tuples(
        st.sampled_from([1, 9]),
        st.sampled_from(["Ordered", "Viewed"]),
        WEEKS | st.tuples(WEEKS, st.sampled_from([-HOUR, 1, 2 * DAY])).map(sum),
        st.sampled_from([{}, {"v": 1}]),
        st.sampled_from([True, True, False]),
    )
    made = []
    listed = draw(st.lists(drawn, min_size=6, max_size=14))
    for seq, (subject, name, after, properties, active) in enumerate(listed):
        at = MIDNIGHT + after
        made.append(replace(event(seq, name, at, at, properties, subject=subject), active=active))
    return made


@settings(max_examples=150, deadline=None)
@given(crowds(), PASSAGES, st.sampled_from([30, 37, 44, 51, 58, 60]).map(lambda day: day * DAY))
def test_the_kernel_takes_the_times_of_the_specification(
    events: list[Event], passage: Passage, after: int
) -> None:
    """At any moment, with ties, predicates, inactive events, events that are both, and later starts."""
    at = MIDNIGHT + after
    waits, over = times(held(events), passage, at)
    assert sorted(zip(waits.tolist(), over.tolist(), strict=True)) == sorted(
        cases(passage, by_subject(events).values(), at)
    )


def people(count: int) -> list[Event]:
    """So many who signed up, each a minute later than the one before, and built after 1 hour, 2, 3 ...
    of which those with even numbers came back in the fourth week; and one who has only begun."""
    made: list[Event] = []
    for number in range(1, count + 1):
        begun = MIDNIGHT + number * 60 * SECOND
        for name, after in (("Signed Up", 0), ("Built", number * HOUR), ("Visited", 25 * DAY)):
            if name != "Visited" or number % 2 == 0:
                made.append(event(len(made), name, begun + after, begun + after, subject=number))
    return [*made, event(len(made), "Signed Up", MIDNIGHT + 40 * DAY, START, subject=999)]


def test_a_segment_of_any_moment_is_compared_with_the_table_of_its_day() -> None:
    """Of 100 people who stayed half had built after 100 hours: who has waited longer than that is slow from
    the microsecond after; of 98 too few stayed to say."""
    for count, expected in ((200, [999]), (98, [])):
        history, slow = held(people(count)), Segment("slow", Pace(BUILT, 50))
        limit = MIDNIGHT + 40 * DAY + 100 * HOUR
        assert sorted(segment_at(history, slow, limit)) == []
        assert sorted(segment_at(history, slow, limit + 1)) == expected


def test_who_did_not_stay_counts_where_it_is_asked_for() -> None:
    """All 200 have times, 100 of them of people who came back in the fourth week."""
    everybody = replace(BUILT, stayed=False)
    now, history = MIDNIGHT + 40 * DAY, held(people(200))
    tables = [reference(history, one, now, "UTC") for one in (BUILT, everybody)]
    assert [one.cases for one in tables] == [100, 200]
    assert [one.waits_s[49] for one in tables] == [100 * 3600, 100 * 3600]


def test_the_sentence_says_why_nobody_is_slow() -> None:
    """Without a table, with too few cases, or where fewer have gone on."""
    said = [
        Pace(BUILT, 90, table).sentence()
        for table in (
            None,
            Reference("2026-03-01", 12, (1,) * 99),
            Reference("2026-03-01", 60, (1,) * 40),
            Reference("2026-03-01", 60, (7200,) * 99),
        )
    ]
    begin = "are slower from Signed Up to Built than 90 % of those who stayed"
    assert said == [
        f"{begin} (nobody: there is no table yet)",
        f"{begin} (nobody: 12 cases, 50 are needed)",
        f"{begin} (nobody: fewer have gone on)",
        f"{begin} (2 hours on 2026-03-01)",
    ]


def named(text: str) -> Sequence[str]:
    (one,) = parse(text)
    return [passage.sentence() for passage in passages_in(one.definition)]


def test_what_needs_a_table_is_found_in_every_definition() -> None:
    """In conditions at any depth, and between the steps of a saved funnel."""
    pace = "{pace: {from: Signed Up, to: Built, slower_than: 0.9}}"
    assert named(f"segment: slow\nwhere: {{all: [{{not: {pace}}}, {{did: A}}]}}") == [
        "from Signed Up to Built"
    ]
    assert named("question: way\nfunnel: {steps: [A, B, {event: C, where: {x: 1}}], within: 7d}") == [
        "from A to B",
        "from B to C (x 1)",
    ]
