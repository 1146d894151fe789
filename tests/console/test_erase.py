"""Erasing a customer in the console: said what goes and when, typed, and handed to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.collector import Collector
from tests.console.conftest import EMAIL

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def test_the_page_says_what_goes_and_when(ann: Client) -> None:
    """It names the customer to type, and the day by which the log is free of them: 28 + 1 days from now."""
    page = ann.get("/customers/1/erase?format=json").json()
    assert page["who"] == ann.get("/customers/1?format=json").json()["who"]
    text = ann.get("/customers/1/erase").content.decode()
    assert "cannot be undone" in text and "31 Mar 2026" in text
    assert ann.get("/customers/4711/erase").status_code == 404


def test_only_the_typed_name_erases(ann: Client, collector: Collector) -> None:
    """Anything else typed hands nothing over; the name hands over one command in the urgent lane."""
    name = ann.get("/customers/1/erase?format=json").json()["who"]
    assert ann.post("/customers/1/erase", {"confirm": "somebody"}).status_code == 400
    assert collector.rows == []
    assert ann.post("/customers/1/erase", {"confirm": name}).status_code == 200
    (row,) = collector.rows
    assert (row["lane"], row["kind"]) == (0, "command")
    assert row["body"] == {"name": "erase", "customer": "#1", "author": EMAIL}


def test_a_stranger_erases_nobody(stranger: Client, collector: Collector) -> None:
    """Without an account there is only the door, and without the form's token nothing is taken."""
    assert stranger.post("/customers/1/erase", {"confirm": "x"}).status_code in (302, 403)
    assert collector.rows == []
