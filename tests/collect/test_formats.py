"""Reading a row as calls: as a plain reading of the JSON would, and the contract's rules of time and ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hark.collect.formats import Call, Refused, members, split
from hark.model import Kind, Lane
from hark.store.contracts import Row

ARRIVED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


NOW = micros(ARRIVED)


def row(kind: str, body: Any, refused: bytes = b"") -> Row:
    return Row(7, Lane.LIVE, NOW, "web", kind, json.dumps(body).encode(), refused)


def only(kind: str, body: Any) -> Call:
    (call,) = split(row(kind, body))
    return call


def refusal(kind: str, body: Any) -> str:
    (member,) = members(row(kind, body))
    assert isinstance(member, Refused)
    return str(member.reason)


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=5), deeper, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=8), values, max_size=4)
ids = (
    st.none()
    | st.text(max_size=6)
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
)
wrong = st.booleans() | st.lists(st.integers(), max_size=2)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "active": st.booleans(),
        "traits": objects,
        "groupId": ids,
        "ip": st.text(max_size=5),
        "page": objects,
    },
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    datetime.isoformat
)


def maybe(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | kind


calls = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "track", "identify", "page", "screen", "group", "alias", "dance"]),
        "userId": ids | wrong,
        "anonymousId": ids,
        "groupId": ids,
        "previousId": ids,
        "messageId": ids,
        "event": maybe(st.text(max_size=8)) | wrong,
        "timestamp": maybe(moments | st.text(max_size=5)),
        "originalTimestamp": maybe(moments),
        "properties": maybe(objects) | wrong,
        "traits": maybe(objects) | wrong,
        "context": maybe(contexts) | wrong,
        "integrations": objects,
    },
)


KINDS = ["track", "identify", "page", "screen", "group", "alias"]
IDS = ["userId", "anonymousId", "groupId", "previousId", "messageId"]


def text(value: Any) -> str:
    return "" if value is None else str(value)


def is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def moment(call: dict[str, Any]) -> int | None:
    """When the call says it happened, at most its arrival; None: it says no such thing."""
    said = call.get("timestamp") or call.get("originalTimestamp")
    try:
        return min(micros(datetime.fromisoformat(said)), NOW) if said else NOW
    except (ValueError, TypeError):
        return None


def is_valid(call: dict[str, Any]) -> bool:
    """Whether the contract takes the call."""
    kind = call.get("type")
    read = ["properties", "context"] + (["traits"] if kind in ("identify", "group") else [])
    needed = {"track": ["event"], "group": ["groupId"], "alias": ["userId", "previousId"]}
    return (
        kind in KINDS
        and all(is_id(call.get(name)) for name in IDS)
        and bool(text(call.get("userId")) or text(call.get("anonymousId")))
        and all(isinstance(call.get(name), dict | None) for name in read)
        and isinstance(call.get("event"), str | None)
        and all(text(call.get(name)) for name in needed.get(kind, []))
        and moment(call) is not None
    )


def naive(call: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any] | None:
    """What the contract says about one call, read slowly from plain Python objects; None: it is refused."""
    if not is_valid(call):
        return None
    kind = call["type"]
    context = shared | (call.get("context") or {})
    own_traits = kind in ("identify", "group")
    return {
        "kind": KINDS.index(kind),
        "name": call["event"] if kind == "track" else kind.capitalize(),
        "user": text(call.get("userId")),
        "anonymous": text(call.get("anonymousId")),
        "message": text(call.get("messageId")),
        "at": moment(call),
        "properties": (call.get("traits") if own_traits else call.get("properties")) or {},
        "context": context,
        "traits": (context.get("traits") or {}) | ((kind == "identify" and call.get("traits")) or {}),
        "active": context.get("active") is not False,
        "group": text(call.get("groupId") if kind == "group" else context.get("groupId")),
        "previous": text(call.get("previousId")) if kind == "alias" else "",
    }


def plain(call: Call) -> dict[str, Any]:
    return {
        "kind": int(call.kind),
        "name": call.name,
        "user": call.user_id,
        "anonymous": call.anonymous_id,
        "message": call.message_id,
        "at": call.at,
        "properties": json.loads(call.properties),
        "context": json.loads(call.context),
        "traits": json.loads(call.traits),
        "active": call.active,
        "group": call.group_id,
        "previous": call.previous_id,
    }


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(calls, max_size=6), maybe(contexts))
def test_a_batch_is_read_as_plain_json_would_be(batch: list[dict[str, Any]], shared: Any) -> None:
    """Every member of a batch, valid or refused, comes out as a slow reading of the same JSON says."""
    found = members(row("batch", {"batch": batch, "context": shared}))
    expected = [naive(call, shared or {}) for call in batch]
    assert [plain(one) if isinstance(one, Call) else None for one in found] == expected
    assert [one.member for one in found] == list(range(len(batch)))


@given(calls)
def test_a_call_alone_is_the_call_in_a_batch(call: dict[str, Any]) -> None:
    """A call posted alone means what it means as the only member of a batch."""
    kind = call.get("type", "")
    if kind in ("track", "identify", "page", "screen", "group", "alias"):
        (alone,), (together,) = members(row(kind, call)), members(row("batch", {"batch": [call]}))
        assert alone == together or (
            isinstance(alone, Refused) and isinstance(together, Refused) and alone.reason == together.reason
        )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(calls, min_size=1, max_size=6), st.data())
def test_split_leaves_out_what_was_refused(batch: list[dict[str, Any]], data: st.DataObject) -> None:
    """`split` gives the valid members that the row does not name as refused, under their own numbers."""
    refused = data.draw(st.sets(st.integers(0, len(batch) - 1)))
    given_row = row("batch", {"batch": batch}, json.dumps(sorted(refused)).encode())
    valid = [one for one in members(given_row) if isinstance(one, Call)]
    assert split(given_row) == [one for one in valid if one.member not in refused]


CALL = {"userId": "ada", "event": "Opened"}


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "at"),
    [
        ("2026-03-01T11:00:00Z", None, "2026-03-01T11:00:00Z"),
        ("2026-03-01T11:00:00.123456Z", None, "2026-03-01T11:00:00.123456Z"),
        ("2026-03-01T12:00:00+02:00", None, "2026-03-01T10:00:00Z"),
        ("2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T11:00:00Z"),
        ("2026-03-01T11:00:00Z", "2026-03-01T12:01:00Z", "2026-03-01T11:00:00Z"),
        ("2026-03-01T11:00:00Z", "2026-03-01T12:01:00.000001Z", "2026-03-01T10:58:59.999999Z"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:10:00Z", "2026-03-01T11:50:00Z"),
        ("2026-03-01T13:00:00Z", None, "2026-03-01T12:00:00Z"),
        ("2026-03-01T13:00:00Z", "2026-03-01T12:00:30Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T11:00:00Z", "nonsense", "2026-03-01T11:00:00Z"),
        (None, "2020-01-01T00:00:00Z", "2026-03-01T12:00:00Z"),
    ],
)
def test_event_time(timestamp: str | None, sent_at: str | None, at: str) -> None:
    """The caller's time; corrected only for a clock over 60 s wrong; never in the future."""
    call = only("track", {**CALL, "timestamp": timestamp, "sentAt": sent_at})
    together = split(
        row("batch", {"batch": [{"type": "track", **CALL, "timestamp": timestamp}], "sentAt": sent_at})
    )
    assert call.at == together[0].at == micros(datetime.fromisoformat(at))


