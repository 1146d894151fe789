"""Every endpoint that takes something, with a valid body: what the table of answers is held against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

CALL = {"userId": "ada", "event": "Opened"}
PERSON = {"userId": "ada", "traits": {"plan": "pro"}}
EVENT = {"distinct_id": "ada", "event": "Opened", "properties": {"a": 1}}


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    body: dict[str, Any]
    secret: bool = False
    """Only a secret key may use it."""
    stored: str = ""
    """Where in the body an object lies that is stored as it came; "" for none."""
    urgent: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def batched(self) -> bool:
        return "batch" in self.body

    @property
    def key(self) -> str:
        """A key that may use it."""
        return "sk_web" if self.secret else "wk_web"

    def sent(self, extra: str = "") -> bytes:
        """The valid body, with one more member (JSON text) at its end."""
        text = json.dumps(self.body)
        more = f'{", " if self.body else ""}"extra": {extra}}}'
        return (text[:-1] + more if extra else text).encode("utf-8", "surrogateescape")

    def with_stored(self, text: str) -> bytes:
        """The body with this JSON text as a value within what is stored."""
        marked = json.loads(json.dumps(self.body))
        place = marked["batch"][0] if self.batched else marked
        place.setdefault(self.stored, {})["number"] = "HERE" if self.stored else None
        return json.dumps(marked).replace('"HERE"', text).encode()


def calls(path: str, short: str, body: dict[str, Any], stored: str) -> list[Endpoint]:
    return [Endpoint("POST", f"/v1/{name}", body, stored=stored) for name in (path, short)]


CUSTOMER = "/api/v1/customers/ada"
SEGMENT = [
    *calls("track", "t", CALL, "properties"),
    *calls("identify", "i", PERSON, "traits"),
    *calls("page", "p", {"userId": "ada", "name": "Home"}, "properties"),
    *calls("screen", "s", {"anonymousId": "a1", "name": "Home"}, "properties"),
    *calls("group", "g", {"userId": "ada", "groupId": "acme", "traits": {"size": 5}}, "traits"),
    *calls("alias", "a", {"userId": "ada", "previousId": "a1"}, "context"),
    *calls("batch", "b", {"batch": [{"type": "track", **CALL}]}, "properties"),
]
POSTHOG = [Endpoint("POST", path, {"batch": [EVENT]}, stored="properties") for path in ("/batch/", "/batch")]
CUSTOMERIO = [
    Endpoint("PUT", CUSTOMER, {"email": "ada@example.com", "plan": {"a": 1}}, stored="plan"),
    Endpoint("POST", f"{CUSTOMER}/events", {"name": "Opened", "data": {"a": 1}}, stored="data"),
    Endpoint("POST", "/api/v1/events", {"anonymous_id": "a1", "name": "Opened"}, stored="data"),
    Endpoint("PUT", f"{CUSTOMER}/devices", {"device": {"id": "t1", "platform": "ios"}}),
    Endpoint("DELETE", f"{CUSTOMER}/devices/t1", {}),
    Endpoint("DELETE", CUSTOMER, {}, secret=True, urgent=True),
    Endpoint("POST", f"{CUSTOMER}/suppress", {}, secret=True, urgent=True),
    Endpoint("POST", f"{CUSTOMER}/unsuppress", {}, secret=True, urgent=True),
    Endpoint(
        "POST", "/api/v1/merge_customers", {"primary": {"id": "ada"}, "secondary": {"id": "b"}}, secret=True
    ),
]
TRIGGER = Endpoint(
    "POST",
    "/api/v1/campaigns/welcome/trigger",
    {"userId": "ada", "data": {"a": 1}},
    secret=True,
    stored="data",
)
"""A call that starts a campaign: `conftest.HOOKS` has it."""
HOOK = Endpoint("POST", "/hooks/web", {"type": "opened", "user": "ada"})
"""A webhook that a key of its source lets in: `conftest.HOOKS` says what it means."""
ENDPOINTS = [*SEGMENT, *POSTHOG, *CUSTOMERIO, TRIGGER, HOOK]
