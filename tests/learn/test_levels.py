"""Areas under the curve from a table of counts, against the same told person by person."""

from __future__ import annotations

import numpy as np
import pytest

from hark.learn.levels import FEWEST, compared

SEED = 11


def people(size: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(level by the one, by the other, came back): both tell something, the one more."""
    chance = np.random.default_rng(SEED)
    keen = chance.normal(size=size)
    one = np.clip(np.round(keen + chance.normal(scale=0.7, size=size) + 1), 0, 3).astype(int)
    other = np.clip(np.round(keen + chance.normal(scale=2, size=size) + 1), 0, 2).astype(int)
    return one, other, (keen + chance.normal(size=size) > 0.3).astype(int)


def by_pairs(levels: np.ndarray, back: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The area, and the components of DeLong's variance, from every pair of two people."""
    came, lost = levels[back == 1], levels[back == 0]
    wins = (came[:, None] > lost[None, :]) + (came[:, None] == lost[None, :]) / 2
    return float(wins.mean()), wins.mean(axis=1), wins.mean(axis=0)


def test_areas_and_intervals_are_delongs() -> None:
    """Estimates, intervals and that of the difference equal the formula over all pairs of people."""
    one, other, back = people()
    table = np.zeros((4, 3, 2), np.int64)
    np.add.at(table, (one, other, back), 1)
    found = compared(table)
    assert found is not None
    first, second = by_pairs(one, back), by_pairs(other, back)
    cover = np.cov(first[1], second[1]) / len(first[1]) + np.cov(first[2], second[2]) / len(first[2])
    z = 1.959963984540054
    assert found.one.estimate == pytest.approx(first[0])
    assert found.other.estimate == pytest.approx(second[0])
    assert found.one.high - found.one.estimate == pytest.approx(z * np.sqrt(cover[0, 0]))
    spread = np.sqrt(cover[0, 0] + cover[1, 1] - 2 * cover[0, 1])
    assert found.difference.estimate == pytest.approx(first[0] - second[0])
    assert found.difference.high - found.difference.low == pytest.approx(2 * z * spread)
    assert (found.customers, found.came_back) == (400, int(back.sum()))
    assert found.moved == int((one != other).sum())


def test_a_definition_beside_itself_differs_in_nothing() -> None:
    """The difference is nought, and surely."""
    one, _, back = people()
    table = np.zeros((4, 4, 2), np.int64)
    np.add.at(table, (one, one, back), 1)
    found = compared(table)
    assert found is not None
    assert (found.difference.low, found.difference.high, found.moved) == (0, 0, 0)


def test_of_too_few_nothing_is_said() -> None:
    """Where fewer than twenty came back, or did not."""
    table = np.zeros((2, 2, 2), np.int64)
    table[:, :, 0] = 100
    table[1, 1, 1] = FEWEST - 1
    assert compared(table) is None
