"""The library of hypotheses in the console, by search and beside a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def test_the_library_is_searched(ann: Client) -> None:
    """What campaigns say they believe is there with the verdict of their report; words narrow it."""
    names = [one["name"] for one in told(ann, "/hypotheses")["entries"]]
    assert names == ["come_back", "thank_you"]
    (found,) = told(ann, "/hypotheses?q=QUIET+see")["entries"]
    report = told(ann, "/campaigns/come_back")["report"]
    assert (found["name"], found["tests"][0]["sentence"]) == ("come_back", report["sentences"][0])
    assert "None has all of these words" in html(ann, "/hypotheses?q=nobody+believes+it")


def test_a_campaign_is_shown_what_was_found_of_those_like_it(ann: Client) -> None:
    """Both campaigns of the shop want orders: each is told of the other, and in what it is like it."""
    page = told(ann, "/campaigns/thank_you/earlier")
    assert [(one["name"], one["because"]) for one in page["entries"]] == [
        ("come_back", ["goal Order Completed", "template whats_new"])
    ]
