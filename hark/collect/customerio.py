"""The Customer.io track API as calls and commands of ours: steps which take the place of reading a call.

A request says in its path whom it is about and in its body what; each step here makes of both the body of
one of our calls, which then goes the way of all calls. The key may be the Basic password (where its clients
send their secret) or the user name.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from hark.collect import steps
from hark.collect.calls import NOTHING, Id, InvalidError, json_object, text
from hark.collect.refusals import MemberReason, Reason, Refusal
from hark.collect.steps import Context, Request, Step
from hark.model import ConsentName, Lane

Fields: TypeAlias = dict[str, Raw]

_EVENTS = {"event": "track", "page": "page", "screen": "screen"}
_OURS = ("anonymous_id", "cio_subscription_preferences", "_update", "_timestamp")
"""Attributes that are no traits."""


class _Event(Struct):
    name: str | None = None
    type: str | None = "event"
    id: Id = None
    anonymous_id: Id = None
    timestamp: int | float | str | None = None
    data: Raw = Raw()


class _Device(Struct):
    id: Id = None
    platform: str | None = None


class _DeviceOf(Struct):
    device: _Device


class _Ids(Struct):
    id: Id = None
    email: Id = None


class _Merge(Struct):
    primary: _Ids
    secondary: _Ids


_attributes = msgspec.json.Decoder(Fields)
_event = msgspec.json.Decoder(_Event)
_device = msgspec.json.Decoder(_DeviceOf)
_merge = msgspec.json.Decoder(_Merge)
_plain = msgspec.json.Decoder()


def add_empty_body(request: Request, _: Context) -> Refusal | None:
    """A DELETE may come without a body."""
    request.body = request.body or NOTHING
    return None


def add_site_key(request: Request, context: Context) -> Refusal | None:
    """The Basic password if it is a key of ours, else the key wherever other clients have it."""
    password = _password(request.headers.get(b"authorization", b""))
    if password and context.sources.find(password):
        request.key = password
        return None
    return steps.add_key(request, context)


def add_identify(request: Request, _: Context) -> Refusal | None:
    """Attributes are traits; `anonymous_id` is who it was before; `unsubscribed` leaves every topic."""
    given = _attributes.decode(request.body)
    who = {"userId": request.params["id"], "anonymousId": given.get("anonymous_id")}
    traits = {name: value for name, value in given.items() if name not in _OURS}
    call = {"type": "identify", **who, "traits": traits}
    if _is_true(given.get("unsubscribed")):
        left = {"type": "track", **who, "event": ConsentName.UNSUBSCRIBED}
        _becomes(request, "batch", {"batch": [call, left]})
    else:
        _becomes(request, "identify", call)
    return None


def add_event(request: Request, _: Context) -> Refusal | None:
    """An event, page or screen; `timestamp` is in seconds since 1970, `id` says it once."""
    event = _event.decode(request.body)
    kind = _EVENTS.get(event.type or "event")
    if kind is None:
        message = f"type is {event.type!r}, expected one of {', '.join(_EVENTS)}"
        return Refusal(Reason.INVALID_CALL, message, detail=MemberReason.UNKNOWN_TYPE)
    call = {
        "userId": request.params.get("id"),
        "anonymousId": event.anonymous_id,
        "messageId": event.id,
        "timestamp": _time(event.timestamp),
        "event" if kind == "track" else "name": event.name,
        "properties": Raw(json_object(event.data, "data")),
    }
    _becomes(request, kind, call)
    return None


def add_device(request: Request, _: Context) -> Refusal | None:
    """A device's token is one of the customer's ids; to have it is no activity."""
    device = _device.decode(request.body).device
    if not text(device.id):
        return Refusal(Reason.INVALID_CALL, "device.id is needed", detail=MemberReason.NO_ID)
    token = {"token": device.id, "type": device.platform}
    context = {"active": False, "device": token}
    traits = {"push_token": device.id}
    _becomes(request, "identify", {"userId": request.params["id"], "traits": traits, "context": context})
    return None


def add_device_removal(request: Request, _: Context) -> Refusal | None:
    """A device that is the customer's no more."""
    call = {
        "userId": request.params["id"],
        "event": "Device Removed",
        "properties": {"token": request.params["device"]},
        "context": {"active": False},
    }
    _becomes(request, "track", call)
    return None


def add_merge(request: Request, _: Context) -> Refusal | None:
    """The secondary customer becomes the primary."""
    merge = _merge.decode(request.body)
    primary, secondary = (text(ids.id) or text(ids.email) for ids in (merge.primary, merge.secondary))
    if not primary or not secondary:
        message = "primary and secondary each need an id or an email"
        return Refusal(Reason.INVALID_CALL, message, detail=MemberReason.NO_ID)
    _becomes(request, "alias", {"userId": primary, "previousId": secondary})
    return None


def add_command(name: str) -> Step:
    """A command to the engine about the path's customer: a row of the urgent lane."""

    def add(request: Request, _: Context) -> Refusal | None:
        request.kind, request.lane, request.calls = "command", Lane.URGENT, 1
        said = {"name": name, "customer": request.params["id"], "author": request.source}
        request.body = msgspec.json.encode(said)
        return None

    return add


_OPENING: tuple[Step, ...] = (
    steps.add_unpacked_body,
    add_empty_body,
    steps.refuse_large_call,
    steps.add_head,
    add_site_key,
    steps.add_source,
    steps.refuse_origin,
    steps.refuse_large_body,
    steps.refuse_rate,
)
_CLOSING: tuple[Step, ...] = (steps.add_members, steps.refuse_invalid_call, steps.refuse_invalid_members)

IDENTIFY = (*_OPENING, steps.read_by(add_identify), *_CLOSING)
EVENT = (*_OPENING, steps.read_by(add_event), *_CLOSING)
DEVICE = (*_OPENING, steps.read_by(add_device), *_CLOSING)
DEVICE_REMOVAL = (*_OPENING, steps.read_by(add_device_removal), *_CLOSING)
MERGE = (*_OPENING, steps.refuse_public_key, steps.read_by(add_merge), *_CLOSING)
ERASURE = (*_OPENING, steps.refuse_public_key, add_command("erase"))
SUPPRESSION = (*_OPENING, steps.refuse_public_key, add_command("suppress"))
RELEASE = (*_OPENING, steps.refuse_public_key, add_command("unsuppress"))


def _becomes(request: Request, kind: str, call: dict[str, Any]) -> None:
    request.kind, request.batch = kind, None
    request.body = msgspec.json.encode(call)


def _is_true(raw: Raw | None) -> bool:
    return raw is not None and _plain.decode(raw) in (True, 1, "true")


def _time(value: float | str | None) -> str | None:
    """Seconds since 1970 as text, text as it is."""
    if value is None or isinstance(value, str):
        return value
    try:
        return datetime.fromtimestamp(value, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        raise InvalidError(MemberReason.BAD_TIME, f"timestamp {value!r} is no time in seconds") from None


def _password(authorization: bytes) -> str:
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(value.strip()).partition(b":")[2].decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