def test_the_callers_time_is_timestamp() -> None:
    """RudderStack's Node client keeps the caller's time in `timestamp` and adds `originalTimestamp`, the
    time of the call; without the caller's, that is the event's time."""
    both = {"originalTimestamp": "2026-02-01T00:00:00Z", "timestamp": "2026-01-01T00:00:00Z"}
    assert only("track", {**CALL, **both}).at == micros(datetime(2026, 1, 1, tzinfo=UTC))
    del both["timestamp"]
    assert only("track", {**CALL, **both}).at == micros(datetime(2026, 2, 1, tzinfo=UTC))


def test_traits_in_the_context_of_an_identify_call() -> None:
    """RudderStack's Python client sends an identify call's traits in its context only."""
    call = only("identify", {"userId": "a", "context": {"traits": {"plan": "pro", "age": 1}}})
    assert json.loads(call.traits) == {"plan": "pro", "age": 1}
    call = only("identify", {"userId": "a", "traits": {"age": 2}, "context": {"traits": {"age": 1, "x": 3}}})
    assert (json.loads(call.properties), json.loads(call.traits)) == ({"age": 2}, {"age": 2, "x": 3})


def test_groups_and_devices() -> None:
    """A group call names its group and what sort it is; other calls say in which groups they happened."""
    call = only("group", {"userId": "a", "groupId": 7, "groupType": "team", "traits": {"size": 3}})
    assert (call.group_id, call.group_type, json.loads(call.properties)) == ("7", "team", {"size": 3})
    context = {"groupId": "acme", "groupType": "account", "groups": {"team": "x", "none": None}}
    call = only("track", {**CALL, "context": {**context, "device": {"token": "t1", "type": "ios"}}})
    assert (call.group_id, call.group_type, call.groups) == ("acme", "account", (("team", "x"),))
    assert call.device_token == "t1"


