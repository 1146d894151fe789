"""The page of a campaign's effect by situation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def test_the_lift_is_told_by_situation(ann: Client) -> None:
    """All who enter come_back are in gone_quiet then, by whose coming they enter: its lift is the whole's, it
    was not named before the start, and there is nobody outside to differ from."""
    whole = told(ann, "/campaigns/come_back")["report"]["lift"]
    page = told(ann, "/campaigns/come_back/situations")
    (line,) = page["report"]["situations"]["situations"]
    assert (line["segment"], line["planned"], line["differs"]) == ("gone_quiet", False, None)
    assert line["lift"] == whole
    assert "exploratory" in html(ann, "/campaigns/come_back/situations")
