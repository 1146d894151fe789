"""One row of the log as calls: the one place which knows what clients' JSON means.

`members` says of each call in a row what it is or why it is refused; collect records the refused, the engine
folds the others (`split`), so both see the same members under the same numbers. Rows were checked as a whole
before they were stored (`collect.body`): they are JSON objects, so properties and context stay raw bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct

from hark.collect.refusals import MemberReason
from hark.model import SECOND, ConsentName, FactName, Instant, Kind
from hark.store.contracts import Row

MEMBER_BYTES = 32 * 1024
EXCERPT_BYTES = 500
CLOCK_TOLERANCE_US = 60 * SECOND
RESERVED = frozenset(map(str, FactName)) | {str(ConsentName.CONFIRMED)}
"""Event names only Hark itself may write."""

KINDS = {
    "track": Kind.TRACK,
    "identify": Kind.IDENTIFY,
    "page": Kind.PAGE,
    "screen": Kind.SCREEN,
    "group": Kind.GROUP,
    "alias": Kind.ALIAS,
}
NAMES = {
    Kind.IDENTIFY: "Identify",
    Kind.PAGE: "Page",
    Kind.SCREEN: "Screen",
    Kind.GROUP: "Group",
    Kind.ALIAS: "Alias",
}

NOTHING = b"{}"
NOTHING_SAID = (True, NOTHING, "")

Id: TypeAlias = str | int | float | None


class Call(Struct, frozen=True, gc=False):
    """One valid call. Ids that were not given are ""; JSON objects that were not given are `{}`."""

    member: int
    """Its index in the row."""
    kind: Kind
    name: str
    """The tracked event's name; "Identify", "Page" ... for the other calls."""
    user_id: str
    anonymous_id: str
    message_id: str
    at: Instant
    """When it happened: the caller's time, corrected for a wrong clock, never after it arrived."""
    known_at: Instant
    """When Hark could know it: received_at if collected, `at` if imported."""
    properties: bytes = b"{}"
    """A JSON object, undecoded; for identify and group calls the traits."""
    context: bytes = b"{}"
    """A JSON object, undecoded: the batch's under the call's own."""
    traits: bytes = b"{}"
    """What to learn about the customer: an identify call's traits, any other call's `context.traits`."""
    active: bool = True
    """False: `context.active` is false, so this is no activity."""
    group_id: str = ""
    previous_id: str = ""


class Refused(Struct, frozen=True):
    """One member that is not stored as an event, and why."""

    member: int
    reason: MemberReason
    message: str
    excerpt: bytes


class _Item(Struct, rename="camel", gc=False):
    type: str | None = None
    user_id: Id = None
    anonymous_id: Id = None
    group_id: Id = None
    previous_id: Id = None
    message_id: Id = None
    event: str | None = None
    name: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    properties: Raw = Raw()
    traits: Raw = Raw()
    context: Raw = Raw()


class _Batch(Struct, rename="camel"):
    batch: list[_Item]
    context: Raw = Raw()
    sent_at: str | None = None


class _RawBatch(Struct, rename="camel"):
    batch: list[Raw]
    context: Raw = Raw()
    sent_at: str | None = None


class _Context(Struct, rename="camel"):
    active: bool | None = None
    traits: Raw = Raw()
    group_id: Id = None


class _Around(Struct):
    """What all members of one row share."""

    received_at: Instant
    imported: bool
    context: bytes = NOTHING
    """The batch's."""
    sent_at: Instant | None = None
    seen: bytes = NOTHING
    """The last call's context, and what it says: most calls of a batch have the same."""
    said: tuple[bool, bytes, str] = NOTHING_SAID


class _InvalidError(Exception):
    def __init__(self, reason: MemberReason, message: str) -> None:
        self.reason = reason
        self.message = message


_batch = msgspec.json.Decoder(_Batch)
_raw_batch = msgspec.json.Decoder(_RawBatch)
_item = msgspec.json.Decoder(_Item)
_context = msgspec.json.Decoder(_Context)
_fields = msgspec.json.Decoder(dict[str, Raw])
_indices = msgspec.json.Decoder(list[int])
_TRACK = Kind.TRACK


