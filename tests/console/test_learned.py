"""The pages of what was learned of customers: champions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hark.model import WEEK
from hark.store.state_reader import open_reader
from tests.console.shop import END, PEOPLE
from tests.console.test_customer import calls
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def test_champions_are_ranked_and_explained(ann: Client) -> None:
    """Weeks as counted by hand, the best first; each score says why; an odd number has a reason."""
    page = told(ann, "/champions?top=200")["answer"]
    assert page["here"] == len(page["champions"]) == PEOPLE
    for one in page["champions"][:5]:
        number = int(one["customer"].partition("-")[2])
        weeks = {(END - at) // WEEK for at, _ in calls(number) if at > END - 13 * WEEK}
        assert one["parts"]["returns"] == pytest.approx(100 * len(weeks) / 13)
    assert [one["score"] for one in page["champions"]] == sorted(
        (one["score"] for one in page["champions"]), reverse=True
    )
    assert "was never asked what they feel" in html(ann, "/champions")
    assert "Nobody has brought anybody yet" in html(ann, "/champions")
    assert ann.get("/champions?top=0").status_code == 400


def test_what_messages_ask_of_people_s_time(ann: Client, shop: Path) -> None:
    """Every message that was handed over is there by campaign and template, and what it was worth."""
    page = told(ann, "/attention")["answer"]
    names = {(one["campaign"], one["template"]): one for one in page["messages"]}
    assert names.keys() == {("thank_you", "whats_new")}
    assert sum(one["sent"] for one in page["messages"]) == open_reader(shop).outbox_counts()["sent"]
    assert {one["campaign"] for one in page["campaigns"]} == {"thank_you"}
    assert "Worth for a minute of attention" in html(ann, "/attention")


def test_nobody_was_asked_what_they_feel(ann: Client) -> None:
    """Without answers everybody is silent, with or without a habit; an odd number of months has a reason."""
    page = told(ann, "/ties")["answer"]
    groups = {one["group"]: one["customers"] for one in page["groups"]}
    assert groups["silent"] + groups["silent habit"] == page["customers"] == PEOPLE
    assert "Nobody was asked yet" in html(ann, "/ties")
    assert ann.get("/ties?months=0").status_code == 400
