"""One server for all that the fuzz tests send: they may not hurt it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collect.conftest import serving
from tests.collect.runner import Collect


@pytest.fixture(scope="module")
def collect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """A server with the sources of the contract's tests."""
    with serving(tmp_path_factory.mktemp("fuzzed") / "data") as running:
        yield running
