from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh directory; its log is closed at the end."""
    world = World(tmp_path)
    yield world
    world.log.close()
