"""A segment's page: now, then, over time, and beside another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hark.clock import instant, moment
from hark.console.source import source
from hark.model import DAY
from tests.console.shop import END, PEOPLE, START
from tests.console.test_customer import calls
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

QUIET = "/segments/gone_quiet"


def quiet_at(at: int) -> set[str]:
    """Who had ordered by then, and not in the seven days before: counted by hand."""
    found = set()
    for number in range(PEOPLE):
        orders = [when for when, event in calls(number) if event == "Order Completed" and when <= at]
        if orders and orders[-1] <= at - 7 * DAY:
            found.add(f"customer-{number}")
    return found


def alone(line: str) -> bool:
    """Whether the customer of a line of the file is recorded in the control of come_back."""
    record = source().state.record(int(line.partition(",")[0]))
    assert record is not None
    return any((one.campaign, one.arm) == ("come_back", "control") for one in record.exposures)


def test_as_of_a_moment_and_as_a_file(ann: Client) -> None:
    """The count of a past moment, and a CSV with exactly those who were in it then; whom the campaign that it
    starts leaves alone stand in it only if asked for."""
    then = START + 25 * DAY
    query = f"?at={moment(then).isoformat().replace('+00:00', 'Z')}"
    assert told(ann, QUIET + query)["count"] == len(quiet_at(then)) > 0
    lines = ann.get(f"{QUIET}{query}&format=csv&controls=yes").content.decode().splitlines()
    assert {line.partition(",")[2] for line in lines[1:]} == quiet_at(then)
    rest = ann.get(f"{QUIET}{query}&format=csv").content.decode().splitlines()
    assert {line for line in lines if line not in rest} == {line for line in lines[1:] if alone(line)}
    assert 1 < len(rest) < len(lines)
    assert lines[0] == "subject,customer"
    wrong = told(ann, QUIET + "?at=yesterday")
    assert wrong["count"] is None
    assert "is no instant" in wrong["note"]


def test_its_size_over_time_is_the_count_at_each_end(ann: Client) -> None:
    """Week after week as counted by hand at the week's last moment; the last as of now."""
    sizes = told(ann, f"{QUIET}/sizes?period=week")["sizes"]
    for before, after in zip(sizes[-8:], sizes[-7:], strict=False):
        end = instant(f"{after['period']}T00:00:00Z") - 1
        assert before["count"] == len(quiet_at(end)), before
    assert sizes[-1]["count"] == len(quiet_at(END))
    assert ann.get(f"{QUIET}/sizes?period=year").status_code == 400
    part = ann.get(f"{QUIET}/sizes", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<section")
    assert "data-figure" in part


def test_two_segments_are_compared(ann: Client) -> None:
    """With itself a segment shares everybody; with one that is not there the reason is said."""
    same = told(ann, f"{QUIET}/overlap?other=gone_quiet")
    assert (same["both"], same["only_one"], same["only_other"]) == (len(quiet_at(END)), 0, 0)
    answer = ann.get(f"{QUIET}/overlap?other=nobody")
    assert answer.status_code == 400
    assert "no segment nobody" in answer.content.decode()
    assert "This is the only segment" in html(ann, QUIET)
