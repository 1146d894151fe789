"""The pages over a shop that the real engine has lived through."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from msgspec import Struct

from hark.clock import SetClock
from hark.collect.sources import add_source
from hark.engine import Engine
from hark.model import DAY
from hark.store.log import LogStore
from tests.console.shop import END, PEOPLE, visits

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

PAGES = [
    "/",
    "/live",
    "/customers",
    "/customers/3",
    "/segments",
    "/segments/gone_quiet",
    "/campaigns",
    "/campaigns/come_back",
    "/campaigns/thank_you",
    "/funnel?steps=Signed+Up%0AProduct+Viewed%0AOrder+Completed&within=7d",
    "/retention?start=Signed+Up&period=week",
    "/paths?from=Signed+Up&depth=4",
    "/lifecycle?period=week",
    "/trend?event=Order+Completed&period=week&of=revenue",
    "/sessions?period=week",
]
MORE_PAGES = [
    "/campaigns/come_back/situations",
    "/campaigns/come_back/situations?levels=shopper",
    "/live?source=shop&name=Order",
    "/events",
    "/events/Order%20Completed",
    "/sources",
    "/sources/shop",
    "/rejects?source=shop&since=1d",
    "/attention",
    "/content",
    "/content/seen",
    "/champions",
    "/signals",
    "/ties?months=3",
    "/worth",
    "/renewals",
    "/digest",
    "/calendar",
    "/programmes",
    "/messaging?goal=Order+Completed&within=7d",
    "/interactions",
    "/campaigns/come_back/backtest",
    "/campaigns/come_back/journey",
    "/engagement",
    "/stages",
    "/engagement/shopper/statement",
    "/hypotheses",
    "/start",
    "/start/shop",
    "/hypotheses?q=nothing+like+it",
    "/engagement/shopper?weeks=4",
    "/surveys",
    "/surveys/worth_it?period=month",
    "/segments/gone_quiet/sizes?period=week",
    "/segments/gone_quiet/overlap?other=gone_quiet",
    "/segments/gone_quiet?at=2026-02-01T00:00:00Z",
    "/customers/3/traits",
    "/questions",
    "/definitions",
    "/outbox?state=sent",
    "/suppressed",
    "/tasks",
    "/replies",
    "/senders",
    "/images",
    "/brand",
    "/templates",
    "/deliverability",
    "/definitions/new/campaign",
    "/definitions/segment/gone_quiet",
    "/definitions/new/segment",
    "/funnel/stopped?steps=Signed+Up%0AOrder+Completed%0AOrder+Completed&within=12d&step=2",
    "/funnel?steps=Signed+Up%0AOrder+Completed&trend=week&by=trait:first_name",
    "/retention?start=Signed+Up&by=trait:first_name&cohorts=recurring",
    "/saved/segment/not_yet/1",
]
"""Pages whose contexts have tests of their own."""


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def told(client: Client, path: str) -> Any:
    """The JSON twin."""
    answer = client.get(path + ("&" if "?" in path else "?") + "format=json")
    assert answer["Content-Type"] == "application/json"
    return msgspec.json.decode(answer.content)


@pytest.mark.parametrize("path", PAGES + MORE_PAGES)
def test_pages_are_whole_and_bring_no_inline_code(ann: Client, path: str) -> None:
    """Each page has one heading and a title, and nothing that the security policy would refuse."""
    page = html(ann, path)
    assert len(re.findall("<h1", page)) == 1
    assert re.search(r"<title>[^<]+ · Hark</title>", page)
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", page)
    assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
    assert not re.search(r"{{|{%", page)


def contexts() -> dict[str, Callable[[], Struct]]:
    """By page, what makes its context."""
    from hark.console.pages import campaigns, customer, home, live, segments
    from hark.console.source import source

    here = source()
    return {
        "/": lambda: home.home(here),
        "/live": lambda: live.live(here, "", ""),
        "/customers/3": lambda: customer.customer(here, 3, customer.Shown()),
        "/segments/gone_quiet": lambda: segments.segment(
            here, here.state.versions("segment", "gone_quiet")[-1], "", math.inf
        ),
        "/campaigns/come_back": lambda: campaigns.campaign(
            here, here.state.versions("campaign", "come_back"), None
        ),
        **{path: partial(question, here, path) for path in QUESTIONS},
    }


QUESTIONS = PAGES[-6:]


def question(here: Any, path: str) -> Struct:
    """The context of a question's page, from its address."""
    from hark.console.asking import read
    from hark.console.pages.asked import page_of

    kind, _, query = path.removeprefix("/").partition("?")
    return page_of(here, read(kind, dict(parse_qsl(query))))


