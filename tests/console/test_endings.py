"""An endpoint that answered 410: left alone over restarts, shown, and opened again by whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from django.test import override_settings

from hark.console.source import Source
from hark.model import MINUTE, Lane
from hark.speak.deliver import Deliverer
from hark.store.contracts import NewRow
from tests.console.collector import Collector
from tests.engine.world import START, World
from tests.speak.letters import HERE, LINKS, PATIENT
from tests.speak.provider import Answering, Provider

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
SECRET = "whsec_" + "bm5u" * 8
TELL = """
campaign: tell_them
transactional: true
trigger: {event: Bought}
reenter: always
steps: [{webhook: {sender: crm}}]
---
sender: crm
channel: webhook
url: URL/one
secret_env: CRM
"""


class Crm:
    """A workspace that tells another system of what is bought; each `buys` is a new start of the engine."""

    def __init__(self, world: World, provider: Provider) -> None:
        self.world, self.provider = world, provider

    def fold(self) -> None:
        state = self.world.reader
        deliver = Deliverer(
            state.documents, LINKS, self.world.clock, secrets={"CRM": SECRET}, timeouts=PATIENT,
            allowed=HERE, ended=state.endings,
        )  # fmt: skip
        engine = self.world.engine(deliver)
        while engine.tick():
            pass
        engine.close()
        self.world.engine(deliver).catch_up()

    def buys(self, order: int) -> str:
        """What became of what the CRM is told."""
        self.world.clock.at += MINUTE
        self.world.track("ada", "Bought", order=order)
        self.fold()
        return max(self.world.reader.outbox(), key=lambda row: row.due_at).state


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    monkeypatch.setenv("CRM", SECRET)
    world = World(tmp_path)
    with Provider() as provider:
        world.define(TELL.replace("URL", provider.url))
        world.identify("ada")
        yield Crm(world, provider)


def test_an_endpoint_that_is_over_stays_so_until_its_url_changes(crm: Crm) -> None:
    """After 410 nothing is posted to it, also by an engine that starts anew; to another URL it is, and the
    old one is still over when it comes back."""
    crm.provider.answers = Answering(410, b"moved away")
    assert [crm.buys(number) for number in range(3)] == ["failed"] * 3
    assert len(crm.provider.taken) == 1
    (last,) = [one for one in crm.world.reader.outbox() if one.due_at == crm.world.clock.at]
    assert "is over since 2026-01-01: 410 moved away" in last.detail
    crm.provider.answers = Answering()
    crm.world.define(TELL.replace("URL/one", f"{crm.provider.url}/two"))
    assert crm.buys(4) == "sent"
    crm.world.define(TELL.replace("URL", crm.provider.url))
    assert crm.buys(5) == "failed"
    assert [one.path for one in crm.provider.taken] == ["/one", "/two"]


def test_the_page_shows_it_and_opens_it_again(crm: Crm, collector: Collector, ann: Client) -> None:
    """Both pages say since when and what was said; the button lets messages go there again, until it answers
    410 anew. Where the log cannot take it nothing changes."""
    from django.conf import settings

    crm.provider.answers = Answering(410, b"moved <away>")
    crm.buys(1)
    found = Source(crm.world.data, settings.HARK_SOURCE.clock, "http://testserver")
    found._control = settings.HARK_SOURCE._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        (line,) = ann.get("/senders?format=json").json()["lines"]
        assert (line["over_at"], line["over_said"]) == (START + MINUTE, "410 moved <away>")
        assert "over</span> since" in ann.get("/senders").content.decode()
        page = ann.get("/senders/crm").content.decode()
        assert "moved &lt;away&gt;" in page and "Send there again" in page
        collector.fails = True
        assert ann.post("/senders/crm").status_code == 503
        collector.fails = False
        assert ann.post("/senders/crm")["Location"] == "/senders/crm?opened=yes"
        (row,) = collector.rows
        body = msgspec.json.encode(row["body"])
        crm.world.clock.at += MINUTE
        crm.world.log.append([NewRow(Lane(row["lane"]), crm.world.clock.at, "hark", row["kind"], body)])
        crm.fold()
        assert "Send there again" not in ann.get("/senders/crm").content.decode()
        assert "over</span>" not in ann.get("/senders").content.decode()
        assert crm.buys(2) == "failed"
        assert len(crm.provider.taken) == 2
        assert "Send there again" in ann.get("/senders/crm").content.decode()
