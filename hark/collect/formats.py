"""One row of the log as calls: the one place which knows what clients' JSON means.

`members` says of each call in a row what it is or why it is refused; collect records the refused, the engine
folds the others (`split`), so both see the same members under the same numbers. Rows were checked as a whole
before they were stored (`collect.body`): they are JSON objects, so properties and context stay raw bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class _Item(Struct, rename="camel"):
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
    looks_inside: bool
    """Some context may say more than the raw bytes are kept for: active, traits or groupId."""
    context: bytes = b"{}"
    sent_at: str | None = None


class _InvalidError(Exception):
    def __init__(self, reason: MemberReason, message: str) -> None:
        self.reason = reason
        self.message = message


_batch = msgspec.json.Decoder(_Batch)
_item = msgspec.json.Decoder(_Item)
_context = msgspec.json.Decoder(_Context)
_fields = msgspec.json.Decoder(dict[str, Raw])
_indices = msgspec.json.Decoder(list[int])


def split(row: Row) -> list[Call]:
    """The calls of a row that count: not refused when it was stored, and valid."""
    refused = frozenset(_indices.decode(row.refused)) if row.refused else frozenset()
    return [call for call in members(row) if type(call) is Call and call.member not in refused]


def members(row: Row) -> Iterator[Call | Refused]:
    """Every member of a row, in order: the call it is, or why it is refused.

    Raises msgspec.MsgspecError if the row as a whole is no call and no batch.
    """
    if row.kind in KINDS:
        around = _Around(row.received_at, False, _says_more(row.body))
        yield _member(0, row.body, KINDS[row.kind], around)
        return
    batch = _batch.decode(row.body)
    around = _Around(row.received_at, row.kind == "import", _says_more(row.body))
    around.context = _object(batch.context, "context")
    around.sent_at = batch.sent_at
    for index, raw in enumerate(batch.batch):
        yield _member(index, bytes(raw), None, around)


def _member(index: int, raw: bytes, kind: Kind | None, around: _Around) -> Call | Refused:
    try:
        return _call(index, raw, kind, around)
    except _InvalidError as error:
        return Refused(index, error.reason, error.message, raw[:EXCERPT_BYTES])
    except msgspec.MsgspecError as error:
        return Refused(index, MemberReason.WRONG_TYPE, str(error), raw[:EXCERPT_BYTES])


def _call(index: int, raw: bytes, kind: Kind | None, around: _Around) -> Call:
    if len(raw) > MEMBER_BYTES:
        raise _InvalidError(
            MemberReason.TOO_LARGE, f"the call has {len(raw)} bytes, at most {MEMBER_BYTES} are taken"
        )
    item = _item.decode(raw)
    if kind is None:
        kind = _kind(item)
    user, anonymous = _text(item.user_id), _text(item.anonymous_id)
    if not (user or anonymous):
        raise _InvalidError(MemberReason.NO_ID, "userId or anonymousId is needed")
    at = _at(item, around)
    properties = _object(item.properties, "properties")
    context = _under(around.context, _object(item.context, "context"))
    name, traits, active, group, previous = (
        _event_name(item) if kind is Kind.TRACK else NAMES[kind],
        b"{}",
        True,
        "",
        "",
    )
    if around.looks_inside:
        active, traits, group = _inside(context)
    if kind is not Kind.TRACK:
        properties, traits, group, previous = _other(kind, item, properties, traits, group)
    return Call(
        index,
        kind,
        name,
        user,
        anonymous,
        _text(item.message_id),
        at,
        at if around.imported else around.received_at,
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
    if not value or value == b"null":
        return b"{}"
    if value[:1] != b"{":
        raise _InvalidError(MemberReason.WRONG_TYPE, f"{name} must be a JSON object")
    return value


def _under(below: bytes, own: bytes) -> bytes:
    """Two JSON objects as one: each key of `own` wins, the others come from `below`."""
    if below in (b"{}", own):
        return own
    if own == b"{}":
        return below
    return msgspec.json.encode(_fields.decode(below) | _fields.decode(own))


def _says_more(body: bytes) -> bool:
    """Whether any context in the body could name active, traits or groupId (an escape could hide them)."""
    return b'"active"' in body or b'"traits"' in body or b'"groupId"' in body or b"\\u" in body


def _inside(raw: bytes) -> tuple[bool, bytes, str]:
    """(active, traits, group id) as a context gives them."""
    if not _says_more(raw):
        return True, b"{}", ""
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
    except ValueError:
        raise _InvalidError(
            MemberReason.BAD_TIME, f"timestamp {given!r} is no ISO 8601 time with a zone"
        ) from None
    sent_at = None if around.imported else _sent_at(item.sent_at or around.sent_at)
    if sent_at is not None and abs(received_at - sent_at) > CLOCK_TOLERANCE_US:
        at = received_at - (sent_at - at)
    return min(at, received_at)


def _sent_at(text: str | None) -> Instant | None:
    """The client's clock at sending; None where it says nothing that can be read."""
    try:
        return _instant(text) if text else None
    except ValueError:
        return None


def _instant(text: str) -> Instant:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone")
    return round(moment.timestamp() * SECOND)