def split(row: Row) -> list[Call]:
    """The calls of a row that count: not refused when it was stored, and valid."""
    refused = frozenset(_indices.decode(row.refused)) if row.refused else frozenset()
    return [call for call in members(row) if type(call) is Call and call.member not in refused]


def members(row: Row) -> list[Call | Refused]:
    """Every member of a row, in order: the call it is, or why it is refused.

    Raises msgspec.MsgspecError if the row as a whole is no call and no batch.
    """
    around = _Around(row.received_at, row.kind == "import")
    kind = KINDS.get(row.kind)
    if kind is not None:
        return [_raw_member(0, row.body, kind, around)]
    try:
        batch = _batch.decode(row.body)
    except msgspec.ValidationError:
        return _one_by_one(row.body, around)
    _add_shared(around, batch.context, batch.sent_at)
    found = [_member(index, item, None, around) for index, item in enumerate(batch.batch)]
    return _with_raw(found, row.body)


def _one_by_one(body: bytes, around: _Around) -> list[Call | Refused]:
    """The members of a batch of which at least one is of a wrong type."""
    batch = _raw_batch.decode(body)
    _add_shared(around, batch.context, batch.sent_at)
    return [_raw_member(index, bytes(raw), None, around) for index, raw in enumerate(batch.batch)]


def _add_shared(around: _Around, context: Raw, sent_at: str | None) -> None:
    try:
        around.context = _object(context, "context")
    except _InvalidError as error:
        raise msgspec.ValidationError(error.message) from None
    around.sent_at = _sent_at(sent_at)


def _with_raw(found: list[Call | Refused], body: bytes) -> list[Call | Refused]:
    """The same members, the refused with how they begin, those over 32 KB refused."""
    if len(body) <= MEMBER_BYTES and not any(type(member) is Refused for member in found):
        return found
    raws = _raw_batch.decode(body).batch
    return [_finished(member, raw) for member, raw in zip(found, raws, strict=True)]


def _finished(member: Call | Refused, raw: Raw) -> Call | Refused:
    if len(raw) > MEMBER_BYTES:
        return _too_large(member.member, bytes(raw))
    if type(member) is Refused:
        return Refused(member.member, member.reason, member.message, bytes(raw)[:EXCERPT_BYTES])
    return member


def _too_large(index: int, raw: bytes) -> Refused:
    message = f"the call has {len(raw)} bytes, at most {MEMBER_BYTES} are taken"
    return Refused(index, MemberReason.TOO_LARGE, message, raw[:EXCERPT_BYTES])


def _raw_member(index: int, raw: bytes, kind: Kind | None, around: _Around) -> Call | Refused:
    if len(raw) > MEMBER_BYTES:
        return _too_large(index, raw)
    try:
        item = _item.decode(raw)
    except msgspec.ValidationError as error:
        return Refused(index, MemberReason.WRONG_TYPE, str(error), raw[:EXCERPT_BYTES])
    member = _member(index, item, kind, around)
    if type(member) is Refused:
        return Refused(index, member.reason, member.message, raw[:EXCERPT_BYTES])
    return member


def _member(index: int, item: _Item, kind: Kind | None, around: _Around) -> Call | Refused:
    try:
        return _call(index, item, _kind(item) if kind is None else kind, around)
    except _InvalidError as error:
        return Refused(index, error.reason, error.message, b"")
    except msgspec.ValidationError as error:
        return Refused(index, MemberReason.WRONG_TYPE, str(error), b"")


def _call(index: int, item: _Item, kind: Kind, around: _Around) -> Call:
    user, anonymous, message = item.user_id, item.anonymous_id, item.message_id
    if type(user) is not str:
        user = _text(user)
    if type(anonymous) is not str:
        anonymous = _text(anonymous)
    if not user and not anonymous:
        raise _InvalidError(MemberReason.NO_ID, "userId or anonymousId is needed")
    at = _at(item, around)
    properties = _object(item.properties, "properties")
    context = _object(item.context, "context")
    if around.context != NOTHING:
        context = _under(around.context, context)
    name = _event_name(item) if kind is _TRACK else NAMES[kind]
    if context != around.seen:
        around.said, around.seen = _said(context), context
    active, traits, group = around.said
    previous = ""
    if kind is not _TRACK:
        properties, traits, group, previous = _other(kind, item, properties, traits, group)
    message = message if type(message) is str else _text(message)
    known_at = at if around.imported else around.received_at
    return Call(
        index,
        kind,
        name,
        user,
        anonymous,
        message,
        at,
        known_at,
        properties,
        context,
        traits,
        active,
        group,
        previous,
    )


