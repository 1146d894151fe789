"""Pages of programmes and of what campaigns do to each other."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from hark.clock import SetClock
from hark.console.pages.programmes import ProgrammePage, programme
from hark.console.source import Source
from hark.engine import Engine
from hark.questions import ask
from hark.store.log import LogStore
from tests.console import shop as seen
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

LOYALTY = """
programme: loyalty
control: 30%
goal: {event: Order Completed, within: 28d}
"""


def test_without_a_global_control_the_page_says_so(ann: Client) -> None:
    """All messaging cannot be judged where nobody is left alone by it; the page says what to write."""
    assert "global_control" in told(ann, "/messaging?goal=Order+Completed")["problem"]
    assert "Did it help?" not in html(ann, "/messaging?goal=Order+Completed")


def test_a_programmes_page_is_the_answer_of_its_question(shop: Path, ann: Client, tmp_path: Path) -> None:
    """The page has the report of `hark programme`; one that is not there is not found."""
    data, clock = tmp_path / "shop", SetClock(seen.END + 1)
    shutil.copytree(shop, data, ignore=shutil.ignore_patterns("run"))
    with LogStore(data / "log") as log:
        log.append([seen.define(LOYALTY)])
    Engine(data, clock).catch_up()
    found = programme(Source(data, clock, "http://x"), ProgrammePage("loyalty", "", "28d", ""), float("inf"))
    asked = ask(data, {"programme": {"programme": "loyalty"}}, clock)
    assert found.report is not None and found.report.to_json() == asked
    assert settings.HARK_SOURCE.data != data and ann.get("/programmes/loyalty").status_code == 404


def test_interactions_are_those_of_the_reports(ann: Client) -> None:
    """A row for each pair of campaigns of which a report tells, and no other."""
    from hark.console.campaigns import all_told
    from hark.console.source import source

    reports = all_told(source())
    assert not isinstance(reports, Exception)
    found = [(name, one) for name, report in reports.items() for one in report.interactions]
    page = told(ann, "/interactions")
    large = {(name, one.other) for name, one in found if one.difference is not None}
    assert {(one["campaign"], one["with_"]["other"]) for one in page["rows"]} == large
    assert page["small"] == len(found) - len(large)