def test_the_json_twin_is_the_context(ann: Client) -> None:
    """What a program gets is the very context the template gets."""
    for path, make in contexts().items():
        page = make()
        answer = ann.get(path + ("&" if "?" in path else "?") + "format=json")
        assert msgspec.json.decode(answer.content, type=type(page)) == page, path
        by_header = ann.get(path, headers={"Accept": "application/json"})
        assert by_header.content == answer.content


def test_home_counts_what_happened(ann: Client) -> None:
    """Home has everybody, today's events as the visits have them, and each campaign's standing."""
    page = told(ann, "/")
    assert page["customers"] == PEOPLE
    midnight = END - 9 * 3_600_000_000
    today = sum(len(calls) for number in range(PEOPLE) for at, calls in visits(number) if at >= midnight)
    assert page["events_today"] == today > 0
    assert sum(one["events"] for one in page["days"]) == events_since(midnight - 29 * DAY)
    assert [one["name"] for one in page["campaigns"]] == ["come_back", "thank_you"]
    text = html(ann, "/")
    assert "1 campaign with nobody left alone" in text
    assert "The owner wants everybody to be thanked" in text


def events_since(at: int) -> int:
    """Of all visits, the calls made at or after an instant."""
    from hark.clock import instant

    calls = (call for number in range(PEOPLE) for _, made in visits(number) for call in made)
    return sum(instant(call["timestamp"]) >= at for call in calls)


def test_a_segment_says_who_and_how_many(ann: Client) -> None:
    """The count is that of the customers whose last order is over seven days old."""
    quiet = [number for number in range(PEOPLE) if last_order(number) <= END - 7 * DAY]
    page = told(ann, "/segments/gone_quiet")
    assert page["count"] == len(quiet)
    assert 0 < len(quiet) < PEOPLE
    assert (
        page["sentence"]
        == "Customers who did Order Completed and did not do Order Completed in the last 7 days."
    )
    assert {one["who"] for one in page["sample"]} <= {f"customer-{number}" for number in quiet}
    assert all(one["since"] for one in page["sample"])
    assert page["campaigns"] == ["come_back"]


def last_order(number: int) -> int:
    from hark.clock import instant

    orders = [call for _, calls in visits(number) for call in calls if call.get("event") == "Order Completed"]
    return max(instant(one["timestamp"]) for one in orders)


def test_a_campaign_shows_its_arms_and_its_lift(ann: Client) -> None:
    """Everybody entered once, the lift is the difference of the rates, and the words are the report's."""
    page = told(ann, "/campaigns/come_back")
    arms = {arm["arm"]: arm for arm in page["report"]["arms"]}
    assert sum(arm["entered"] for arm in arms.values()) == PEOPLE
    lift = page["report"]["lift"]
    assert lift["estimate"] == pytest.approx(arms["treatment"]["rate"] - arms["control"]["rate"])
    assert page["standing"] == page["report"]["sentences"][0]
    text = html(ann, "/campaigns/come_back")
    assert "left alone" in text
    assert 'data-chart="lift-chart"' in text
    assert "send whats_new by email" in text


def test_the_figure_draws_the_interval_it_was_given(ann: Client) -> None:
    """The chart's ends are the report's bounds, in points of a percent, and 0 is in sight."""
    found = re.search(r'<script id="lift-chart" type="application/json">(.*?)</script>', html(ann, PAGES[7]))
    assert found
    figure = msgspec.json.decode(found[1])
    report = told(ann, PAGES[7])["report"]
    lift = report["verdict"]["lift"] or report["always"]
    (points,) = figure["data"]
    assert points["x"][0] - points["error_x"]["arrayminus"][0] == pytest.approx(100 * lift["low"])
    assert points["x"][0] + points["error_x"]["array"][0] == pytest.approx(100 * lift["high"])
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < 0 < high


def test_a_customer_sees_why(ann: Client) -> None:
    """Of a customer who was left alone the page says so, and one who was written to has the hand-off."""
    pages = [told(ann, f"/customers/{subject}") for subject in range(1, 30)]
    entered = [line["why"] for page in pages for line in page["timeline"] if line["campaign"] == "come_back"]
    assert any("in the control: nothing is sent" in why for why in entered)
    assert any("in the arm treatment" in why for why in entered)
    page = pages[0]
    assert page["timeline"] == sorted(page["timeline"], key=lambda line: -line["at"])
    assert {one["name"] for one in page["traits"]} == {"email", "first_name"}
    assert page["consents"] == [
        {"topic": "news", "channel": "email", "state": "in", "at": page["consents"][0]["at"]}
    ]


