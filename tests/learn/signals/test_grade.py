"""Grades: strong ones are found, false ones are rare, opens and few cases are told as such."""

from __future__ import annotations

import numpy as np
import pytest

from hark.learn.signals.counts import STRATA, Counted
from hark.learn.signals.grade import graded
from tests.learn.signals.simulated import STRONG, drawn

RUNS, SUITE = 200, 40


def _runs(count: int) -> None:
    false, found = 0, 0
    for seed in range(count):
        grades = {one.event: one.grade for one in graded(drawn(np.random.default_rng(seed), 5000)).signals}
        told = [name for name, grade in grades.items() if grade in ("strong", "weak")]
        assert sum(name.startswith("strong") for name in told) == STRONG, seed
        false, found = false + sum(name.startswith("noise") for name in told), found + len(told)
    assert false / found <= 0.1


def test_planted_signals_are_found_and_false_ones_are_few() -> None:
    """Among 5,000 customers all five are found in each of 40 runs, and at most one in ten found is false."""
    _runs(SUITE)


@pytest.mark.torture
def test_planted_signals_are_found_in_two_hundred_runs() -> None:
    """The same for two hundred."""
    _runs(RUNS)


def one(did: int, stayed: int, others: int, others_stayed: int) -> Counted:
    """All customers in one stratum, the earlier like the later."""
    columns = [np.zeros((2, STRATA), np.int64) for _ in range(4)]
    for column, count in zip(columns, (did, stayed, others, others_stayed), strict=True):
        column[:, 0] = count
    return Counted(*columns)


def test_the_grade_follows_what_the_event_adds() -> None:
    """20 points more is strong, 3 is weak, nothing is none, less is none, and 19 people are too few."""
    found = graded({
        "strong": one(1000, 500, 1000, 300), "weak": one(20_000, 6600, 20_000, 6000),
        "none": one(1000, 300, 1000, 300), "leaving": one(1000, 300, 1000, 500),
        "few": one(19, 10, 1000, 300),
    })  # fmt: skip
    grades = {one.event: one.grade for one in found.signals}
    assert grades == {"strong": "strong", "weak": "weak", "none": "none", "leaving": "none", "few": "too few"}
    best = found.signals[0]
    assert (best.event, best.share, best.precision, best.recall) == ("strong", 0.5, 0.5, 0.625)
    assert best.lift == pytest.approx(1.25)
    assert best.area is not None
    assert best.area.estimate == pytest.approx((1 + 500 / 800 - 500 / 1200) / 2)
