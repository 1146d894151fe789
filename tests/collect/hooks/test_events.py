"""What each ready mapping makes of the provider's documented payload, and what rules can say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hark.collect.hooks.events import MOST_CALLS, mapped
from hark.collect.hooks.payload import document
from hark.collect.refusals import Refusal
from hark.definitions.mapping import Source
from hark.definitions.parse import parse
from hark.definitions.sources import READY, ready
from hark.model import JSON
from tests.collect.hooks import payloads

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def seen(body: JSON, headers: Mapping[str, str] | None = None, query: str = "") -> dict[str, JSON]:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    given = {name.lower().encode(): value.encode() for name, value in (headers or {}).items()}
    found = document(content, given, query.encode())
    assert not isinstance(found, Refusal)
    return found


def calls(name: str, body: JSON, headers: Mapping[str, str] | None = None) -> list[Any]:
    return mapped(ready(name), seen(body, headers)).calls


def rules(text: str) -> Source:
    (document,) = parse(f"source: shop\nmapping:\n{text}")
    assert isinstance(document.definition, Source)
    return document.definition


ADDRESS = ["anonymous", "email:ada@example.com"]

EXPECTED: dict[str, tuple[JSON, Mapping[str, str], dict[str, Any]]] = {
    "stripe": (
        payloads.STRIPE_CHECKOUT,
        {},
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "ada",
            "messageId": "evt_1QsrCT2NivGZCNxWQeneEbJy",
            "timestamp": "2026-03-02T10:00:00+00:00",
            "knownAs": [["anonymous", "stripe:cus_RmQ2KmdnpWFXIL"], ADDRESS],
            "properties": {
                "order_id": "cs_test_a1ZETwrCoc0wk2QGJfY09FWMu9i7lWa1",
                "revenue": 20.5,
                "currency": "gbp",
                "mode": "payment",
            },
            "context": {"traits": {"email": "ada@example.com", "name": "Ada L"}},
        },
    ),
    "shopify": (
        payloads.SHOPIFY_ORDER,
        payloads.SHOPIFY_HEADERS,
        {
            "type": "track",
            "event": "Order Completed",
            "anonymousId": "shopify:115310627314723954",
            "knownAs": [["anonymous", "shopify:115310627314723954"], ADDRESS],
            "messageId": "98880550-7158-44d4-b7cd-2c97c8a091b5",
            "timestamp": "2026-03-02T05:00:00-05:00",
            "properties": {
                "order_id": "820982911946154508",
                "order_name": "#9999",
                "revenue": 398.0,
                "tax": 0.0,
                "discount": 20.0,
                "currency": "USD",
                "products": [
                    {
                        "product_id": "632910392",
                        "sku": "IPOD-8",
                        "name": "IPod Nano",
                        "price": 199.0,
                        "quantity": 1,
                    }
                ],
            },
            "context": {"traits": {"email": "ada@example.com", "first_name": "Ada", "last_name": "L"}},
        },
    ),
    "typeform": (
        payloads.TYPEFORM,
        {},
        {
            "type": "track",
            "event": "Survey Answered",
            "userId": "ada",
            "messageId": "LtWXD3crgy",
            "timestamp": "2026-03-02T10:01:00+00:00",
            "knownAs": [["anonymous", "typeform:a3a12ec67a1365927098a606107fac15"], ADDRESS],
            "properties": {
                "form_id": "lT4Z3j",
                "form": "What next?",
                "score": 9,
                "answers": {
                    "wish": "faster search",
                    "address": "ada@example.com",
                    "often": "Weekly",
                    "which": ["A", "B"],
                    "stars": 5,
                    "again": False,
                },
            },
        },
    ),
    "calendly": (
        payloads.CALENDLY,
        {},
        {
            "type": "track",
            "event": "Callback Requested",
            "anonymousId": "email:ada@example.com",
            "knownAs": [ADDRESS, ["anonymous", "phone:+447700900123"]],
            "messageId": "invitee.created " + payloads.CALENDLY["payload"]["uri"],
            "timestamp": "2026-03-02T10:02:00+00:00",
            "properties": {
                "name": "Call me back",
                "starts_at": "2026-03-03T09:00:00.000000Z",
                "rescheduled": False,
                "answers": {"About what?": "the invoice"},
            },
            "context": {"traits": {"email": "ada@example.com", "name": "Ada L", "timezone": "Europe/London"}},
        },
    ),
    "ghost": (
        payloads.GHOST,
        {},
        {
            "type": "track",
            "event": "Newsletter Signed Up",
            "anonymousId": "ghost:5ddc9063c35e7700383b27e0",
            "knownAs": [["anonymous", "ghost:5ddc9063c35e7700383b27e0"], ADDRESS],
            "messageId": "added:5ddc9063c35e7700383b27e0",
            "timestamp": "2026-03-02T10:03:00+00:00",
            "properties": {"newsletters": ["Weekly"], "status": "free"},
            "context": {"traits": {"email": "ada@example.com", "name": "Ada L"}},
        },
    ),
    "wordpress": (
        payloads.WORDPRESS,
        FORM,
        {
            "type": "track",
            "event": "Comment Written",
            "anonymousId": "email:ada@example.com",
            "knownAs": [ADDRESS],
            "messageId": "comment:17",
            "timestamp": "2026-03-02T10:04:00+00:00",
            "properties": {
                "comment_id": "17",
                "post_id": "4",
                "reply": False,
                "approved": True,
                "text": "Well said & true",
            },
            "context": {"traits": {"email": "ada@example.com", "name": "Ada L"}},
        },
    ),
    "discourse": (
        payloads.DISCOURSE_POST,
        payloads.DISCOURSE_HEADERS,
        {
            "type": "track",
            "event": "Conversation Joined",
            "anonymousId": "discourse:3",
            "messageId": "post:5",
            "timestamp": "2026-03-02T10:05:00+00:00",
            "properties": {
                "post_id": "5",
                "topic_id": "11",
                "topic": "A question",
                "category_id": 4,
                "text": "I had the same",
            },
        },
    ),
    "twilio": (
        payloads.TWILIO,
        FORM,
        {
            "type": "track",
            "event": "Called",
            "anonymousId": "phone:+447700900123",
            "knownAs": [["anonymous", "phone:+447700900123"]],
            "messageId": "call:CA5f7b1c2e8a1d4e0012c3b4a5d6e7f809",
            "timestamp": "2026-03-02T10:06:00+00:00",
            "properties": {
                "call_id": "CA5f7b1c2e8a1d4e0012c3b4a5d6e7f809",
                "to": "+441632960000",
                "outcome": "completed",
                "duration_s": 62,
            },
            "context": {"traits": {"phone": "+447700900123"}},
        },
    ),
    "zendesk": (
        payloads.ZENDESK,
        {},
        {
            "type": "track",
            "event": "Ticket Opened",
            "anonymousId": "zendesk:8447388090494",
            "messageId": "cbe4028c-7239-495d-b020-f22348516046",
            "timestamp": "2026-03-02T10:07:00.123456+00:00",
            "properties": {
                "ticket_id": "5158",
                "subject": "Cannot log in",
                "text": "It does not start",
                "priority": "LOW",
                "channel": "web_service",
            },
        },
    ),
    "form": (
        "event=Report+Requested&email=Ada%40Example.com&company=Acme&topics=a&topics=b",
        FORM,
        {
            "type": "track",
            "event": "Report Requested",
            "anonymousId": "email:ada@example.com",
            "knownAs": [ADDRESS],
            "properties": {
                "event": "Report Requested",
                "email": "Ada@Example.com",
                "company": "Acme",
                "topics": ["a", "b"],
            },
            "context": {"traits": {"email": "Ada@Example.com"}},
        },
    ),
}


@pytest.mark.parametrize("name", READY)
def test_the_documented_payload_becomes_its_event(name: str) -> None:
    """Every mapping that Hark brings along turns its provider's payload into exactly this call."""
    body, headers, expected = EXPECTED[name]
    (call,) = calls(name, body, headers)
    assert json.loads(json.dumps(call)) == expected