def test_older_events_are_one_click_away(ann: Client) -> None:
    """Asking for what is before an instant shows only that."""
    whole = told(ann, "/customers/3")["timeline"]
    middle = whole[len(whole) // 2]["at"]
    older = told(ann, f"/customers/3?before={middle}")["timeline"]
    assert older == [line for line in whole if line["at"] < middle]


def test_searching_finds_a_customer_by_any_id(ann: Client) -> None:
    """A userId and "#number" lead to the customer; an unknown id is said to be nobody's, with 404."""
    number = ann.get("/customers?q=customer-7")["Location"]
    assert told(ann, number)["who"] == "customer-7"
    assert ann.get(f"/customers?q=%23{number.rsplit('/', 1)[-1]}")["Location"] == number
    nobody = ann.get("/customers?q=nobody")
    assert nobody.status_code == 404
    assert "Nobody has the id" in nobody.content.decode()
    assert ann.get("/customers/999999").status_code == 404


def test_live_is_filtered_by_name_and_gives_htmx_its_rows(ann: Client) -> None:
    """Only names that hold the text, in either case; htmx gets the rows without the page around them."""
    rows = told(ann, "/live?name=order")["rows"]
    assert {row["name"] for row in rows} == {"Order Completed"}
    part = ann.get("/live", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<table")


def test_a_funnel_counts_each_customer_once(ann: Client) -> None:
    """All of them signed up, looked and bought; the wait is the median of the visits' own times."""
    page = told(ann, "/funnel?steps=Signed+Up%0AProduct+Viewed%0AOrder+Completed")
    steps = page["answer"]["steps"]
    assert [step["customers"] for step in steps] == [PEOPLE] * 3
    assert steps[2]["median_s"] == 60.0


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/funnel?steps=A&within=soon", "expected a duration"),
        ("/funnel?steps=A%7C%7CB", "a step without a name"),
        ("/retention?start=A&period=year", "period"),
    ],
)
def test_a_wrong_question_is_answered_with_a_hint(ann: Client, path: str, says: str) -> None:
    """400, what is wrong in words, and the form with what was typed."""
    answer = ann.get(path)
    assert answer.status_code == 400
    assert says in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["/segments/none", "/campaigns/none", "/campaigns/come_back?version=9", "/nothing"]
)
def test_what_is_not_there_is_404(ann: Client, path: str) -> None:
    """Unknown names, versions and addresses are not found, in words."""
    answer = ann.get(path)
    assert answer.status_code == 404
    assert "Not found" in answer.content.decode()


def test_an_empty_workspace_teaches_the_first_steps(ann: Client, tmp_path: Path) -> None:
    """Without customers Home has the client's snippet with this address and the source's own write key."""
    from django.conf import settings

    from hark.console.source import Source

    key = add_source(tmp_path, "web").write_key
    LogStore(tmp_path / "log").close()
    Engine(tmp_path, SetClock(END)).catch_up()
    before = settings.HARK_SOURCE
    settings.HARK_SOURCE = Source(tmp_path, SetClock(END), "https://hark.example")
    try:
        page = html(ann, "/")
        assert f"analytics.write_key = &quot;{key}&quot;" in page or f'analytics.write_key = "{key}"' in page
        assert 'analytics.host = "https://hark.example"' in page
        assert told(ann, "/")["first_steps"]["campaign"] is False
        lists = ("/live", "/events", "/customers", "/segments", "/campaigns", "/sources", "/rejects")
        for path in (*lists, "/questions", "/definitions", *(one.partition("?")[0] for one in QUESTIONS)):
            assert ann.get(path).status_code == 200, path
    finally:
        settings.HARK_SOURCE = before


def test_every_page_of_the_menu_is_there(ann: Client) -> None:
    """Each entry leads to a page, each page stands once, and the one that is open is marked."""
    from hark.console.menu import PAGES as MENU

    paths = [path for pages in MENU.values() for path in pages.values()]
    assert len(paths) == len(set(paths))
    page = html(ann, "/segments/gone_quiet")
    assert re.findall('<a href="([^"]+)" aria-current="page"', page) == ["/segments"]
    assert set(paths) <= set(re.findall('<li><a href="([^"]+)"', page))
    known = {path.split("?")[0] for path in PAGES + MORE_PAGES}
    assert {ann.get(path).status_code for path in set(paths) - known} <= {200}
