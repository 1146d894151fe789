"""Rows of other products' exports as calls: Segment's archive (and Hark's own export), and Amplitude's.

Segment (segment.com/docs/connections/storage/catalog/aws-s3): a line is the call as it was sent, its
`timestamp` already corrected for the client's clock. Amplitude (amplitude.com/docs/apis/analytics/export): a
line is an event, and its times are UTC without saying so.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hark.clock import derived_id
from hark.imports.columns import UnusableError, Values, id_text, instant_of, iso, plain
from hark.model import JSON

_KEPT = ("type", "userId", "anonymousId", "groupId", "previousId", "messageId", "event", "name")
_TIMES = ("timestamp", "originalTimestamp", "receivedAt")
_OBJECTS = ("properties", "traits", "context")
_LISTS = ("knownAs",)


class Segment:
    """A call as Segment keeps it. In tables the objects may be texts of JSON."""

    name = "segment"

    def call(self, values: Values, file: str, line: int) -> JSON:
        """Raises UnusableError."""
        given = next(
            (values[key] for key in ("timestamp", "originalTimestamp", "receivedAt") if values.get(key)), None
        )
        at = instant_of(given, "UTC")
        if at is None:
            raise UnusableError(f"no time in timestamp: {given!r}")
        found = {key: values[key] for key in _KEPT if values.get(key) not in (None, "")}
        found |= {key: _object(values[key], key) for key in _OBJECTS if values.get(key) not in (None, "")}
        found |= {key: _decoded(values[key], key) for key in _LISTS if values.get(key) not in (None, "")}
        return {"messageId": derived_id(file, line), **found, "timestamp": iso(at)}


def _decoded(value: Any, key: str) -> JSON:
    if not isinstance(value, str | bytes):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise UnusableError(f"{key} is no JSON: {error}") from None


def _object(value: Any, key: str) -> JSON:
    value = _decoded(value, key)
    if not isinstance(value, dict):
        raise UnusableError(f"{key} is no object")
    return value


class Amplitude:
    """An event as Amplitude exports it; `$identify` becomes an identify call."""

    name = "amplitude"

    def call(self, values: Values, file: str, line: int) -> JSON:
        """Raises UnusableError."""
        event, at = values.get("event_type"), instant_of(values.get("event_time"), "UTC")
        if not isinstance(event, str) or not event:
            raise UnusableError("no event in event_type")
        if at is None:
            raise UnusableError(f"no time in event_time: {values.get('event_time')!r}")
        if event == "$groupidentify":
            raise UnusableError("a group's properties: Amplitude's export does not say which group")
        said = _object(values.get("user_properties") or {}, "user_properties")
        found = {
            **_who(values),
            "messageId": str(values.get("uuid") or values.get("$insert_id") or derived_id(file, line)),
            "timestamp": iso(at),
        }
        context = _context(values)
        if event == "$identify":
            return {"type": "identify", "traits": said, "context": context, **found}
        properties = _object(values.get("event_properties") or {}, "event_properties")
        if said:
            context["traits"] = said
        return {"type": "track", "event": event, "properties": properties, "context": context, **found}


def _who(values: Values) -> dict[str, str]:
    """user_id and device_id; where neither is there Amplitude's own number for the person."""
    user, device, number = (values.get(key) for key in ("user_id", "device_id", "amplitude_id"))
    if user in (None, "") and device in (None, ""):
        if number in (None, ""):
            raise UnusableError("no customer in user_id, device_id or amplitude_id")
        device = f"amplitude:{number}"
    found = {"userId": user, "anonymousId": device}
    return {key: id_text(value) for key, value in found.items() if value not in (None, "")}


_PLACES = {
    "ip_address": ("ip",),
    "language": ("locale",),
    "platform": ("platform",),
    "os_name": ("os", "name"),
    "os_version": ("os", "version"),
    "version_name": ("app", "version"),
    "country": ("location", "country"),
    "region": ("location", "region"),
    "city": ("location", "city"),
    "session_id": ("amplitude", "session_id"),
}
"""Where in a call's context each of Amplitude's columns stands."""


def _context(values: Values) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, (*above, last) in _PLACES.items():
        value = plain(values.get(column))
        if value not in (None, "", -1):
            place = found
            for name in above:
                place = place.setdefault(name, {})
            place[last] = value
    return found