@pytest.mark.parametrize("odd", [{"device": "phone"}, {"groups": [1]}, {"device": {"token": {}}}])
def test_odd_devices_and_groups_say_nothing(odd: dict[str, Any]) -> None:
    """Clients fill contexts with what they like: that costs no event."""
    call = only("track", {**CALL, "context": odd})
    assert (call.groups, call.device_token) == ((), "")


def test_a_secret_keys_calls_say_so() -> None:
    """A row's kind tells whether a secret key sent it: only then an alias may merge two known customers."""
    alias = {"userId": "a", "previousId": "b"}
    assert not only("alias", alias).secret
    assert only("alias+secret", alias).secret
    assert only("batch+secret", {"batch": [{"type": "alias", **alias}]}).secret


def test_what_is_imported_was_known_at_its_own_time() -> None:
    """An import's events are known at their own time and not corrected; a batch's when they arrived."""
    body = {
        "batch": [{"type": "track", **CALL, "timestamp": "2020-01-01T00:00:00Z"}],
        "sentAt": "2020-01-02T00:00:00Z",
    }
    (imported,) = split(row("import", {"batch": body["batch"], "sentAt": body["sentAt"]}))
    assert imported.at == imported.known_at == micros(datetime(2020, 1, 1, tzinfo=UTC))
    (collected,) = split(row("batch", {"batch": body["batch"]}))
    assert (collected.at, collected.known_at) == (imported.at, NOW)


def test_reserved_names_are_refused_in_imports_too() -> None:
    """An import can't write Hark's own facts into a history."""
    assert (
        refusal("import", {"batch": [{"type": "track", "userId": "a", "event": "Message Sent"}]})
        == "reserved_name"
    )


def test_ids_that_are_numbers_become_text() -> None:
    """12 and "12" are the same customer."""
    assert (
        only("track", {**CALL, "userId": 12}).user_id
        == only("track", {**CALL, "userId": "12"}).user_id
        == "12"
    )


def test_the_batchs_context_lies_under_the_calls_own() -> None:
    """Keys of the batch's context hold where the call's own context does not have them."""
    shared = {"locale": "en", "ip": "1.1.1.1", "active": False}
    batch = [
        {"type": "track", **CALL},
        {"type": "track", **CALL, "context": {"ip": "2.2.2.2", "active": True}},
    ]
    first, second = split(row("batch", {"batch": batch, "context": shared}))
    assert (json.loads(first.context), first.active) == (shared, False)
    assert (json.loads(second.context), second.active) == (
        {"locale": "en", "ip": "2.2.2.2", "active": True},
        True,
    )


def test_properties_stay_the_bytes_that_came() -> None:
    """Properties are not decoded and encoded again: spaces, order and number forms are kept."""
    body = b'{"userId":"a","event":"x","properties":{ "z": 1.50, "a":[ ] }}'
    (call,) = split(Row(1, Lane.LIVE, NOW, "web", "track", body))
    assert call.properties == b'{ "z": 1.50, "a":[ ] }'


def test_a_pages_name_is_a_property() -> None:
    """`page("Pricing")` gives an event Page with the property name, unless the properties say another."""
    call = only("page", {"userId": "a", "name": "Pricing", "properties": {"path": "/p"}})
    assert (call.name, json.loads(call.properties)) == ("Page", {"name": "Pricing", "path": "/p"})
    assert json.loads(only("page", {"userId": "a", "name": "A", "properties": {"name": "B"}}).properties) == {
        "name": "B"
    }


def test_a_track_calls_traits_come_from_its_context() -> None:
    """`context.traits` updates traits by any call, and `context.groupId` names the group."""
    call = only("track", {**CALL, "context": {"traits": {"plan": "pro"}, "groupId": 7}})
    assert (json.loads(call.traits), call.group_id, call.kind) == ({"plan": "pro"}, "7", Kind.TRACK)