def _kind(item: _Item) -> Kind:
    kind = KINDS.get(item.type or "")
    if kind is None:
        raise _InvalidError(
            MemberReason.UNKNOWN_TYPE, f"type is {item.type!r}, expected one of {', '.join(KINDS)}"
        )
    return kind


def _event_name(item: _Item) -> str:
    if not item.event:
        raise _InvalidError(MemberReason.NO_EVENT, "a track call needs event, the name of what happened")
    if item.event in RESERVED:
        raise _InvalidError(
            MemberReason.RESERVED_NAME, f"{item.event!r} is written by Hark itself; choose another name"
        )
    return item.event


def _other(
    kind: Kind, item: _Item, properties: bytes, traits: bytes, group: str
) -> tuple[bytes, bytes, str, str]:
    """(properties, traits, group id, previous id) of a call that is no track."""
    if kind is Kind.IDENTIFY:
        own = _object(item.traits, "traits")
        return own, own, group, ""
    if kind is Kind.GROUP:
        return _object(item.traits, "traits"), traits, _needed(item.group_id, "groupId"), ""
    if kind is Kind.ALIAS:
        _needed(item.user_id, "userId")
        return properties, traits, group, _needed(item.previous_id, "previousId")
    return _named(item.name, properties), traits, group, ""


def _needed(value: Id, name: str) -> str:
    text = _text(value)
    if not text:
        raise _InvalidError(MemberReason.NO_ID, f"{name} is needed")
    return text


def _named(name: str | None, properties: bytes) -> bytes:
    """The page's or screen's name as a property, where the properties don't say it themselves."""
    if not name:
        return properties
    return _under(msgspec.json.encode({"name": name}), properties)


def _text(value: Id) -> str:
    """An id as text: numbers become text, null and "" are no id."""
    return value if type(value) is str else "" if value is None else str(value)


def _object(raw: Raw, name: str) -> bytes:
    value = bytes(raw)
    if value[:1] == b"{":
        return value
    if not value or value == b"null":
        return NOTHING
    raise _InvalidError(MemberReason.WRONG_TYPE, f"{name} must be a JSON object")


def _under(below: bytes, own: bytes) -> bytes:
    """Two JSON objects as one: each key of `own` wins, the others come from `below`."""
    if below in (NOTHING, own):
        return own
    if own == NOTHING:
        return below
    return msgspec.json.encode(_fields.decode(below) | _fields.decode(own))


def _said(raw: bytes) -> tuple[bool, bytes, str]:
    """(active, traits, group id) as a context gives them."""
    if raw == NOTHING:
        return NOTHING_SAID
    context = _context.decode(raw)
    return context.active is not False, _object(context.traits, "context.traits"), _text(context.group_id)


def _at(item: _Item, around: _Around) -> Instant:
    """When the call's event happened.

    The caller's time; only where the client's clock is wrong (sentAt is over 60 s from the arrival), the
    arrival minus the time between the event and its sending. Never later than the arrival.
    """
    received_at = around.received_at
    given = item.original_timestamp or item.timestamp
    if not given:
        return received_at
    try:
        at = _instant(given)
    except (ValueError, OverflowError):
        message = f"timestamp {given!r} is no ISO 8601 time with a zone"
        raise _InvalidError(MemberReason.BAD_TIME, message) from None
    sent_at = _sent_at(item.sent_at) if item.sent_at else around.sent_at
    if sent_at is not None and abs(received_at - sent_at) > CLOCK_TOLERANCE_US and not around.imported:
        at = received_at - (sent_at - at)
    return at if at < received_at else received_at


def _sent_at(text: str | None) -> Instant | None:
    """The client's clock at sending; None where it says nothing that can be read."""
    try:
        return _instant(text) if text else None
    except (ValueError, OverflowError):
        return None


def _instant(text: str) -> Instant:
    """Microseconds since 1970 (exact: a double holds them to a fifth of a microsecond until 2100)."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone")
    return round(moment.timestamp() * SECOND)
