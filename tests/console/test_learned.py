"""The pages of what was learned: champions, attention, ties, worth, and which verdicts stand among all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.template.loader import render_to_string

from hark.console.campaigns import CampaignLine
from hark.console.pages.worth import WorthPage
from hark.definitions.parse import parse
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


def test_what_was_foretold_stands_beside_what_happened(ann: Client) -> None:
    """The page of an answer has its points, shades the held-back weeks, and offers a document that is right;
    too few customers, and weeks that are none, have a reason."""
    checks = [{"repeats": "0", "customers": 90, "expected": 0.2, "actual": 0.3}]
    weeks = [{"week": n, "expected": n * 1.5, "actual": n, "held_back": n > 3} for n in range(1, 6)]
    top = [{"customer": "c1", "alive": 0.9, "purchases": 2.5, "value": 50.0}]
    answer = {"customers": 120, "repeating": 100, "alive": 80.2, "expected_purchases": 44.0, "top": top,
              "expected_value": 880.0, "checks": checks, "weeks": weeks}  # fmt: skip
    typed = {"event": "Order Completed", "value": "revenue", "ahead": "13", "held_back": "2"}
    page = WorthPage((), typed, answer)
    assert page.calibration["data"][0]["x"] == [0.2]
    (shade,) = page.cumulated["layout"]["shapes"]
    assert (shade["x0"], shade["x1"]) == (3, 5)
    (document,) = parse(page.document)
    assert document.kind == "computed"
    assert "80" in render_to_string("console/worth.html", {"page": page})
    asked = "/worth?event=Order+Completed"
    assert "a model needs 100" in ann.get(asked).content.decode()
    assert ann.get(f"{asked}&ahead=soon").status_code == 400


@pytest.mark.parametrize(
    ("word", "believed", "says"),
    [
        ("helps", True, ["found"]),
        ("harms", False, ["may be chance among so many"]),
        ("helps", None, []),
        ("not known yet", False, []),
    ],
)
@pytest.mark.usefixtures("ann")
def test_a_word_says_whether_it_stands_among_all(word: str, believed: bool | None, says: list[str]) -> None:
    """In the list of campaigns, beside what helps or harms: whether it is found among all of them."""
    line = CampaignLine("c", 1, "live", "", 0.2, "", False, "It.", word, believed, 10)
    text = render_to_string("console/campaign_lines.html", {"rows": [line]})
    assert [one for one in ("found", "may be chance among so many") if f">{one}<" in text] == says
