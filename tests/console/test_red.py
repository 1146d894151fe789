"""What is wrong with the server stands on top of Home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from hark.store.vitals import Pulse

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def test_home_says_what_fails_and_what_it_means(ann: Client, shop: Path) -> None:
    """A failing tick is named with its cause on the page and in its JSON twin, until a tick goes well."""
    Pulse(shop).failed("KeyError: <script>")
    page = ann.get("/").content.decode()
    assert 'role="alert"' in page
    assert "The engine fails." in page and "KeyError: &lt;script&gt;" in page
    twin = msgspec.json.decode(ann.get("/?format=json").content)
    assert [red["reason"] for red in twin["reds"]] == ["tick_fails"]
    Pulse(shop).ticked(0.01, 1, "")
    assert 'role="alert"' not in ann.get("/").content.decode()
