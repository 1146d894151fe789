"""The pages of engagement: definitions, and where everybody stands by one of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from hark.model import DAY, WEEK
from tests.console.shop import END, PEOPLE
from tests.console.test_customer import calls
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

PAGE = "/engagement/shopper"
LEVELS = ("below all levels", "bought", "regular")


def stood(number: int, at: int) -> str | None:
    """Where a customer stood, counted by hand; None: not here yet."""
    known = [when for when, _ in calls(number) if when <= at]
    if not known:
        return None
    orders = [when for when, event in calls(number) if event == "Order Completed" and when <= at]
    if not any(when > at - 14 * DAY for when in orders):
        return LEVELS[0]
    return LEVELS[2] if sum(when > at - 28 * DAY for when in orders) >= 2 else LEVELS[1]


def test_how_many_stand_where_and_who_moved(ann: Client) -> None:
    """Today's levels, those of each week before and every move equal a count by hand."""
    page = told(ann, f"{PAGE}?weeks=4")
    now = Counter(stood(number, END) for number in range(PEOPLE))
    assert {one["name"]: one["customers"] for one in page["levels"]} == {name: now[name] for name in LEVELS}
    assert page["customers"] == PEOPLE - now[None]
    for row, week in zip(page["counts"], range(4, -1, -1), strict=True):
        then = Counter(stood(number, END - week * WEEK) for number in range(PEOPLE))
        assert row == [then[name] for name in LEVELS]
    moved = Counter(
        (stood(number, END - 4 * WEEK) or "not here yet", stood(number, END)) for number in range(PEOPLE)
    )
    assert {(one["origin"], one["to"]): one["customers"] for one in page["ways"]} == {
        way: n for way, n in moved.items() if way[1] is not None
    }


def test_a_customer_s_page_says_where_they_stand(ann: Client) -> None:
    """Each customer's live level is the one counted by hand, with what made it true."""
    for number in (0, 7, 19, 33):
        found = ann.get(f"/customers?q=customer-{number}&format=json", follow=True)
        (level,) = msgspec.json.decode(found.content)["levels"]
        assert level["level"] == (stood(number, END) or LEVELS[0]).replace(LEVELS[0], "")
        assert bool(level["because"]) is bool(level["level"])


def test_the_pages_say_it(ann: Client) -> None:
    """The list names the levels in their order; one that is not there is a 404; odd weeks have a reason."""
    assert "bought → regular" in html(ann, "/engagement")
    assert "did Order Completed in the last 14 days" in html(ann, PAGE)
    assert ann.get("/engagement/nobody").status_code == 404
    answer = ann.get(f"{PAGE}?weeks=0")
    assert answer.status_code == 400
    assert "ask for 1 to" in answer.content.decode()
