"""Sixty-four campaigns at once, with crashes: the control gets nothing, and nobody gets too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulate.crowd import CAMPAIGNS, Crowd


def lived(crowd: Crowd, days: int) -> Crowd:
    crowd.live(days)
    assert crowd.crashes > days / 4
    assert crowd.provider.handed
    assert crowd.to_the_control() == []
    assert crowd.over_a_cap() == []
    return crowd


def test_the_control_gets_nothing_and_no_cap_is_passed(tmp_path: Path) -> None:
    """Some 1,800 decisions, 64 campaigns on one trigger."""
    assert lived(Crowd(1, tmp_path, people=2), days=4).decisions() >= 2 * 13 * CAMPAIGNS


@pytest.mark.torture
def test_a_million_decisions(tmp_path: Path) -> None:
    """The same for a million decisions."""
    total = 0
    for seed in range(2, 42):
        data = tmp_path / str(seed)
        data.mkdir()
        total += lived(Crowd(seed, data, people=12), days=12).decisions()
    print(f"{total:,} decisions")
    assert total >= 1_000_000