@pytest.mark.parametrize(
    ("name", "body", "headers"),
    [
        ("twilio", payloads.TWILIO.replace("completed", "ringing"), FORM),
        ("wordpress", payloads.WORDPRESS.replace("comment_approved=1", "comment_approved=spam"), FORM),
        ("discourse", {"ping": "OK"}, {"X-Discourse-Event-Type": "ping"}),
        ("ghost", {"event": "post.published", "post": {"current": {}}}, {}),
    ],
)
def test_what_is_no_event_is_passed_over_knowingly(name: str, body: JSON, headers: dict[str, str]) -> None:
    """A call that rings, a spam comment, a ping: a rule knows them, so that nothing is noted."""
    found = mapped(ready(name), seen(body, headers))
    assert (found.known, found.calls) == (True, [])


def test_who_a_guest_is() -> None:
    """Without a customer number nobody gets one by accident: two guests are two people."""
    guest = {**payloads.SHOPIFY_ORDER, "customer": None}
    (call,) = calls("shopify", guest, payloads.SHOPIFY_HEADERS)
    assert (call["anonymousId"], call["knownAs"]) == (ADDRESS[1], [tuple(ADDRESS)])
    (nobody,) = calls("shopify", {**guest, "email": None, "contact_email": None}, payloads.SHOPIFY_HEADERS)
    assert not nobody.keys() & {"userId", "anonymousId", "knownAs"}


