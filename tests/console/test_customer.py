"""A customer's page: the timeline by filter and page, segments with their reason, sessions, traits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hark.clock import instant
from hark.definitions.document import Document
from hark.model import DAY, MINUTE
from hark.understand.conditions.pace import Passage
from hark.understand.conditions.sequence import Match
from tests.console.shop import END, visits
from tests.console.test_pages import html, last_order, told

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def page(client: Client, number: int, query: str = "") -> Any:
    """The page of the shop's customer of this number."""
    address = client.get(f"/customers?q=customer-{number}")["Location"]
    return told(client, address + query)


def calls(number: int) -> list[tuple[int, str]]:
    """(at, event) of all that a customer did, in order; nothing is later than it was sent."""
    made = [(at, one) for at, sent in visits(number) for one in sent]
    return sorted((min(at, instant(one["timestamp"])), one.get("event", "Identify")) for at, one in made)


def test_the_timeline_is_narrowed_by_event_and_by_who_did_it(ann: Client) -> None:
    """Only orders; only what they did, which is what they sent; only what Hark did, which is facts."""
    whole = page(ann, 7)["timeline"]
    orders = page(ann, 7, "?event=Order+Completed")["timeline"]
    assert orders == [one for one in whole if one["name"] == "Order Completed"]
    did = page(ann, 7, "?only=did")["timeline"]
    assert sorted((one["at"], one["name"]) for one in did) == calls(7)
    assert page(ann, 7, "?only=hark")["timeline"] == [one for one in whole if one not in did]
    assert dict(page(ann, 7)["names"]) == {
        name: sum(one["name"] == name for one in whole) for name in {one["name"] for one in whole}
    }


def test_pages_follow_each_other_through_ties(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page, page after page by their links: every event once, in the order of the whole."""
    from hark.console.pages import customer

    whole = page(ann, 7)
    assert whole["older"] == ""
    monkeypatch.setattr(customer, "ROWS", 3)
    found, older = [], "9" * 16
    while older:
        part = page(ann, 7, f"?before={older}")
        found += part["timeline"]
        older = part["older"]
    assert found == whole["timeline"]


def test_a_segment_says_since_when_and_why(ann: Client) -> None:
    """Whoever is quiet is so because of their orders: so many, the last so long ago, none in the time."""
    number = next(one for one in range(100) if last_order(one) <= END - 7 * DAY)
    (member,) = page(ann, number)["segments"]
    did, did_not = member["because"]["parts"]
    orders = [at for at, event in calls(number) if event == "Order Completed"]
    assert (member["segment"], member["because"]["met"]) == ("gone_quiet", True)
    assert (did["count"], did["last"], did["met"]) == (len(orders), orders[-1], True)
    assert (did_not["inside"], did_not["met"]) == (0, True)
    assert member["since"] == pytest.approx(orders[-1] + 7 * DAY, abs=MINUTE)
    text = html(ann, ann.get(f"/customers?q=customer-{number}")["Location"])
    assert "did not do Order Completed in the last 7 days" in text
    assert "0 in that time" in text


def test_sessions_are_what_lies_between_half_hours(ann: Client) -> None:
    """As many as there are gaps of thirty minutes in what they did, each with its events."""
    ats = [at for at, _ in calls(7)]
    starts = [at for before, at in zip([-DAY, *ats], ats, strict=False) if at - before >= 30 * MINUTE]
    found = page(ann, 7)
    assert found["sessions"] == len(starts)
    assert [one["begun"] for one in found["visits"]] == starts[::-1][:8]
    assert sum(one["events"] for one in found["visits"]) == len(ats)


def test_traits_have_their_history(ann: Client) -> None:
    """Each trait with the values it had, the latest first, which is the one on the customer's page."""
    address = ann.get("/customers?q=customer-7")["Location"]
    traits = {one["name"]: one["values"] for one in told(ann, f"{address}/traits")["traits"]}
    now = {one["name"]: one["value"] for one in told(ann, address)["traits"]}
    assert {name: values[0]["value"] for name, values in traits.items()} == now
    assert traits["email"][0]["source"]
    assert ann.get("/customers/99999/traits").status_code == 404
    assert "Traits and how they came about" in html(ann, f"{address}/traits")


def test_why_and_why_not_has_a_page(ann: Client) -> None:
    """For a campaign in force: what is asked of this customer now, and every decision so far."""
    address = ann.get("/customers?q=customer-7")["Location"]
    name = page(ann, 7)["campaigns"][0]
    found = told(ann, f"{address}/why/{name}")
    assert found["standing"][0]["asks"] == "trigger"
    assert all(line["campaign"] in ("", name) for line in found["lines"])
    assert ann.get(f"{address}/why/nothing").status_code == 404


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept tables: of those who stayed 1 % had ordered 216 s after they signed up, 2 % after 432 s ...; and
    one of a way that nobody goes."""
    from hark.store.state_reader import StateReader

    bodies: list[dict[str, Any]] = [
        {"from": "Signed Up", "to": "Order Completed", "waits": [216 * number for number in range(1, 100)]},
        {"from": "Signed Up", "to": "Invited Friend", "waits": [3600] * 95},
    ]
    added = []
    for body in bodies:
        name = Passage(Match((body["from"],)), Match((body["to"],))).name
        whole = {"pace": name, **body, "day": "2026-03-01", "cases": 60}
        added.append(Document("pace", name, 1, whole))
    documents = StateReader.documents
    monkeypatch.setattr(StateReader, "documents", lambda self: [*documents(self), *added])


def test_the_page_says_how_quickly_they_go_on_against_those_who_stayed(ann: Client, tables: None) -> None:
    """Customer 7 ordered 3 h after signing up, later than 49 % of the others; a step that they wait for comes
    first, with what they did since, the most frequent first."""
    waiting, ordered = page(ann, 7)["paces"]
    assert (ordered["waits"], ordered["seconds"], ordered["percent"]) == (False, 3 * 3600, 49)
    assert (waiting["way"], waiting["waits"]) == ("from Signed Up to Invited Friend", True)
    assert waiting["percent"] == 95, "of as many as went on at all"
    since = [name for _, name in calls(7) if name not in ("Identify", "Signed Up")]
    assert dict(waiting["instead"]) == {name: since.count(name) for name in set(since)}
    shown = html(ann, ann.get("/customers?q=customer-7")["Location"])
    assert "95 % of those who stayed had gone on sooner" in shown
