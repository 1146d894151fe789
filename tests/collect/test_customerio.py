"""The Customer.io track API: each request is in the log as the call or command that it means."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hark.collect.calls import Call
from hark.collect.formats import split
from hark.model import Kind, Lane
from tests.collect.runner import Collect

ADA = "/api/v1/customers/ada"


def ask(
    collect: Collect, method: str, path: str, body: Any = None, auth: tuple[str, str] = ("sk_web", "")
) -> httpx.Response:
    return httpx.request(
        method, collect.url + path, json=body, auth=auth, trust_env=False, verify=False, timeout=30
    )


def calls(collect: Collect, method: str, path: str, body: Any = None) -> list[Call]:
    """What the request's row, the newest one, says."""
    assert ask(collect, method, path, body).status_code == 200
    return split(collect.rows()[-1])


def test_attributes_are_traits(collect: Collect) -> None:
    """An identified person's attributes are traits; who it was before is the anonymous id."""
    (call,) = calls(
        collect,
        "PUT",
        ADA,
        {"email": "ada@example.com", "plan": {"ü": 1}, "anonymous_id": 7, "_update": True},
    )
    assert (call.kind, call.user_id, call.anonymous_id) == (Kind.IDENTIFY, "ada", "7")
    assert json.loads(call.properties) == {"email": "ada@example.com", "plan": {"ü": 1}}


@pytest.mark.parametrize("id", ["a/b", "ü 1%", "ada@example.com", "..", "a?b#c"])
def test_any_id_is_read_back_from_the_path(collect: Collect, id: str) -> None:
    """The id is quoted in the path, slashes too."""
    quoted = httpx.QueryParams({"q": id})["q"].encode()
    path = "/api/v1/customers/" + "".join(f"%{byte:02X}" for byte in quoted)
    (call,) = calls(collect, "PUT", path, {})
    assert call.user_id == id


def test_unsubscribed_is_an_unsubscribe(collect: Collect) -> None:
    """The attribute `unsubscribed: true` is said as a trait and as leaving every topic."""
    identify, left = calls(collect, "PUT", ADA, {"unsubscribed": True})
    assert (identify.kind, json.loads(identify.properties)) == (Kind.IDENTIFY, {"unsubscribed": True})
    assert (left.name, left.user_id, left.properties) == ("Unsubscribed", "ada", b"{}")
    assert len(calls(collect, "PUT", ADA, {"unsubscribed": False})) == 1
    assert len(calls(collect, "PUT", ADA, {"unsubscribed": True, "batch": [1, "x" * 31_000]})) == 2


@pytest.mark.parametrize(
    ("type", "kind", "name"), [("event", Kind.TRACK, "Opened"), ("page", Kind.PAGE, "Page")]
)
def test_events(collect: Collect, type: str, kind: Kind, name: str) -> None:
    """Name, data, id and time (seconds since 1970) of an event or page arrive."""
    body = {"type": type, "name": "Opened", "data": {"a": [1]}, "id": "m1", "timestamp": 1_767_225_600}
    (call,) = calls(collect, "POST", f"{ADA}/events", body)
    assert (call.kind, call.name, call.user_id, call.message_id) == (kind, name, "ada", "m1")
    assert call.at == 1_767_225_600_000_000
    assert json.loads(call.properties)["a"] == [1]


