"""Everything that is usually meant by engagement arrives, and in one customer's history.

One server, nine services that call it in their documented forms and sign as they do (`payloads`), and three
links of a message. The customer is known to the product by a userId, an e-mail address and a phone number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from hark.app import Workspace
from hark.collect.source_changes import AddHookSecret
from hark.definitions import parse, plan
from hark.speak.keyfile import open_links
from hark.speak.links import Report
from hark.store.state import open_reader
from tests.cast import Server, all_read, eventually, serving
from tests.collect.hooks import payloads

SOURCES = "\n---\n".join(
    [
        *(
            f"source: {name}\nuse: {name}"
            for name in (
                "stripe",
                "shopify",
                "typeform",
                "calendly",
                "ghost",
                "wordpress",
                "discourse",
                "twilio",
                "zendesk",
            )
        ),
        "source: forms\nuse: form",
        """source: social
links:
  mastodon: {event: Followed, network: Mastodon, url: "https://mastodon.example/@shop", says: You follow us}
  fan_page: {event: Became Fan, network: Facebook, url: "https://facebook.example/shop?ref=1"}
  linkedin: {event: Connected, network: LinkedIn, url: "https://linkedin.example/shop"}""",
    ]
)
SECRET = "a-secret-of-theirs"
UNSIGNED = ("wordpress", "forms", "social")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

MEANINGS = {
    "joined a conversation": "Conversation Joined",
    "followed": "Followed",
    "became a fan": "Became Fan",
    "connected": "Connected",
    "commented": "Comment Written",
    "signed up for a newsletter": "Newsletter Signed Up",
    "subscribed": "Subscribed",
    "requested a report": "Report Requested",
    "took a poll": "Survey Answered",
    "called": "Called",
    "asked for a call-back": "Callback Requested",
    "bought": "Order Completed",
    "spoke about it after buying": "Ticket Opened",
}


class Services:
    """The services, each of which calls the server as it does."""

    def __init__(self, server: Server, keys: Mapping[str, str]) -> None:
        self.server, self.keys = server, keys

    def call(self, source: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        url = f"{self.server.url}/hooks/{source}"
        if source in UNSIGNED:
            url += f"?key={self.keys[source]}"
        signed = SIGNATURES[source](content, url) if source in SIGNATURES else {}
        return httpx.post(
            url,
            content=content,
            headers={**(headers or {}), **signed},
            timeout=10,
            trust_env=False,
            verify=False,
        )

    def report(self, link: str, subject: int) -> None:
        """Open the link of a message, look, and press the button."""
        made = open_links(self.server.data, self.server.url).url(Report(subject, "social", link, "m1"))
        shown = eventually(lambda: self.page(made), what="the link's page")
        assert "I have done it" in shown.text
        assert (shown.status_code, "utm_source=hark" in shown.text) == (200, True)
        assert httpx.post(made, timeout=20, trust_env=False, verify=False).status_code == 200

    def page(self, link: str) -> httpx.Response | None:
        """The page behind a link, once the console is there."""
        found = httpx.get(link, timeout=20, trust_env=False, verify=False)
        return None if found.status_code == 503 else found


def mac(message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(SECRET.encode(), message, getattr(hashlib, algorithm)).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def stripe_like(header: str) -> Any:
    def sign(body: bytes, _: str) -> dict[str, str]:
        now = str(int(time.time()))
        return {header: f"t={now},v1={mac(now.encode() + b'.' + body).hex()}"}

    return sign


def ghost(body: bytes, _: str) -> dict[str, str]:
    now = str(int(time.time() * 1000))
    return {"X-Ghost-Signature": f"sha256={mac(body + now.encode()).hex()}, t={now}"}


def zendesk(body: bytes, _: str) -> dict[str, str]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "X-Zendesk-Webhook-Signature": b64(mac(now.encode() + body)),
        "X-Zendesk-Webhook-Signature-Timestamp": now,
    }


def twilio(body: bytes, url: str) -> dict[str, str]:
    fields = sorted(httpx.QueryParams(body.decode()).multi_items())
    return {"X-Twilio-Signature": b64(mac((url + "".join(k + v for k, v in fields)).encode(), "sha1"))}


SIGNATURES: dict[str, Any] = {
    "stripe": stripe_like("Stripe-Signature"),
    "calendly": stripe_like("Calendly-Webhook-Signature"),
    "shopify": lambda body, _: {"X-Shopify-Hmac-Sha256": b64(mac(body))},
    "typeform": lambda body, _: {"Typeform-Signature": "sha256=" + b64(mac(body))},
    "discourse": lambda body, _: {"X-Discourse-Event-Signature": "sha256=" + mac(body).hex()},
    "ghost": ghost,
    "zendesk": zendesk,
    "twilio": twilio,
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("thirteen") / "data"
    with serving(data) as server:
        workspace = Workspace(data)
        names = [*SIGNATURES, *UNSIGNED, "product"]
        keys = {name: workspace.add_source(name).write_key for name in names}
        workspace.command(plan.command(parse.read([("sources.yaml", SOURCES)])))
        for name in SIGNATURES:
            workspace.change_source(AddHookSecret(name, SECRET))
        yield Services(server, keys)


def known(services: Services) -> int:
    """The customer as the product knows them; their number."""
    traits = {"email": payloads.EMAIL, "phone": payloads.PHONE}
    body = {"userId": "ada", "traits": traits}
    assert services.server.post("/v1/identify", body, services.keys["product"]).status_code == 200
    all_read(services.server.data)
    reader = open_reader(services.server.data)
    subject: int = eventually(lambda: reader.find("ada"), what="the product's customer is known")
    return subject


def test_all_thirteen_usual_meanings_of_engagement_arrive(services: Services) -> None:
    """Joining a conversation, following, becoming a fan, connecting, commenting, signing up, subscribing,
    asking for a report, answering a poll, calling, asking for a call-back, buying and speaking about it: all
    are events of the one customer, each counted once however often it is delivered."""
    subject = known(services)
    told: list[tuple[str, Any, Mapping[str, str]]] = [
        (
            "discourse",
            payloads.DISCOURSE_USER,
            {"X-Discourse-Event": "user_created", "X-Discourse-Event-Id": "7"},
        ),
        ("discourse", payloads.DISCOURSE_POST, payloads.DISCOURSE_HEADERS),
        ("wordpress", payloads.WORDPRESS, FORM),
        ("ghost", payloads.GHOST, {}),
        ("stripe", payloads.STRIPE_CHECKOUT, {}),
        ("stripe", payloads.STRIPE_SUBSCRIPTION, {}),
        ("forms", f"event=Report+Requested&email={payloads.EMAIL}&report=pricing", FORM),
        ("typeform", payloads.TYPEFORM, {}),
        ("twilio", payloads.TWILIO, FORM),
        ("calendly", payloads.CALENDLY, {}),
        ("shopify", payloads.SHOPIFY_ORDER, payloads.SHOPIFY_HEADERS),
        ("zendesk", payloads.ZENDESK_USER, {}),
        ("zendesk", payloads.ZENDESK, {}),
    ]
    for source, body, headers in told:
        for _ in range(1 if source == "forms" else 2):
            answer = services.call(source, body, headers)
            assert (answer.status_code, answer.json()["success"]) == (200, True), answer.text
            assert "refused" not in answer.json(), answer.text
    for link in ("mastodon", "fan_page", "linkedin"):
        services.report(link, subject)
        services.report(link, subject)
    names = eventually(lambda: all_there(services), what="all thirteen are in the history")
    once = {name: names.count(name) for name in MEANINGS.values()}
    assert once == {name: 2 if name == "Order Completed" else 1 for name in MEANINGS.values()}
    spoken = [name for name in names if name in ("Order Completed", "Ticket Opened")]
    assert spoken == ["Order Completed", "Order Completed", "Ticket Opened"]


def all_there(services: Services) -> list[str] | None:
    """The names of the customer's events in their order, once none is missing."""
    workspace = Workspace(services.server.data)
    subject = workspace.state().find("ada")
    names = [one.name for one in workspace.snapshot().subject_events(subject)] if subject else []
    return names if set(MEANINGS.values()) <= set(names) else None