def test_who_somebody_is_said_by_services_that_tell_it_apart() -> None:
    """A forum's and a help desk's user events connect their number, the address and your own id."""
    (forum,) = calls("discourse", payloads.DISCOURSE_USER, {"X-Discourse-Event": "user_created"})
    (desk,) = calls("zendesk", payloads.ZENDESK_USER)
    assert (forum["type"], forum["userId"], forum["knownAs"][0]) == (
        "identify",
        "ada",
        ("anonymous", "discourse:3"),
    )
    assert (desk["type"], desk["userId"], desk["knownAs"][0]) == (
        "identify",
        "ada",
        ("anonymous", "zendesk:8447388090494"),
    )


def test_the_first_rule_counts_unless_it_goes_on() -> None:
    """Rules are asked in their order; `continue` lets later ones speak too; what none is for is unknown."""
    source = rules(
        """
  - {when: "body.paid", event: Paid, user: body.u, id: body.id, continue: yes}
  - {when: "body.plan", event: Subscribed, user: body.u, id: body.id}
  - {when: "body.u", event: Seen, user: body.u}
"""
    )
    both = mapped(source, seen({"u": "a", "paid": True, "plan": "pro", "id": "e1"}))
    assert [(call["event"], call["messageId"]) for call in both.calls] == [
        ("Paid", "e1"),
        ("Subscribed", "e1#1"),
    ]
    assert [call["event"] for call in mapped(source, seen({"u": "a", "plan": "x"})).calls] == ["Subscribed"]
    assert not mapped(source, seen({"other": 1})).known


def test_a_list_gives_a_call_for_each_item_and_not_without_end() -> None:
    """`each` goes through a list, at most a hundred of it."""
    source = rules("\n  - {each: body.rows, event: {from: item.what}, user: item.who, id: body.id}\n")
    rows = [{"what": "A", "who": str(number)} for number in range(MOST_CALLS + 5)]
    found = mapped(source, seen({"rows": rows, "id": 7})).calls
    assert len(found) == MOST_CALLS
    assert [call["messageId"] for call in found[:3]] == ["7", "7#1", "7#2"]


@pytest.mark.parametrize("expression", ["to_number(body.list)", "join('', body.number)", "abs(body.text)"])
def test_an_expression_that_does_not_fit_the_payload_gives_nothing(expression: str) -> None:
    """A property that can't be computed is left out; the event is not lost by it."""
    source = rules(f'\n  - {{event: A, user: body.u, properties: {{x: "{expression}", y: body.u}}}}\n')
    (call,) = mapped(source, seen({"u": "a", "list": [], "number": 5, "text": "x"})).calls
    assert call["properties"] == {"y": "a"}


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (1772445600, "2026-03-02T10:00:00+00:00"),
        ("1772445600", "2026-03-02T10:00:00+00:00"),
        (1772445600123, "2026-03-02T10:00:00.123000+00:00"),
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02 11:00:00", "2026-03-02T11:00:00+01:00"),
        ("Mon, 02 Mar 2026 10:00:00 +0000", "2026-03-02T10:00:00+00:00"),
        ("soon", "soon"),
        (None, None),
    ],
)
def test_times_as_providers_write_them(value: JSON, meant: str | None) -> None:
    """Seconds, milliseconds, ISO, RFC 2822, in the mapping's zone; what is no time stays, to be refused."""
    (document,) = parse("source: s\nzone: Europe/Berlin\nmapping: [{event: A, user: body.u, time: body.t}]\n")
    assert isinstance(document.definition, Source)
    (call,) = mapped(document.definition, seen({"u": "a", "t": value})).calls
    assert call.get("timestamp") == meant


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, "broken_json"),
        (b"[" * 100, {}, "too_deep"),
        (b'{"a": 1e999}', {}, "number_out_of_range"),
        (b'{"a": NaN}', {}, "broken_json"),
        (b'{"a": "\xff"}', {}, "invalid_utf8"),
        (b'{"a": "\\ud800"}', {}, "lone_surrogate"),
        (b"a=%ff", FORM, "invalid_utf8"),
        (b"a=1&" * 3_000, FORM, "too_many_events"),
        (b"a=1", {}, "broken_json"),
    ],
)
def test_what_cannot_be_read(body: bytes, headers: dict[str, str], code: str) -> None:
    """A body that is no JSON and no form is refused by its name."""
    given = {name.lower().encode(): value.encode() for name, value in headers.items()}
    found = document(body, given, b"")
    assert isinstance(found, Refusal)
    assert found.reason == code


def test_json_of_any_shape() -> None:
    """A list, a text or a number at the top is a payload too, and so is JSON that is labelled a form."""
    for body in ("[1, 2]", '"text"', "7", "null"):
        assert seen(body)["body"] == json.loads(body)
    assert seen('{"a": 1}', FORM)["body"] == {"a": 1}
    assert seen("{}", {"X-Some-Name": "v"}, "a=1&b=%20")["header"] == {"x_some_name": "v"}
    assert seen("{}", None, "a=1&b=%20")["query"] == {"a": "1", "b": " "}
