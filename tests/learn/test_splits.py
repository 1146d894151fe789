"""A short share of `bench.splits`: real customers split at random, looked at weekly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.splits import Ints, entered, false_alarms, online_retail, simple_shop
from tests.data import shared

SPLITS = 150


@pytest.mark.parametrize("read", [online_retail, simple_shop])
def test_random_splits_are_rarely_called_different(read: Callable[[Path], tuple[Ints, Ints, Ints]]) -> None:
    """Looked at every week, at most 6.4 % of random splits (5 % and chance) are ever called different."""
    start, reached = entered(*read(shared("README.md").parent))
    assert false_alarms(start, reached, SPLITS) <= 0.064
