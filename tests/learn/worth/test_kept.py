"""What is read of a history piece by piece is what the whole of it says, whatever is merged and erased."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.history.reader import Resident
from hark.learn.worth import bgnbd
from hark.learn.worth.answer import Worth, purchase_days
from hark.learn.worth.purchases import customers
from hark.model import DAY, HOUR, Event
from tests.history.waiting import Place, histories
from tests.learn.worth.test_published import cdnow

ASKED = Worth(("A", "B"), "x")
END = 13 * 8 * HOUR // DAY + 1


def expected(events: Iterable[Event]) -> list[tuple[int, float, float, float, float]]:
    """(subject, repeats, recency, age, mean) one event after the other, by the definitions of the papers:
    purchases of a day are one, times in weeks, the first purchase is no repeat."""
    days: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for event in events:
        if event.name in ASKED.events:
            days[event.subject][event.at // DAY] += msgspec.json.decode(event.properties).get("x", 0)
    found = []
    for subject, mine in sorted(days.items()):
        first, last, repeats = min(mine), max(mine), len(mine) - 1
        spent = sum(value for day, value in mine.items() if day > first)
        mean = spent / repeats if repeats else 0.0
        found.append((subject, float(repeats), (last - first) / 7, (END - 1 - first) / 7, mean))
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.integers(2, 6)),
        st.tuples(st.just("undo"), st.integers(2, 6)),
        st.tuples(st.just("erase"), st.integers(1, 6)),
        st.tuples(st.just("seal"), st.just(0)),
        st.tuples(st.just("more"), st.just(0)),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=25, deadline=None)
@given(histories(), STEPS)
def test_what_was_read_before_and_what_is_new_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], steps: list[tuple[str, int]]
) -> None:
    """After each step (events come in, wait, are sealed into files; customers are merged, parted, erased) the
    reader that keeps what it read finds the customers that a walk over all events finds."""
    place, kept = Place(tmp_path_factory.mktemp("history")), Resident()
    parts = iter([events[first::3] for first in range(3)])
    into: dict[int, int] = {}
    for what, subject in [("more", 0), *steps]:
        if what == "more":
            coming = [replace(one, at=one.at // 1_000_000 * 8 * HOUR) for one in next(parts, [])]
            place.waiting.add(coming) if coming else None
        elif what == "seal":
            place.seal()
        elif what == "merge" and subject not in into:
            into[subject] = 1
            place.waiting.merge(subject, 1)
        elif what == "undo" and subject in into:
            del into[subject]
            place.waiting.unmerge(subject)
        elif what == "erase" and not into:
            place.waiting.gone.append(subject)
        found = customers(purchase_days(place.snapshot(kept), ASKED, 10**15), END)
        of = found.purchases
        columns = (found.subject, of.repeats, of.last, of.seen, found.mean)
        assert list(zip(*(one.tolist() for one in columns), strict=True)) == expected(
            place.snapshot().events(facts=True)
        )


def test_the_next_day_s_climb_ends_where_the_whole_one_does() -> None:
    """From the parameters of the day before, from others, and from nothing the same model is found; where
    there is no way up from the start it begins anew."""
    known = cdnow()
    whole = bgnbd.fit(known)[1]
    for start in (whole.parameters, (0.5, 9.0, 2.0, 1.0), (1e-9, 1e9, 1e9, 1e-9)):
        again = bgnbd.fit(known, start)[1]
        assert again.converged
        near = 0.01 * np.array(whole.errors)
        assert np.all(np.abs(np.array(again.parameters) - whole.parameters) < near)
        assert again.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-3)


def test_customers_who_are_alike_are_one_row_with_a_weight() -> None:
    """The likelihood and its gradient are those of everybody one by one: a hair off whole days none are
    alike, and the sums are nearly the same."""
    rounded = [np.rint(column * 7) / 7 for column in (cdnow().last, cdnow().seen)]
    known = bgnbd.Purchases(cdnow().repeats, *rounded)
    apart = bgnbd.Purchases(known.repeats, known.last, known.seen + 1e-9)
    one, other = bgnbd._Rows(known), bgnbd._Rows(apart)
    assert len(one.x) < len(other.x) == len(known.repeats)
    for at in ((0.24, 4.4, 0.8, 2.4), (1.0, 4.0, 1.0, 2.0)):
        (value, gradient), (expected_value, expected_gradient) = one.likelihood(*at), other.likelihood(*at)
        assert value == pytest.approx(expected_value, rel=1e-9)
        assert gradient == pytest.approx(expected_gradient, rel=1e-6, abs=1e-6)
