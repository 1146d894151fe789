"""From a funnel's drop to the people, to a segment of them, to the draft of a campaign."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hark.clock import SetClock, instant
from hark.console.drafts import free, snake
from hark.definitions.parse import definition, parse
from hark.definitions.types import Campaign, Segment
from hark.engine import Engine
from hark.model import DAY, Lane
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.store.state import open_reader
from tests.console.collector import Collector
from tests.console.shop import END, PEOPLE, visits
from tests.console.test_pages import html, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

FUNNEL = "steps=Signed+Up%0AOrder+Completed%0AOrder+Completed&within=12d"
STOPPED = f"/funnel/stopped?{FUNNEL}&step=2"


def stopped_by_hand() -> set[str]:
    """Who ordered just once within 12 days of signing up, of those whose 12 days are over."""
    found = set()
    for number in range(PEOPLE):
        calls = [(instant(one["timestamp"]), one.get("event")) for _, made in visits(number) for one in made]
        signed = min(at for at, event in calls if event == "Signed Up")
        orders = [at for at, event in calls if event == "Order Completed" and at <= signed + 12 * DAY]
        if signed + 12 * DAY < END and len(orders) == 1:
            found.add(f"customer-{number}")
    return found


def test_a_drop_leads_to_the_very_people_who_stopped(ann: Client) -> None:
    """The page behind a drop lists who came so far and no further, as counted by hand; so does its CSV."""
    funnel = told(ann, f"/funnel?{FUNNEL}")["answer"]
    page = told(ann, STOPPED)
    assert set(page["customers"]) == stopped_by_hand()
    assert page["count"] == len(page["customers"]) > 0
    assert page["count"] == funnel["steps"][1]["customers"] - funnel["steps"][2]["customers"]
    lines = ann.get(STOPPED + "&format=csv").content.decode().splitlines()
    assert lines == ["customer", *page["customers"]]
    assert STOPPED.replace("&", "&amp;") in html(ann, f"/funnel?{FUNNEL}")


def test_two_clicks_make_a_segment_and_a_campaign_that_waits(
    ann: Client, shop: Path, collector: Collector, tmp_path: Path
) -> None:
    """What the button hands over is in force once folded: the segment, and a paused campaign whose goal is
    the next step; nobody is written to by it."""
    page = told(ann, STOPPED)
    answer = ann.post(STOPPED, {"do": "campaign"})
    assert answer.status_code == 302
    assert answer["Location"] == f"/saved/campaign/{page['campaign']}/1"
    state = folded(shop, collector, tmp_path)
    documents = {(one.kind, one.name): definition(one) for one in state.documents()}
    segment, campaign = documents["segment", page["segment"]], documents["campaign", page["campaign"]]
    assert isinstance(segment, Segment)
    assert f"Customers who {segment.where.sentence()}." == page["sentence"]
    assert isinstance(campaign, Campaign)
    assert campaign.goal
    assert campaign.paused
    assert (campaign.trigger.enters, campaign.goal.event.names) == (page["segment"], ("Order Completed",))
    assert campaign.goal.within_us == 12 * DAY
    assert campaign.control > 0
    assert [one.author for one in state.documents() if one.name == page["campaign"]] == [
        "ann@shop.example"
    ] * 2
    assert not [row for row in state.outbox() if row.campaign == page["campaign"]]


def folded(shop: Path, collector: Collector, folder: Path) -> Any:
    """The state of a copy of the shop to which the collector's rows have come."""
    copy = folder / "shop"
    shutil.copytree(shop, copy, ignore=shutil.ignore_patterns("run"))
    rows = [
        NewRow(Lane(one["lane"]), END + 1, one["source"], one["kind"], msgspec.json.encode(one["body"]))
        for one in collector.rows
    ]
    with LogStore(copy / "log") as log:
        log.append(rows)
    Engine(copy, SetClock(END + DAY)).catch_up()
    return open_reader(copy)


