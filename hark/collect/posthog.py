"""What a PostHog client sends, as calls of ours.

| event | becomes |
|---|---|
| `$identify`, `$set` | identify: `$set` are the traits, `$anon_distinct_id` the anonymous id |
| `$create_alias` | alias: `alias` is the other id of `distinct_id` |
| `$groupidentify` | group, of the group alone: its `distinct_id` is the client's invention |
| `$pageview`, `$screen` | page, screen |
| any other | track, with its properties as they came |

`distinct_id` is a userId, or an anonymousId where the event says so (`$process_person_profile` or
`$is_identified` false). `$set` beside an event states traits, `$groups` says in which groups it happened.
`$set_once` stays a property: what stands already is not known here.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from hark.collect.calls import NOTHING, Id, Item, json_object, under
from hark.model import Kind

KIND = "posthog"
"""The kind of rows that hold a body of `POST /batch/` as it came."""


class Batch(Struct):
    """The body: its events, undecoded, and what holds for all of them."""

    batch: list[Raw]
    sent_at: str | None = None
    historical_migration: bool = False
    """A back-fill: what comes in starts nothing."""


class _Event(Struct):
    event: str | None = None
    distinct_id: Id = None
    uuid: Id = None
    timestamp: str | None = None
    properties: Raw = Raw()
    set: Raw = field(default=Raw(), name="$set")


class _Properties(Struct):
    distinct_id: Id = None
    alias: Id = None
    set: Raw = field(default=Raw(), name="$set")
    groups: Raw = field(default=Raw(), name="$groups")
    anonymous_id: Id = field(default=None, name="$anon_distinct_id")
    is_identified: Any = field(default=None, name="$is_identified")
    has_profile: Any = field(default=None, name="$process_person_profile")
    group_type: Id = field(default=None, name="$group_type")
    group_key: Id = field(default=None, name="$group_key")
    group_set: Raw = field(default=Raw(), name="$group_set")
    library: Raw = field(default=Raw(), name="$lib")
    library_version: Raw = field(default=Raw(), name="$lib_version")
    ip: Raw = field(default=Raw(), name="$ip")
    url: Raw = field(default=Raw(), name="$current_url")
    path: Raw = field(default=Raw(), name="$pathname")
    referrer: Raw = field(default=Raw(), name="$referrer")


_KINDS = {
    "$identify": Kind.IDENTIFY,
    "$set": Kind.IDENTIFY,
    "$create_alias": Kind.ALIAS,
    "$groupidentify": Kind.GROUP,
    "$pageview": Kind.PAGE,
    "$screen": Kind.SCREEN,
}
_batch = msgspec.json.Decoder(Batch)
_event = msgspec.json.Decoder(_Event)
_properties = msgspec.json.Decoder(_Properties)


def read_batch(body: bytes) -> Batch:
    """The body of `POST /batch/`. Raises msgspec.ValidationError if it is another."""
    return _batch.decode(body)


def read(raw: bytes) -> tuple[Item, Kind]:
    """One event as a call. Raises InvalidError or msgspec.ValidationError."""
    event = _event.decode(raw)
    own = json_object(event.properties, "properties")
    properties = _properties.decode(own)
    kind = _KINDS.get(event.event or "", Kind.TRACK)
    traits = under(json_object(properties.set, "$set"), json_object(event.set, "$set"))
    item = _item(event, properties, kind, traits)
    if kind in (Kind.TRACK, Kind.PAGE, Kind.SCREEN):
        item.event, item.properties = event.event, Raw(own)
    return item, kind


def _item(event: _Event, properties: _Properties, kind: Kind, traits: bytes) -> Item:
    """The call without the properties of its own."""
    item = Item(message_id=event.uuid, timestamp=event.timestamp)
    if kind is Kind.GROUP:
        item.group_id, item.group_type = properties.group_key, properties.group_type
        item.traits = properties.group_set
    elif kind is Kind.ALIAS:
        item.user_id, item.previous_id = event.distinct_id, properties.alias
    elif properties.is_identified is False or properties.has_profile is False:
        item.anonymous_id = event.distinct_id
    else:
        item.user_id, item.anonymous_id = event.distinct_id, properties.anonymous_id
    if kind is Kind.IDENTIFY:
        item.traits, traits = Raw(traits), NOTHING
    item.context = Raw(_context(properties, traits))
    return item


def _context(properties: _Properties, traits: bytes) -> bytes:
    library = {"name": properties.library, "version": properties.library_version}
    page = {"url": properties.url, "path": properties.path, "referrer": properties.referrer}
    parts: dict[str, Any] = {
        "library": _given(library),
        "page": _given(page),
        "ip": properties.ip,
        "groups": properties.groups,
        "traits": Raw(traits) if traits != NOTHING else Raw(),
    }
    return msgspec.json.encode(_given(parts))


def _given(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part and (type(part) is dict or bytes(part))}
