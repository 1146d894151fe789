"""The pages of what was learned of customers: champions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hark.model import WEEK
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
