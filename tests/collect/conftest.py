"""One collect process for the tests of a worker that don't hurt it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hark.collect.sources import Keys, Source, add_source
from tests.collect.runner import Collect, collecting


@pytest.fixture(scope="session")
def keys() -> Source:
    return Source("web", "wk_web", "sk_web")


@pytest.fixture(scope="session")
def collect(keys: Source) -> Iterator[Collect]:
    """A server with three sources: web, a strict one, and one with a protected event and a disabled key."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        write_sources(
            data,
            Keys("web", (keys.write_key, "wk_web_2"), (keys.secret_key,)),
            Keys("strict", ("wk_strict",), ("sk_strict",), strict=True),
            Keys("guarded", ("wk_guarded",), ("sk_guarded",), ("wk_old",), protected=("Paid",)),
        )
        with collecting(data) as running:
            yield running


def write_sources(data: Path, *sources: Keys) -> None:
    path = data / "log" / "sources.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(sources))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Collect, Source]]:
    """A server of the test's own, which it may break."""
    source = add_source(tmp_path / "data", "web")
    with collecting(tmp_path / "data") as running:
        yield running, source
