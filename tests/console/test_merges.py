"""Merges on the customer's page: shown with cause and time, and undone after a confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import override_settings

from hark.console.source import Source
from tests.console.collector import Collector
from tests.console.conftest import EMAIL
from tests.engine.world import START, World

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada with a phone that was merged into her, a group, and an address that she shares with Bob."""
    world = World(tmp_path_factory.mktemp("merged"))
    world.identify("ada", email="home@x.example")
    world.post("track", anonymousId="phone", event="A")
    world.identify("ada", "phone")
    world.identify("bob", email="Home@X.example ")
    world.post("group", userId="ada", groupId="acme", traits={"employees": 60})
    world.catch_up()
    world.log.close()
    return world.data


@pytest.fixture
def here(ann: Client, merged: Path, collector: Collector) -> Iterator[Client]:
    """Ann before that directory; commands go to the collector that keeps them."""
    from django.conf import settings

    shop = settings.HARK_SOURCE
    found = Source(merged, shop.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield ann


def test_a_merge_stands_with_its_cause_and_time(here: Client) -> None:
    """The page says which id was brought, by what call, when; and which groups the customer belongs to."""
    page = here.get("/customers/1?format=json").json()
    (merge,) = page["merges"]
    assert (merge["number"], merge["younger"], merge["older"], merge["by"]) == (1, 2, 1, "shop")
    assert merge["cause"] == "identify named both ids" and merge["at"] == START
    assert merge["ids"] == [{"name": "anonymous", "value": "phone"}]
    assert [one["name"] for one in page["groups"]] == ["account:acme"]
    assert "Undo this merge" in here.get("/customers/1").content.decode()


def test_undoing_asks_first_and_hands_over_one_command(here: Client, collector: Collector) -> None:
    """Looking at the confirmation changes nothing; the button writes one command into the urgent lane."""
    asked = here.get("/customers/1/merges/1/undo").content.decode()
    assert "Goes to #2" in asked and collector.rows == []
    assert here.post("/customers/1/merges/1/undo", {"note": "wrong"})["Location"] == "/customers/1?undoing=1"
    (row,) = collector.rows
    assert (row["lane"], row["kind"]) == (0, "command")
    assert row["body"] == {"name": "unmerge", "merge": 1, "author": EMAIL, "note": "wrong"}
    assert "Being undone" in here.get("/customers/1?undoing=1").content.decode()
    assert here.get("/customers/1/merges/7/undo").status_code == 404


def test_an_address_finds_all_who_have_it(here: Client) -> None:
    """One customer's address leads to the page, a shared one to a choice, however it is written."""
    found = here.get("/customers?q=HOME@x.example&format=json").json()["found"]
    assert [one["who"] for one in found] == ["ada", "bob"]
    assert here.get("/customers?q=account:acme").status_code == 302
