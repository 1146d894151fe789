"""What holds for the whole suite."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Test machines are shared: how long an example takes to draw or to run says nothing of the code.
# The suite draws the same examples everywhere: its answer is about the change. `make search` draws others.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("hark", patient, derandomize=True)
settings.register_profile("search", patient, print_blob=True)
settings.load_profile("hark")

HERE = Path(__file__).parent
MEMORY = Path("/dev/shm")
ROOM = 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Directories of tests lie in memory where there is room for them.

    Each of their many thousand commits would else wait for a disk, which no test is about: those of fsync
    bring a disk of their own (`tests.faults`). The long loops stay on the disk, as in earnest.
    """
    if config.option.markexpr == "torture" or "TMPDIR" in os.environ:
        return
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


LONGEST = ("story/test_kill", "story/", "demo/", "faults/", "fuzz/", "imports/test_lane", "test_restart")
"""Files whose tests take longest: they begin first, so that at the end no worker waits for another's."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, the others as they stand."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    place = item.path.relative_to(HERE).as_posix()
    return next((turn for turn, name in enumerate(LONGEST) if place.startswith(name)), len(LONGEST))
