"""Moving runs in the console and by the API: looked at first, then handed to the engine as one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hark.collect.sources import add_source
from tests.console.collector import Collector
from tests.console.conftest import EMAIL

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
MOVES = {"name": "migrate", "campaign": "come_back", "to": 1, "steps": {"a": "b"}}


def test_the_page_looks_first_and_then_moves(ann: Client, collector: Collector) -> None:
    """Looking hands nothing over; the button hands over one urgent command with version and ids."""
    assert ann.get("/campaigns/come_back/migrate?format=json").json()["groups"] == []
    assert "Nobody is on the way" in ann.get("/campaigns/come_back/migrate").content.decode()
    assert collector.rows == []
    ann.post("/campaigns/come_back/migrate", {"to": "1", "steps": "a=b"})
    (row,) = collector.rows
    assert (row["lane"], row["body"]) == (0, {**MOVES, "author": EMAIL})
    assert ann.get("/campaigns/nowhere/migrate").status_code == 404


def test_a_program_with_a_secret_key_moves(
    stranger: Client, collector: Collector, shop: Path, request: pytest.FixtureRequest
) -> None:
    """GET looks, POST moves; an unknown version is 404, a wrong body 400, no key 401."""
    file = shop / "log" / "sources.json"
    before = file.read_bytes()
    key = add_source(shop, "mover").secret_key
    request.addfinalizer(lambda: file.write_bytes(before) and None)
    headers = {"Authorization": f"Bearer {key}"}
    address = "/api/v1/campaigns/come_back/migration"
    assert stranger.get(address).status_code == 401
    looked = stranger.get(address, headers=headers).json()
    assert (looked["to"], looked["moves"], collector.rows) == (1, 0, [])
    body = {"to": 1, "steps": {"a": "b"}}
    assert stranger.post(address, body, "application/json", headers=headers).status_code == 200
    assert collector.rows[0]["body"] == {**MOVES, "author": "mover"}
    assert stranger.get(f"{address}?to=9", headers=headers).status_code == 404
    assert stranger.post(address, {"too": 1}, "application/json", headers=headers).status_code == 400
