"""A PostHog body as calls: the bodies are what posthog-node 5.70.0 and posthog 7.91.1 sent when run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hark.collect.formats import Call, Refused, members
from hark.model import Kind, Lane
from hark.store.contracts import Row

ARRIVED = int(datetime(2026, 11, 23, 15, 36, tzinfo=UTC).timestamp()) * 1_000_000
UUID = "01a2090b-ecf2-7a52-aa6e-d17548ff3945"
SERVER = {"$lib": "posthog-node", "$lib_version": "5.70.0", "$is_server": True, "$geoip_disable": True}


def member(event: dict[str, Any], **body: Any) -> Call | Refused:
    given = {"batch": [event], "api_key": "wk", "sent_at": "2026-11-23T15:35:59Z", **body}
    (found,) = members(Row(1, Lane.LIVE, ARRIVED, "web", "posthog", json.dumps(given).encode()))
    return found


def call(event: dict[str, Any], **body: Any) -> Call:
    found = member({"uuid": UUID, "distinct_id": "ada", **event}, **body)
    assert isinstance(found, Call), found
    return found


def test_an_event_is_a_track_call() -> None:
    """Name, user, uuid, time and all properties come as they were sent."""
    properties = {"a": {"b": [1, None, "€"]}, "$groups": {"company": "acme"}, **SERVER}
    found = call({"event": "Ö", "properties": properties, "timestamp": "2026-01-01T00:00:00.000Z"})
    assert (found.kind, found.name, found.user_id, found.anonymous_id) == (Kind.TRACK, "Ö", "ada", "")
    assert (found.message_id, json.loads(found.properties)) == (UUID, properties)
    assert found.at == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    assert found.groups == (("company", "acme"),)
    assert json.loads(found.context)["library"] == {"name": "posthog-node", "version": "5.70.0"}


@pytest.mark.parametrize(
    "event",
    [
        {"event": "$identify", "properties": {"$set": {"plan": "pro"}, "$set_once": {}, **SERVER}},
        {"event": "$set", "$set": {"plan": "pro"}, "properties": SERVER},
    ],
)
def test_who_somebody_is(event: dict[str, Any]) -> None:
    """`$identify` (Node) and `$set` (Python, beside the properties) are identify calls with these traits."""
    found = call(event)
    assert (found.kind, found.user_id, json.loads(found.properties)) == (
        Kind.IDENTIFY,
        "ada",
        {"plan": "pro"},
    )
    assert json.loads(found.traits) == {"plan": "pro"}


def test_the_anonymous_id_before_the_sign_in() -> None:
    """A browser's `$identify` says who the anonymous visitor was."""
    found = call({"event": "$identify", "properties": {"$anon_distinct_id": "anon", "$set": {}}})
    assert (found.user_id, found.anonymous_id) == ("ada", "anon")


def test_two_ids_of_one_customer() -> None:
    """`$create_alias`: `alias` is another id of `distinct_id`'s customer, as PostHog merges them."""
    found = call({"event": "$create_alias", "properties": {"distinct_id": "ada", "alias": "anon1"}})
    assert (found.kind, found.user_id, found.previous_id) == (Kind.ALIAS, "ada", "anon1")


@pytest.mark.parametrize("invented", ["$company_acme", "fa2dd39a-d29a-42e4-8dff-48b473c2dac5"])
def test_a_groups_traits(invented: str) -> None:
    """`$groupidentify` is about the group alone: its distinct_id is made up by the client."""
    about = {"$group_type": "company", "$group_key": "acme", "$group_set": {"employees": 5}}
    found = call({"event": "$groupidentify", "properties": {**about, **SERVER}, "distinct_id": invented})
    assert (found.kind, found.user_id, found.anonymous_id) == (Kind.GROUP, "", "")
    assert (found.group_type, found.group_id, json.loads(found.properties)) == (
        "company",
        "acme",
        {"employees": 5},
    )


@pytest.mark.parametrize("mark", ["$process_person_profile", "$is_identified"])
def test_who_is_not_known_is_anonymous(mark: str) -> None:
    """An event without a profile, or from before the sign-in, has an anonymous id."""
    found = call({"event": "x", "properties": {mark: False}})
    assert (found.user_id, found.anonymous_id) == ("", "ada")


def test_traits_beside_an_event() -> None:
    """`$set` of any other event states traits; the event keeps its properties."""
    found = call({"event": "x", "properties": {"$set": {"plan": "pro"}, "a": 1}})
    assert json.loads(found.traits) == json.loads(found.context)["traits"] == {"plan": "pro"}
    assert json.loads(found.properties) == {"$set": {"plan": "pro"}, "a": 1}


@pytest.mark.parametrize(("name", "kind"), [("$pageview", Kind.PAGE), ("$screen", Kind.SCREEN)])
def test_pages_and_screens(name: str, kind: Kind) -> None:
    """Page views are page calls, with the address in the context too."""
    found = call({"event": name, "properties": {"$current_url": "https://shop.example/"}})
    assert (found.kind, json.loads(found.context)["page"]) == (kind, {"url": "https://shop.example/"})
    assert json.loads(found.properties) == {"$current_url": "https://shop.example/"}


def test_a_back_fill_starts_nothing() -> None:
    """What is marked as historical was known at its own time, as an import."""
    when = {"event": "x", "timestamp": "2020-01-01T00:00:00Z"}
    assert call(when).known_at == ARRIVED
    old = call(when, historical_migration=True)
    assert old.known_at == old.at < ARRIVED


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"event": "x"}, "no_id"),
        ({"distinct_id": "a"}, "no_event"),
        ({"event": "Goal Reached", "distinct_id": "a"}, "reserved_name"),
        ({"event": "x", "distinct_id": "a", "timestamp": "soon"}, "bad_time"),
        ({"event": "x", "distinct_id": "a", "properties": 5}, "wrong_type"),
        ({"event": "$groupidentify", "distinct_id": "a"}, "no_id"),
        ({"event": "$create_alias", "distinct_id": "a"}, "no_id"),
        ({"event": "x", "distinct_id": {}}, "wrong_type"),
        (5, "wrong_type"),
    ],
)
def test_what_is_refused(event: Any, reason: str) -> None:
    """An event is refused by the reasons of other calls, with how it began."""
    found = member(event)
    assert isinstance(found, Refused)
    assert (found.reason, found.excerpt) == (reason, json.dumps(event).encode())
