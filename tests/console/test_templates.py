"""Templates as a customer would get them: for a sample and a real one, in a frame that runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hark.clock import SetClock
from hark.definitions.document import Document
from hark.errors import HarkError
from hark.previews import send_test, traits_of
from hark.speak.catcher import Catcher
from hark.speak.preview import About
from hark.store.state import StateReader, open_reader
from tests.speak.test_places import FORMS, LITERALS, packets, url_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
HTML = "<body><script>alert(1)</script><p>Dear {{ customer.first_name }}, {{ data.percent }} off.</p></body>"


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more template is in force, as if it had been saved."""
    real = StateReader.documents
    body = {"template": "offer", "channel": "email", "subject": "For {{ customer.first_name }}", "html": HTML}
    monkeypatch.setattr(
        StateReader, "documents", lambda self: [*real(self), Document("template", "offer", 1, body)]
    )
    yield


def twin(client: Client, path: str) -> Any:
    return client.get(path, headers={"Accept": "application/json"}).json()


def test_a_template_is_shown_for_a_sample_and_for_a_customer(ann: Client, offered: None) -> None:
    """The values are the customer's and those given; without one of them it says what is missing."""
    ask = "/templates/offer?data=%7B%22percent%22%3A10%7D"
    assert twin(ann, ask)["subject"] == "For Ada"
    assert twin(ann, f"{ask}&customer=customer-3")["subject"] == "For Tomas"
    assert twin(ann, "/templates/offer")["why_not"] == "missing_variable: data.percent"
    assert "There would be no message" in ann.get("/templates/offer").content.decode()
    assert [one["name"] for one in twin(ann, "/templates")["lines"]] == ["offer", "whats_new"]


def test_what_is_asked_wrong_is_said(ann: Client, offered: None) -> None:
    """An unknown customer, and data that are none, are named; an unknown template is 404."""
    assert "nobody is known as nobody" in twin(ann, "/templates/offer?customer=nobody")["problem"]
    assert "event is no JSON object" in twin(ann, "/templates/offer?event=%5B1%5D")["problem"]
    assert ann.get("/templates/gone").status_code == 404


def test_the_frame_runs_nothing(ann: Client, offered: None) -> None:
    """The HTML as it is, under a policy without scripts, forms and strangers; only our own page frames it."""
    answer = ann.get("/templates/offer/frame?data=%7B%22percent%22%3A10%7D")
    assert "Dear Ada, 10 off." in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert ann.get("/templates/offer/frame").status_code == 404
    page = ann.get("/templates/offer?data=%7B%22percent%22%3A10%7D").content.decode()
    assert page.count("<iframe") == page.count(" sandbox ") == 3


def test_without_a_sender_the_test_says_so(ann: Client, offered: None) -> None:
    """The page says what to do, and nothing is written anywhere."""
    told = ann.post("/templates/offer?data=%7B%22percent%22%3A10%7D", {"to": "ann@shop.example"})
    assert told.status_code == 400
    assert "no sender for email" in told.content.decode()


def test_a_test_goes_out_and_stands_in_no_history(
    shop: Path, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    """By the real sender, for a real customer, to the address named; its links do nothing."""
    state = open_reader(shop)
    before = state.outbox_counts()
    with Catcher() as catcher:
        body = {
            "sender": "post",
            "address": "Shop <hello@shop.example>",
            "host": "127.0.0.1",
            "port": catcher.port,
        }
        real = state.documents()
        monkeypatch.setattr(state, "documents", lambda: [*real, Document("sender", "post", 1, body)])
        about = About(traits_of(state, "customer-3"), topic="news")
        send_test(state, "whats_new", about, "ann@shop.example", ["127.0.0.1"], clock)
        with pytest.raises(HarkError, match="not an address of the open internet"):
            send_test(state, "whats_new", about, "ann@shop.example", [], clock)
    (caught,) = catcher.caught
    assert caught.recipients == ("ann@shop.example",)
    text = caught.message().get_content()
    assert "Hello Tomas" in text
    assert "https://preview.invalid/u/" in text
    assert state.outbox_counts() == before


assert packets  # the fixture of that file


def test_a_test_goes_to_no_hostile_place(
    shop: Path, monkeypatch: pytest.MonkeyPatch, clock: SetClock, packets: list[object]
) -> None:
    """Whatever a sender names as its host or its provider's base, a test of it sends no packet inside."""
    state = open_reader(shop)
    real, about = state.documents(), About(traits_of(state, "customer-3"), topic="news")
    monkeypatch.setenv("HARK_TEST_KEY", "k")
    named = [{"host": host} for host in LITERALS]
    by_api = {"provider": "postmark", "secret_env": "HARK_TEST_KEY"}
    named += [{**by_api, "url": url} for url in [*FORMS, *map(url_of, LITERALS)]]
    for body in named:
        post = Document("sender", "post", 1, {"address": "Shop <hello@shop.example>", **body})
        monkeypatch.setattr(state, "documents", lambda post=post: [*real, post])
        with pytest.raises(HarkError, match=r"the test was not sent|an https URL|as the place"):
            send_test(state, "whats_new", about, "ann@shop.example", [], clock)
        assert packets == [], body
