"""The door of `trigger: {api: yes}`: what a call becomes in the log, and who may call."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hark.collect.formats import split
from hark.model import Kind
from tests.collect.runner import Collect

WELCOME = "/api/v1/campaigns/welcome/trigger"


def call(collect: Collect, body: Any, path: str = WELCOME, key: str = "sk_web") -> httpx.Response:
    return httpx.post(collect.url + path, json=body, auth=(key, ""), trust_env=False, timeout=30)


def test_a_call_is_an_event_of_the_customer(collect: Collect) -> None:
    """It stands in the log as an inactive event under the caller's id, with what the caller gave."""
    body = {"userId": 7, "id": "call-1", "data": {"order": {"id": "o7"}}}
    assert call(collect, body).json() == {"success": True}
    (one,) = split(collect.rows()[-1])
    assert (one.kind, one.name, one.user_id, one.message_id) == (
        Kind.TRACK,
        "Campaign Triggered",
        "7",
        "call-1",
    )
    assert json.loads(one.properties) == {"campaign": "welcome", "data": {"order": {"id": "o7"}}}
    assert not one.active


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": {}}, "no_id"),
        ({"userId": "ada", "data": [1]}, "wrong_type"),
        ({"userId": "ada", "data": "text"}, "wrong_type"),
        ({"userId": ["ada"]}, "wrong_type"),
    ],
)
def test_a_wrong_call_is_refused(collect: Collect, body: Any, code: str) -> None:
    """A call about nobody, or with data that is no object, is 400 and not stored."""
    before = len(collect.rows())
    answer = call(collect, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert len(collect.rows()) == before


def test_only_campaigns_started_by_calls_can_be_called(collect: Collect) -> None:
    """A name that no such campaign has is 404, so that a spelling mistake is seen by the caller."""
    answer = call(collect, {"userId": "ada"}, path="/api/v1/campaigns/welcom/trigger")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_campaign")


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_no_client_can_state_a_call(collect: Collect, path: str) -> None:
    """The event by which a call is known has a reserved name, whatever the key."""
    said = {
        "type": "track",
        "userId": "ada",
        "event": "Campaign Triggered",
        "properties": {"campaign": "welcome"},
    }
    body = {"batch": [said]} if path.endswith("batch") else said
    answer = call(collect, body, path)
    refused = answer.json()["refused"][0]["code"] if path.endswith("batch") else answer.json()["code"]
    assert refused == "reserved_name"
