"""Packs to start from, in the console: which event is which, and what is not put over what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def test_a_pack_finds_the_shop_s_events(ann: Client) -> None:
    """The shop's pack fits best; two of its three events arrive, and a choice of another stands over that."""
    first = told(ann, "/start")["packs"][0]
    assert (first["name"], first["events"], first["seen"]) == ("shop", 3, 2)
    page = told(ann, "/start/shop")
    assert {one["usual"]: one["seen"] for one in page["roles"]} == {
        "Product Viewed": "Product Viewed",
        "Order Completed": "Order Completed",
        "Product Added": None,
    }
    assert page["drafts"] == ["basket_left", "looked_twice", "come_back"]
    chosen = told(ann, "/start/shop?Product+Added=Product+Viewed")
    assert 'trigger: {event: "Product Viewed"}' in chosen["text"]
    assert ann.get("/start/shop?Product+Added=Product+Viewed&as=text").content.decode() == chosen["text"]
    assert "1 of its events was not found" in html(ann, "/start/shop")


def test_a_draft_says_what_it_would_have_done(ann: Client) -> None:
    """Each of the shop's customers bought once, so that nobody looked without buying."""
    page = told(ann, "/start/shop/looked_twice")
    assert page["sentences"][0].endswith("nobody would have entered.")
    assert ann.get("/start/shop/nothing").status_code == 404


def test_what_is_there_is_not_replaced(ann: Client) -> None:
    """The shop has a campaign come_back of its own: the pack is refused whole, and says what to do."""
    answer = ann.post("/start/shop", {"Order Completed": "Order Completed"})
    assert answer.status_code == 400
    assert "there is already: campaign come_back" in answer.content.decode()