def test_the_segment_alone(ann: Client, collector: Collector) -> None:
    """The other button hands over the segment and nothing else, under the name that was typed."""
    ann.post(STOPPED, {"do": "segment", "segment": "once_only"})
    (row,) = collector.rows
    (document,) = row["body"]["documents"]
    assert (row["kind"], row["body"]["author"]) == ("command", "ann@shop.example")
    assert (document["kind"], document["name"]) == ("segment", "once_only")


@pytest.mark.parametrize(
    ("typed", "says"),
    [({"segment": "Not A Name"}, "small letters"), ({"do": "campaign", "campaign": "9"}, "small letters")],
)
def test_what_is_typed_wrong_is_said_and_nothing_handed_over(
    ann: Client, collector: Collector, typed: dict[str, str], says: str
) -> None:
    """400, the reason in words, and no command."""
    answer = ann.post(STOPPED, typed)
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert collector.rows == []


def test_a_campaign_is_paused_and_started_by_a_button(ann: Client, collector: Collector) -> None:
    """Pausing hands over the document with `paused`, starting without; who did it is recorded."""
    whole = told(ann, "/definitions/campaign/come_back")["text"]
    assert ann.post("/campaigns/come_back/pause")["Location"] == "/saved/campaign/come_back/2"
    ann.post("/campaigns/come_back/start")
    (row,) = collector.rows  # it is running, so that starting it changes nothing
    body = row["body"]["documents"][0]["body"]
    assert body.pop("paused") == "yes"
    (document,) = parse(whole)
    assert body == document.body
    assert (row["body"]["note"], row["body"]["author"]) == ("paused", "ann@shop.example")
    assert ann.post("/campaigns/none/start").status_code == 404
    assert ann.get("/campaigns/come_back/pause").status_code == 404


@pytest.mark.parametrize(
    ("how", "says"),
    [("rehearse", {"rehearsal": "yes"}), ("start-5", {"ramp": "5%"}), ("start-50", {"ramp": "50%"})],
)
def test_a_campaign_is_rehearsed_and_ramped_by_a_button(
    ann: Client, collector: Collector, how: str, says: dict[str, str]
) -> None:
    """Each hands over the document with that one key, and none of the other ways to be live."""
    whole = told(ann, "/definitions/campaign/come_back")["text"]
    ann.post(f"/campaigns/come_back/{how}")
    (document,) = parse(whole)
    assert collector.rows[0]["body"]["documents"][0]["body"] == document.body | says


def test_a_campaign_ends_by_a_button(ann: Client, collector: Collector) -> None:
    """It ends now; everything else of it stays as it was."""
    ann.post("/campaigns/come_back/end")
    body = collector.rows[0]["body"]["documents"][0]["body"]
    assert body["ends"].endswith("Z")


def test_a_stranger_hands_over_nothing(stranger: Client, ann: Client, collector: Collector) -> None:
    """Without an account, and without the form's token, every door that saves stays shut."""
    from django.test import Client as Browser

    doors = (
        STOPPED,
        "/definitions/new",
        "/definitions/segment/gone_quiet",
        "/questions",
        "/asking/cancel",
        "/campaigns/come_back/start",
    )
    unsafe = Browser(enforce_csrf_checks=True)
    unsafe.cookies = ann.cookies
    for door in doors:
        assert stranger.post(door, {"do": "save"}).status_code == 403, door
        assert unsafe.post(door, {"do": "save"}).status_code == 403, door
    assert collector.rows == []


def test_a_step_that_is_none_has_no_page(ann: Client) -> None:
    """The last step, one beyond it and words are not found; nobody stops after the last."""
    for step in ("0", "3", "9", "two", ""):
        assert ann.get(f"/funnel/stopped?{FUNNEL}&step={step}").status_code == 404, step


def test_names_that_are_made_up() -> None:
    """A made-up name is one of the language, and free."""
    assert snake("Stopped after Order Completed (2)!") == "stopped_after_order_completed_2"
    assert snake("9 lives") == "s_9_lives"
    assert len(snake("x" * 300)) <= 48
    assert free("quiet", ["quiet", "quiet_2"]) == "quiet_3"
    assert free("quiet", []) == "quiet"