def test_anonymous_events(collect: Collect) -> None:
    """An event of nobody known belongs to its anonymous id; of nobody at all it is refused."""
    (call,) = calls(collect, "POST", "/api/v1/events", {"name": "Opened", "anonymous_id": "a1"})
    assert (call.user_id, call.anonymous_id) == ("", "a1")
    answer = ask(collect, "POST", "/api/v1/events", {"name": "Opened"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_id")


def test_devices(collect: Collect) -> None:
    """A device is known by its token, without activity; that it is gone is an event."""
    (call,) = calls(collect, "PUT", f"{ADA}/devices", {"device": {"id": "t1", "platform": "ios"}})
    assert (call.kind, call.device_token, call.active) == (Kind.IDENTIFY, "t1", False)
    (call,) = calls(collect, "DELETE", f"{ADA}/devices/t%2F1")
    assert (call.name, json.loads(call.properties), call.active) == (
        "Device Removed",
        {"token": "t/1"},
        False,
    )


def test_merging(collect: Collect) -> None:
    """The secondary becomes the primary, by a call which says that a secret key sent it."""
    body = {"primary": {"id": "ada"}, "secondary": {"email": "old@example.com"}}
    (call,) = calls(collect, "POST", "/api/v1/merge_customers", body)
    assert (call.kind, call.user_id, call.previous_id, call.secret) == (
        Kind.ALIAS,
        "ada",
        "old@example.com",
        True,
    )


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [("DELETE", "", "erase"), ("POST", "/suppress", "suppress"), ("POST", "/unsuppress", "unsuppress")],
)
def test_commands(collect: Collect, method: str, path: str, name: str) -> None:
    """Erasing and suppressing are commands of the urgent lane."""
    assert ask(collect, method, ADA + path).status_code == 200
    row = collect.rows(Lane.URGENT)[-1]
    assert (row.kind, json.loads(row.body)) == (
        "command",
        {"name": name, "customer": "ada", "author": "web"},
    )


@pytest.mark.parametrize(
    ("auth", "status"),
    [
        (("wk_web", "sk_web"), 200),
        (("anything", "sk_web"), 200),
        (("sk_web", "anything"), 200),
        (("wk_web", "anything"), 403),
        (("anything", "wk_web"), 403),
        (("anything", "anything"), 401),
    ],
)
def test_the_key_is_the_password_or_the_user_name(
    collect: Collect, auth: tuple[str, str], status: int
) -> None:
    """Its clients send a site id and a key: the key decides where it is one of ours, else the site id."""
    assert ask(collect, "POST", f"{ADA}/suppress", {}, auth).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", f"{ADA}/events", {"name": 5}, "wrong_type"),
        ("POST", f"{ADA}/events", {}, "no_event"),
        ("POST", f"{ADA}/events", {"name": "x", "type": "dance"}, "unknown_type"),
        ("POST", f"{ADA}/events", {"name": "x", "timestamp": 1e300}, "bad_time"),
        ("POST", f"{ADA}/events", {"name": "x", "timestamp": "soon"}, "bad_time"),
        ("POST", f"{ADA}/events", {"name": "Goal Reached"}, "reserved_name"),
        ("POST", f"{ADA}/events", {"name": "x", "data": [1]}, "wrong_type"),
        ("PUT", f"{ADA}/devices", {}, "wrong_type"),
        ("PUT", f"{ADA}/devices", {"device": {"platform": "ios"}}, "no_id"),
        ("POST", "/api/v1/merge_customers", {"primary": {"id": "a"}}, "wrong_type"),
        ("POST", "/api/v1/merge_customers", {"primary": {"id": "a"}, "secondary": {"cio_id": "b"}}, "no_id"),
    ],
)
def test_what_is_refused(collect: Collect, method: str, path: str, body: Any, code: str) -> None:
    """400 with the reason that the call would have anywhere."""
    answer = ask(collect, method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_the_browsers_settings(collect: Collect) -> None:
    """The browser client is told its key and this very host, so its calls come here too."""
    answer = httpx.get(f"{collect.url}/v1/projects/wk_web/settings", trust_env=False, verify=False)
    segment = answer.json()["integrations"]["Segment.io"]
    assert (answer.status_code, segment["apiKey"]) == (200, "wk_web")
    assert f"{segment['protocol']}://{segment['apiHost']}" == f"{collect.url}/v1"
    assert answer.headers["access-control-allow-origin"] == "*"
    unknown = httpx.get(f"{collect.url}/v1/projects/wk_nobody/settings", trust_env=False, verify=False)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "key_unknown")


def test_the_browsers_metrics_are_let_go(collect: Collect) -> None:
    """`/v1/m` is answered by 200 and leaves no row."""
    before = len(collect.rows())
    assert collect.post("/v1/m", {"series": []}).json() == {"success": True}
    assert len(collect.rows()) == before
