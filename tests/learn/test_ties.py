"""The emotional tie: groups, moves, and months, against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hark.learn.answers import Answer, answer
from hark.learn.habit import Habits
from hark.learn.ties import came_back, low, months, moves, tie, ties
from tests.learn.histories import T0


def said(subject: int, score: float, text: str = "", at: int = T0) -> Answer:
    words = f', "text": "{text}"' if text else ""
    found = answer(subject, at, "Survey Answered", f'{{"kind": "nps", "score": {score}{words}}}'.encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("weeks", "mood", "group"),
    [
        (6, "warm", "both"),
        (5, "warm", "attachment"),
        (6, "low", "habit"),
        (13, "lukewarm", "habit"),
        (0, "low", "neither"),
        (6, None, "silent habit"),
        (5, None, "silent"),
    ],
)
def test_six_of_thirteen_weeks_are_a_habit_and_a_low_answer_is_not_silence(
    weeks: int, mood: str | None, group: str
) -> None:
    """Each of the six groups, at its edges."""
    assert tie(weeks, mood) == group  # type: ignore[arg-type]


def test_who_is_here_or_has_spoken_stands_somewhere() -> None:
    """Who did nothing for 13 weeks and never spoke is nowhere; who spoke is counted even if never seen."""
    table = np.array([[1, 2, 3], [T0] * 3, [0] * 3, [8, 0, 0], [2, 0, 0]], np.int64)
    known = Habits(*table)
    found = ties(known, {2: said(2, 3), 9: said(9, 10)})
    assert found == {1: "silent habit", 2: "neither", 9: "attachment"}
    assert [one.subject for one in low(known, {2: said(2, 3), 9: said(9, 10)})] == [2]


def test_moves_count_everybody_once() -> None:
    """From where to where; who came and who went have a place of their own."""
    found = moves({1: "silent", 2: "both"}, {1: "both", 3: "silent"})
    assert found == {("silent", "both"): 1, ("both", "not here"): 1, ("not here", "silent"): 1}


def test_who_came_back_by_group() -> None:
    """Two of three, with Wilson's interval as published: 20.8 to 93.9 %."""
    found = came_back({1: "both", 2: "both", 3: "both", 4: "silent"}, frozenset({1, 2}))
    both = found["both"]
    assert (both.customers, both.came_back) == (3, 2)
    assert (both.low, both.high) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    assert (found["silent"].came_back, found["silent"].low) == (0, 0)


def test_a_month_has_its_nps_and_its_words() -> None:
    """One promoter and two detractors of four: minus 25 points; words count where there are any."""
    four = [said(1, 10, "wonderful"), said(2, 8), said(3, 6), said(4, 0)]
    (found,) = months([("2026-03", one) for one in four])
    assert (found.answers, found.warm, found.low, found.nps, found.words) == (4, 1, 2, -25, 1)
    assert found.goodwill == pytest.approx(0.6)
    assert found.sentiment == four[0].sentiment
