"""What is called sound at a glance is what the contract takes, call by call."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hark.collect.calls import MEMBER_BYTES
from hark.collect.sound import Sound, sound
from tests.collect.test_formats import calls, contexts, is_valid, maybe, moments, objects

usual = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "page", "screen", "identify"]), "userId": st.sampled_from(["ada", 7])},
    optional={"event": st.just("A"), "properties": objects, "context": contexts, "timestamp": moments},
)
GOOD = {
    "type": "track",
    "userId": "ada",
    "event": "A",
    "timestamp": "2026-01-02T03:04:05Z",
    "properties": {"n": 1},
    "context": {"traits": {"plan": "pro"}},
}


def seen(batch: list[Any], **shared: Any) -> Sound | None:
    body = json.dumps({"batch": batch, **shared}).encode()
    raws = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["batch"]
    return sound(body, msgspec.json.decode(raws, type=list[msgspec.Raw]))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(calls | usual | usual | usual, max_size=4), maybe(contexts))
def test_what_is_sound_is_valid(batch: list[dict[str, Any]], shared: Any) -> None:
    """Every call of a batch that is sound counts, and all their names and numbers are told."""
    found = seen(batch, context=shared or {})
    if found:
        assert all(map(is_valid, batch))
        assert found.calls == len(batch)
        assert found.names == {call["event"] for call in batch if call["type"] == "track"}


def test_a_usual_batch_is_sound() -> None:
    """Numbers of properties, traits and contexts, the batch's too, are among what is looked through."""
    identify = {"type": "identify", "anonymousId": "x", "traits": {"m": 22}}
    found = seen([GOOD, identify], context={"k": 333})
    assert found is not None
    assert found.calls == 2
    assert found.names == {"A"}
    assert all(
        part in found.objects for part in (b'{"n": 1}', b'{"plan": "pro"}', b'{"m": 22}', b'{"k": 333}')
    )


@pytest.mark.parametrize(
    "change",
    [
        {"type": None},
        {"type": "dance"},
        {"type": "alias", "previousId": "x"},
        {"type": "group", "groupId": "x"},
        {"userId": None},
        {"userId": ""},
        {"userId": True},
        {"event": None},
        {"event": ""},
        {"event": "Message Sent"},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-01-02T03:04:05"},
        {"timestamp": None, "originalTimestamp": "9999-12-31T23:59:59-23:00x"},
        {"properties": []},
        {"properties": "text"},
        {"context": 3},
        {"context": {"traits": 3}},
        {"context": {"active": "no"}},
        {"properties": {"long": "x" * MEMBER_BYTES}},
    ],
)
def test_what_is_unusual_takes_a_closer_look(change: dict[str, Any]) -> None:
    """One odd call in a batch, or what only some of its kind may say, is never called sound."""
    assert seen([GOOD, GOOD | change]) is None
    assert seen([GOOD, GOOD]) is not None


def test_an_odd_context_of_the_batch_takes_a_closer_look() -> None:
    """What all calls share is looked at as well."""
    assert seen([GOOD], context={"traits": []}) is None
