"""The outbox, each message's life, deliverability, and the suppression list, over the shop's sixty days."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hark.store.contracts import OutboxRow
from hark.store.state import open_reader
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


@pytest.fixture
def rows(shop: Path) -> list[OutboxRow]:
    """All of the shop's messages, newest first."""
    return open_reader(shop).outbox(limit=100_000)


def twin(client: Client, path: str) -> Any:
    return client.get(path, headers={"Accept": "application/json"}).json()


def test_the_outbox_pages_through_every_message_once(ann: Client, rows: list[OutboxRow]) -> None:
    """The pages together are the outbox, the newest first, and the counts are those of its states."""
    seen, path = list[str](), "/outbox"
    while path:
        page = twin(ann, path)
        seen += [one["message"] for one in page["rows"]]
        path = f"/outbox?before={page['older']}" if page["older"] else ""
    assert seen == [row.message for row in rows]
    assert dict(page["counts"]) == Counter(row.state for row in rows)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("state=failed", lambda row: row.state == "failed"),
        ("campaign=come_back", lambda row: row.campaign == "come_back"),
        ("channel=sms", lambda _: False),
        ("text=C7@example.com", lambda row: row.content["to"] == "c7@example.com"),
        ("text=mailbox+full", lambda row: "mailbox full" in row.detail),
        ("state=sent&campaign=thank_you", lambda row: (row.state, row.campaign) == ("sent", "thank_you")),
        ("text=%27%25_%22", lambda _: False),
    ],
)
def test_filters_leave_what_fits(ann: Client, rows: list[OutboxRow], query: str, fits: Any) -> None:
    """By state, campaign, channel, and any text of the recipient's address or the provider's words."""
    wanted = [row.message for row in rows if fits(row)][:100]
    assert [one["message"] for one in twin(ann, f"/outbox?{query}")["rows"]] == wanted


def test_a_message_tells_its_life(ann: Client, rows: list[OutboxRow]) -> None:
    """From the wish to the provider's answer, each in a sentence; an unknown id is 404."""
    row = next(row for row in rows if row.state == "failed")
    page = twin(ann, f"/outbox/{row.message}")
    assert [one["name"] for one in page["life"]] == ["Message Wanted", "Message Sending", "Message Failed"]
    assert "mailbox full" in page["life"][-1]["says"]
    assert row.content["to"] in ann.get(f"/outbox/{row.message}").content.decode()
    assert ann.get("/outbox/nothing").status_code == 404


def test_deliverability_counts_by_domain(ann: Client, rows: list[OutboxRow], clock: Any) -> None:
    """The shares are those of the outbox's rows of the last thirty days; what came back stands in words."""
    lately = [row for row in rows if row.updated_at >= clock.at - 30 * 24 * 3_600_000_000]
    states = Counter(row.state for row in lately)
    page = twin(ann, "/deliverability")
    (domain,) = page["domains"]
    assert (domain["fared"]["domain"], domain["fared"]["sent"]) == ("example.com", states["sent"])
    assert domain["fared"]["failed"] == states["failed"] == len(page["came_back"])
    assert ann.get("/deliverability").status_code == 200


def test_addresses_are_suppressed_and_released(ann: Client, collector: Collector) -> None:
    """Both are commands with the person's name; what is no address is refused with what to write."""
    told = ann.post("/suppressed", {"address": "Ada@Example.com", "do": "add", "detail": "by telephone"})
    assert told["Location"] == "/suppressed?handed=ada@example.com"
    ann.post("/suppressed", {"address": "ada@example.com", "do": "release"})
    bodies = [row["body"] for row in collector.rows]
    assert [(one["name"], one["address"]) for one in bodies] == [
        ("suppress", "ada@example.com"),
        ("unsuppress", "ada@example.com"),
    ]
    assert bodies[0]["detail"] == "by telephone"
    assert bodies[0]["author"] == "ann@shop.example"
    refused = ann.post("/suppressed", {"address": "nobody", "do": "add"})
    assert (refused.status_code, len(collector.rows)) == (400, 2)
    assert "That is no address" in refused.content.decode()


def test_the_list_shows_what_is_on_it(ann: Client, monkeypatch: pytest.MonkeyPatch, shop: Path) -> None:
    """With reason, moment and detail; of the erased only that there is one; who left is not released here."""
    from hark.store.contracts import Suppression
    from hark.store.state_reader import StateReader

    listed = [
        Suppression(3, "gone@example.com", "bounced", "", 1_767_225_600_000_000, "email", "550 <gone>"),
        Suppression(3, None, "unsubscribed", "", 1_767_225_600_000_000, "erasure", ""),
        Suppression(3, "left@example.com", "unsubscribed", "news", 1_767_225_600_000_000, "hark", ""),
    ]
    monkeypatch.setattr(StateReader, "suppressions", lambda *_, **__: listed)
    page = ann.get("/suppressed").content.decode()
    assert "550 &lt;gone&gt;" in page
    assert "only its hash is kept" in page
    assert page.count('value="release"') == 1
