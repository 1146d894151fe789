"""What Segment and Amplitude export becomes the calls that it was.

The lines have the documented form of each: segment.com/docs/connections/storage/catalog/aws-s3 and
amplitude.com/docs/apis/analytics/export#response-schema.
"""

from __future__ import annotations

from typing import Any

import pytest

from hark.imports.columns import UnusableError
from hark.imports.exports import Amplitude, Segment

TRACKED = {
    "anonymousId": "a1",
    "channel": "server",
    "context": {"library": {"name": "analytics-node", "version": "3.1.0"}, "ip": "203.0.113.9"},
    "event": "Order Completed",
    "integrations": {"All": True},
    "messageId": "ajs-next-1700000000000-4a5b",
    "originalTimestamp": "2026-01-02T03:09:05.678Z",
    "projectId": "5PfXhYvmRr",
    "properties": {"revenue": 20.5, "products": [{"sku": "A"}]},
    "receivedAt": "2026-01-02T03:04:06.700Z",
    "sentAt": "2026-01-02T03:09:06.000Z",
    "timestamp": "2026-01-02T03:04:06.378Z",
    "type": "track",
    "userId": "ada",
    "version": 2,
    "writeKey": "wk",
}
AMPLITUDE = {
    "$insert_id": "5f0adeff-6668-4427-8d02-57d803a2b841",
    "$insert_key": None,
    "$schema": None,
    "amplitude_id": 295336159183,
    "app": 230782,
    "city": "Brighton",
    "client_event_time": "2026-01-02 03:04:05.678000",
    "country": "United Kingdom",
    "data": {"path": "/batch"},
    "device_family": None,
    "device_id": "C8F9E604-F01A-4BD9-95C6-8E5357DF265D",
    "event_id": 12,
    "event_properties": {"revenue": 20.5, "plan": "pro"},
    "event_time": "2026-01-02 03:04:06.378000",
    "event_type": "Order Completed",
    "group_properties": {},
    "groups": {},
    "ip_address": "203.0.113.9",
    "is_attribution_event": None,
    "language": "English",
    "library": "amplitude-js/8.5.0",
    "os_name": "Chrome",
    "os_version": "143",
    "paying": None,
    "platform": "Web",
    "region": "England",
    "server_received_time": "2026-01-02 03:04:06.700000",
    "session_id": 1767323000000,
    "user_id": "ada",
    "user_properties": {"plan": "pro"},
    "uuid": "d4f7a3c2-0001-11f1-8de9-0242ac120002",
    "version_name": None,
}


def test_a_call_as_segment_keeps_it() -> None:
    """The call comes back with its ids, objects and message id, at Segment's corrected time."""
    assert Segment().call(TRACKED, "f", 1) == {
        "type": "track",
        "anonymousId": "a1",
        "userId": "ada",
        "event": "Order Completed",
        "messageId": "ajs-next-1700000000000-4a5b",
        "timestamp": "2026-01-02T03:04:06.378000Z",
        "properties": {"revenue": 20.5, "products": [{"sku": "A"}]},
        "context": {"library": {"name": "analytics-node", "version": "3.1.0"}, "ip": "203.0.113.9"},
    }


def test_objects_may_be_texts_of_json() -> None:
    """In a table (Parquet, CSV) properties, traits and context are texts."""
    row = {**TRACKED, "properties": '{"revenue": 20.5}', "context": "{}", "traits": ""}
    call = Segment().call(row, "f", 1)
    assert (call["properties"], call["context"]) == ({"revenue": 20.5}, {})
    assert "traits" not in call


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"timestamp": "x", "originalTimestamp": None}, "no time in timestamp: 'x'"),
        ({"properties": "{"}, "properties is no JSON"),
        ({"context": [1]}, "context is no object"),
    ],
)
def test_what_segment_would_not_write_is_named(change: dict[str, Any], why: str) -> None:
    """A row that is no call of Segment's says what is wrong with it."""
    with pytest.raises(UnusableError, match=why):
        Segment().call({**TRACKED, **change}, "f", 1)


def test_an_event_as_amplitude_exports_it() -> None:
    """Times are UTC, properties stay, what is known of the person then are traits, uuid is its id."""
    assert Amplitude().call(AMPLITUDE, "f", 1) == {
        "type": "track",
        "event": "Order Completed",
        "userId": "ada",
        "anonymousId": "C8F9E604-F01A-4BD9-95C6-8E5357DF265D",
        "messageId": "d4f7a3c2-0001-11f1-8de9-0242ac120002",
        "timestamp": "2026-01-02T03:04:06.378000Z",
        "properties": {"revenue": 20.5, "plan": "pro"},
        "context": {
            "ip": "203.0.113.9",
            "locale": "English",
            "platform": "Web",
            "os": {"name": "Chrome", "version": "143"},
            "location": {"country": "United Kingdom", "region": "England", "city": "Brighton"},
            "amplitude": {"session_id": 1767323000000},
            "traits": {"plan": "pro"},
        },
    }


def test_amplitudes_identify_is_an_identify_call() -> None:
    """`$identify` says traits and is no event of the customer's."""
    row = {**AMPLITUDE, "event_type": "$identify", "event_properties": {}}
    call = Amplitude().call(row, "f", 1)
    assert (call["type"], call["traits"]) == ("identify", {"plan": "pro"})
    assert "event" not in call


def test_people_whom_only_amplitude_numbers() -> None:
    """Without user and device there is Amplitude's own number, marked as such; with none of them nobody."""
    row = {**AMPLITUDE, "user_id": None, "device_id": ""}
    call = Amplitude().call(row, "f", 1)
    assert (call.get("userId"), call["anonymousId"]) == (None, "amplitude:295336159183")
    with pytest.raises(UnusableError, match="no customer"):
        Amplitude().call({**row, "amplitude_id": None}, "f", 1)
