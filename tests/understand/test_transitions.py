"""How customers go from level to level: against a count by hand, and statsmodels' product-limit estimate."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from hark.understand.engagement import Standing
from hark.understand.transitions import NOT_HERE, Stay, matrix, stays, transitions

LEVELS, WEEKS = 3, 6
STORIES = st.lists(
    st.tuples(
        st.integers(0, WEEKS - 1), st.lists(st.integers(0, LEVELS), min_size=WEEKS, max_size=WEEKS)
    ).map(lambda one: [NOT_HERE] * one[0] + one[1][one[0] :]),
    min_size=1,
    max_size=12,
)


def told(story: list[int], level: int) -> list[tuple[int, str]]:
    """Of one customer each stay at a level that began within the weeks: (weeks, how it ended)."""
    found = []
    for week in range(1, WEEKS):
        if story[week] == level and story[week - 1] != level:
            later = [(place, other) for place, other in enumerate(story) if place > week and other != level]
            if later:
                place, other = later[0]
                found.append((place - week, "rose" if other > level else "fell"))
            else:
                found.append((WEEKS - 1 - week, "stays"))
    return found


@given(STORIES)
def test_each_customer_s_weeks_are_counted_one_by_one(stories: list[list[int]]) -> None:
    """Moves from week to week, and stays with how they ended and the median until people rise, are those of
    a walk over each customer's weeks."""
    rows = np.array(stories)
    moved = Counter(pair for one in stories for pair in pairwise(one) if NOT_HERE not in pair)
    table = transitions(rows, LEVELS)
    assert {(i, j): n for i, row in enumerate(table.tolist()) for j, n in enumerate(row) if n} == dict(moved)
    for level, found in enumerate(stays(rows, LEVELS)):
        spells = [spell for one in stories for spell in told(one, level)]
        ends = Counter(how for _, how in spells)
        assert found == Stay(level, len(spells), ends["rose"], ends["fell"], median(spells))


def median(spells: list[tuple[int, str]]) -> int | None:
    """By statsmodels, of those who rose, all others censored."""
    rose = [how == "rose" for _, how in spells]
    if not any(rose):
        return None
    found = SurvfuncRight(np.array([weeks for weeks, _ in spells]), np.array(rose, int))
    under = [t for t, left in zip(found.surv_times, found.surv_prob, strict=True) if left <= 0.5 + 1e-9]
    return int(under[0]) if under else None


def test_customers_who_come_later_are_not_here_before() -> None:
    """Each moment knows those seen by then; the rows are today's customers, bucket by bucket."""
    early = Standing(
        0, (np.array([2, 5]), np.array([], np.int64)), (np.array([1, 0]), np.array([], np.int64))
    )
    late = Standing(7, (np.array([2, 3, 5]), np.array([4])), (np.array([2, 0, 0]), np.array([3])))
    assert matrix([early, late]).tolist() == [[1, 2], [NOT_HERE, 0], [0, 0], [NOT_HERE, 3]]
    assert transitions(matrix([early, late]), 3).sum() == pytest.approx(2)
