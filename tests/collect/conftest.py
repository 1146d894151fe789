"""One collect process for the tests of a worker that don't hurt it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hark.collect.sources import Key, Made, Source, add_source, held_key, write_sources
from hark.definitions.parse import parse
from hark.engine.hooks import publish
from tests.collect.runner import Collect, collecting

HOOKS = """
source: web
mapping: [{when: "body.type == 'opened'", event: Opened, user: body.user, id: body.id}]
---
campaign: welcome
transactional: true
trigger: {api: yes}
steps: [{update: {traits: {welcomed_at: now}}}]
"""
"""What webhooks mean, and a campaign that calls start: documents as they are given to `hark apply`."""


@pytest.fixture(scope="session")
def keys() -> Made:
    return Made("web", "wk_web", "sk_web")


@pytest.fixture(scope="session")
def collect(keys: Made) -> Iterator[Collect]:
    """A server with three sources: web, a strict one, and one with a protected event and a disabled key."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", keys=keys) as running:
        yield running


@contextmanager
def serving(
    data: Path, settings: str = "", keys: Made = Made("web", "wk_web", "sk_web")
) -> Iterator[Collect]:
    """The same server with settings of its own."""
    data.mkdir(parents=True, exist_ok=True)
    map_hooks(data)
    (data / "hark.toml").write_text(settings)
    web = Source("web", held(keys.write_key, "wk_web_2", keys.secret_key))
    strict = Source("strict", held("wk_strict", "sk_strict"), strict=True)
    guarded = (*held("wk_guarded", "sk_guarded"), OLD)
    write_sources(data, [web, strict, Source("guarded", guarded, protected=("Paid",))])
    with collecting(data) as running:
        yield running


def map_hooks(data: Path, documents: str = HOOKS) -> None:
    """Put mappings into force, as the engine does when they are applied."""
    publish(data, [one.definition for one in parse(documents)])


OLD = Key("wk_old", False, "wk_old", expires_at=1)


def held(*keys: str) -> tuple[Key, ...]:
    """Keys as they are kept; those that begin with sk are secret."""
    return tuple(held_key(key, key.startswith("sk")) for key in keys)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Collect, Made]]:
    """A server of the test's own, which it may break."""
    source = add_source(tmp_path / "data", "web")
    with collecting(tmp_path / "data") as running:
        yield running, source
