"""Three hundred simulated days: every fact of the engine is the one that the reference model expects."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.simulate.breakages import BREAKAGES, broken, found_after
from tests.simulate.difference import DifferenceError
from tests.simulate.world import World

HERE = Path(__file__).parent
MODEL = (
    *(
        "model.py",
        "journeys.py",
        "goals.py",
        "situations.py",
        "letters.py",
        "weighing.py",
        "starts.py",
        "conditions.py",
    ),
    *("nouns.py", "plainly.py"),
)


@pytest.mark.parametrize("seed", range(1, 13))
def test_the_engine_decides_what_the_model_decides(seed: int, tmp_path: Path) -> None:
    """Twenty-five days of a drawn world, with crashes, edits, merges and a provider that misbehaves."""
    world = World(seed, tmp_path)
    world.live(25)
    assert world.told


def test_a_seed_lives_the_same_days_again(tmp_path: Path) -> None:
    """The events and facts of a seed are the same in every life, and a shorter life is the beginning of a
    longer one."""
    lives = [World(8, tmp_path / str(place)) for place in range(2)]
    for world, days in zip(lives, (4, 6), strict=True):
        world.data.mkdir()
        world.live(days)
    assert lives[0].lived > 100
    assert lives[1].told[: lives[0].lived] == lives[0].told[: lives[0].lived]


def test_a_broken_engine_is_found(tmp_path: Path) -> None:
    """Where the control is written to the model says so within some days, and names the command that shows it
    again."""
    world = World(1, tmp_path)
    with broken("the control is written to"), pytest.raises(DifferenceError, match="--seed 1 --days 2"):
        world.live(10)


@pytest.mark.torture
@pytest.mark.parametrize("name", BREAKAGES)
def test_every_breakage_is_found(name: str) -> None:
    """Within a thousand days."""
    assert found_after(name, worlds=40)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(1001, 1201))
def test_ten_thousand_days(seed: int, tmp_path: Path) -> None:
    """The same for two hundred worlds of fifty days each."""
    World(seed, tmp_path).live(50)


def test_the_model_knows_nothing_of_the_engine() -> None:
    """No part of the reference model uses code of Hark."""
    for name in MODEL:
        for node in ast.walk(ast.parse((HERE / name).read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            assert not [one for one in modules if one.split(".")[0] == "hark"]
