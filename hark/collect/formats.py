"""One row of the log as calls: the one place which knows what clients' JSON means.

`members` says of each call in a row what it is or why it is refused; collect records the refused, the engine
folds the others (`split`), so both see the same members under the same numbers. Rows were checked as a whole
before they were stored (`collect.body`): they are JSON objects, so properties and context stay raw bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import Raw, Struct

from hark.collect import posthog
from hark.collect.calls import (
    EXCERPT_BYTES,
    KINDS,
    MEMBER_BYTES,
    NAMES,
    NOTHING,
    RESERVED,
    Call,
    Id,
    InvalidError,
    Item,
    Refused,
    instant,
    json_object,
    sent_at,
    text,
    under,
)
from hark.collect.refusals import MemberReason
from hark.model import CAMPAIGN_TRIGGERED, SECOND, ConsentName, Instant, Kind
from hark.store.contracts import Row

__all__ = [
    "BATCHES",
    "EXCERPT_BYTES",
    "HOOK",
    "KINDS",
    "MEMBER_BYTES",
    "SECRET",
    "TRIGGER",
    "Call",
    "Refused",
    "has_calls",
    "members",
    "size",
    "split",
]

CLOCK_TOLERANCE_US = 60 * SECOND
HOOK = "hook"
TRIGGER = "trigger"
"""A call that starts a campaign, read from a row of this kind alone."""
BATCHES = {"batch": b'"type"', "import": b'"type"', HOOK: b'"type"', posthog.KIND: b'"distinct_id"'}
"""Kinds of rows that hold a list of calls, and what stands in each of the calls about once."""
SECRET = "+secret"
"""After a row's kind: a secret key sent it."""


Read: TypeAlias = Callable[[bytes], tuple[Item, Kind]]
"""Makes a call of the JSON of one member."""


class _Batch(Struct, rename="camel"):
    batch: list[Item]
    context: Raw = Raw()
    sent_at: str | None = None


class _RawBatch(Struct, rename="camel"):
    batch: list[Raw]
    context: Raw = Raw()
    sent_at: str | None = None


class _Device(Struct):
    token: Id = None


class _Context(Struct, rename="camel"):
    active: bool | None = None
    traits: Raw = Raw()
    group_id: Id = None
    group_type: Id = None
    groups: Raw = Raw()
    device: Raw = Raw()


class _Said(NamedTuple):
    """What a context says."""

    active: bool = True
    traits: bytes = NOTHING
    group_id: str = ""
    group_type: str = ""
    groups: tuple[tuple[str, str], ...] = ()
    device_token: str = ""
    plain: bool = True
    """Nothing but whether it was activity."""


class _Around(Struct):
    """What all members of one row share."""

    received_at: Instant
    imported: bool = False
    secret: bool = False
    context: bytes = NOTHING
    """The batch's."""
    sent_at: Instant | None = None
    trusted: bool = False
    """A webhook or an import: its calls may name further ids of their customer."""
    triggers: bool = False
    """A secret key asked for a campaign: the call may have the name that this has in a history."""
    groups_alone: bool = False
    """A group call may be about the group alone, without a customer."""
    seen: bytes = NOTHING
    """The last call's context, and what it says: most calls of a batch have the same."""
    said: _Said = _Said()


_batch = msgspec.json.Decoder(_Batch)
_raw_batch = msgspec.json.Decoder(_RawBatch)
_item = msgspec.json.Decoder(Item)
_context = msgspec.json.Decoder(_Context)
_groups = msgspec.json.Decoder(dict[str, Id])
_device = msgspec.json.Decoder(_Device)
_indices = msgspec.json.Decoder(list[int])
_TRACK = Kind.TRACK
_PLAIN = (Kind.TRACK, Kind.PAGE, Kind.SCREEN)
_CONFIRMED = ConsentName.CONFIRMED.value
"""What was confirmed elsewhere the team may import; clients can't state it."""


def split(row: Row) -> list[Call]:
    """The calls of a row that count: not refused when it was stored, and valid."""
    refused = frozenset(_indices.decode(row.refused)) if row.refused else frozenset()
    return [call for call in members(row) if type(call) is Call and call.member not in refused]


def has_calls(kind: str) -> bool:
    """Whether rows of this kind hold calls, and not something that Hark tells itself."""
    name = kind.partition("+")[0]
    return name in KINDS or name in BATCHES or name == TRIGGER


def size(row: Row) -> int:
    """About how many calls a row holds."""
    mark = BATCHES.get(row.kind.partition("+")[0])
    return 1 if mark is None else max(1, row.body.count(mark))


def batch_of(body: bytes) -> _Batch:
    """The members of a batch before anything is made of them. Raises msgspec.ValidationError where one of
    them, or the batch, has fields of a wrong type."""
    return _batch.decode(body)


def members(row: Row, raws: Sequence[Raw] | None = None) -> list[Call | Refused]:
    """Every member of a row, in order: the call it is, or why it is refused.

    `raws` are the members of a batch, where the caller has them already.
    Raises msgspec.MsgspecError if the row as a whole is no call and no batch.
    """
    name, _, secret = row.kind.partition("+")
    imported = name == "import"
    around = _Around(row.received_at, imported, bool(secret), trusted=imported or name == HOOK)
    around.triggers = name == TRIGGER
    kind = _TRACK if around.triggers else KINDS.get(name)
    if kind is not None:
        return [_raw_member(0, row.body, lambda raw: (_item.decode(raw), kind), around)]
    if name == posthog.KIND:
        return _posthog(row.body, around)
    try:
        batch = batch_of(row.body)
    except msgspec.ValidationError:
        return _one_by_one(row.body, around)
    _add_shared(around, batch.context, batch.sent_at)
    found = [_member(index, item, around) for index, item in enumerate(batch.batch)]
    return _with_raw(found, row.body, raws)


def _one_by_one(body: bytes, around: _Around) -> list[Call | Refused]:
    """The members of a batch of which at least one is of a wrong type."""
    batch = _raw_batch.decode(body)
    _add_shared(around, batch.context, batch.sent_at)
    return [_raw_member(index, bytes(raw), _typed, around) for index, raw in enumerate(batch.batch)]


def _posthog(body: bytes, around: _Around) -> list[Call | Refused]:
    """The events of a PostHog client, each as the call of ours that it means."""
    batch = posthog.read_batch(body)
    around.sent_at, around.imported = sent_at(batch.sent_at), batch.historical_migration
    around.groups_alone = True
    return [_raw_member(index, bytes(raw), posthog.read, around) for index, raw in enumerate(batch.batch)]


def _add_shared(around: _Around, context: Raw, at: str | None) -> None:
    try:
        around.context = json_object(context, "context")
    except InvalidError as error:
        raise msgspec.ValidationError(error.message) from None
    around.sent_at = sent_at(at)


def _with_raw(found: list[Call | Refused], body: bytes, raws: Sequence[Raw] | None) -> list[Call | Refused]:
    """The same members, the refused with how they begin, those over 32 KB refused."""
    any_refused = any(type(member) is Refused for member in found)
    if len(body) <= MEMBER_BYTES and not any_refused:
        return found
    if raws is None:
        raws = _raw_batch.decode(body).batch
    if not any_refused and max(map(len, raws), default=0) <= MEMBER_BYTES:
        return found
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


def _raw_member(index: int, raw: bytes, read: Read, around: _Around) -> Call | Refused:
    if len(raw) > MEMBER_BYTES:
        return _too_large(index, raw)
    try:
        return _call(index, *read(raw), around)
    except InvalidError as error:
        return Refused(index, error.reason, error.message, raw[:EXCERPT_BYTES])
    except msgspec.ValidationError as error:
        return Refused(index, MemberReason.WRONG_TYPE, str(error), raw[:EXCERPT_BYTES])


def _typed(raw: bytes) -> tuple[Item, Kind]:
    item = _item.decode(raw)
    return item, _kind(item)


def _member(index: int, item: Item, around: _Around) -> Call | Refused:
    try:
        return _call(index, item, _kind(item), around)
    except InvalidError as error:
        return Refused(index, error.reason, error.message, b"")
    except msgspec.ValidationError as error:
        return Refused(index, MemberReason.WRONG_TYPE, str(error), b"")


def _call(index: int, item: Item, kind: Kind, around: _Around) -> Call:
    user, anonymous, message = item.user_id, item.anonymous_id, item.message_id
    if type(user) is not str:
        user = text(user)
    if type(anonymous) is not str:
        anonymous = text(anonymous)
    if not user and not anonymous and not (around.groups_alone and kind is Kind.GROUP):
        raise InvalidError(MemberReason.NO_ID, "userId or anonymousId is needed")
    at = around.received_at
    if item.timestamp or item.original_timestamp:
        at = _at(item, around)
    properties, context = bytes(item.properties), bytes(item.context)
    if properties[:1] != b"{":
        properties = json_object(item.properties, "properties")
    if context[:1] != b"{":
        context = json_object(item.context, "context")
    if around.context != NOTHING:
        context = under(around.context, context)
    name = _event_name(item, around) if kind is _TRACK else NAMES[kind]
    if context != around.seen:
        around.said, around.seen = said(context), context
    active, traits, group, group_type, groups, token, plain = around.said
    previous, known_as = "", item.known_as if around.trusted else ()
    if kind is not _TRACK:
        properties, traits, previous = _other(kind, item, properties, traits)
        if kind is Kind.GROUP:
            group, group_type = _needed(item.group_id, "groupId"), text(item.group_type) or group_type
    message = message if type(message) is str else text(message)
    known_at = at if around.imported else around.received_at
    return Call(
        index, kind, name, user, anonymous, message, at, known_at, properties, context, traits, active,
        group, previous, group_type, groups, token, around.secret, known_as,
        plain and kind in _PLAIN and not known_as,
    )  # fmt: skip


def _kind(item: Item) -> Kind:
    kind = KINDS.get(item.type or "")
    if kind is None:
        raise InvalidError(
            MemberReason.UNKNOWN_TYPE, f"type is {item.type!r}, expected one of {', '.join(KINDS)}"
        )
    return kind


def _event_name(item: Item, around: _Around) -> str:
    if not item.event:
        raise InvalidError(MemberReason.NO_EVENT, "a track call needs event, the name of what happened")
    if item.event in RESERVED and not _may_say(item.event, around):
        raise InvalidError(
            MemberReason.RESERVED_NAME, f"{item.event!r} is written by Hark itself; choose another name"
        )
    return item.event


def _may_say(name: str, around: _Around) -> bool:
    """Whether a row from here may hold an event of a name that is Hark's own."""
    return (name == _CONFIRMED and around.imported) or (name == CAMPAIGN_TRIGGERED and around.triggers)


def _other(kind: Kind, item: Item, properties: bytes, traits: bytes) -> tuple[bytes, bytes, str]:
    """(properties, traits, previous id) of a call that is no track."""
    if kind is Kind.IDENTIFY:
        own = json_object(item.traits, "traits")
        return own, under(traits, own), ""
    if kind is Kind.GROUP:
        return json_object(item.traits, "traits"), traits, ""
    if kind is Kind.ALIAS:
        _needed(item.user_id, "userId")
        return properties, traits, _needed(item.previous_id, "previousId")
    return _named(item.name, properties), traits, ""


def _needed(value: Id, name: str) -> str:
    found = text(value)
    if not found:
        raise InvalidError(MemberReason.NO_ID, f"{name} is needed")
    return found


def _named(name: str | None, properties: bytes) -> bytes:
    """The page's or screen's name as a property, where the properties don't say it themselves."""
    if not name:
        return properties
    return under(msgspec.json.encode({"name": name}), properties)


def said(raw: bytes) -> _Said:
    """What a context says. Odd groups and devices say nothing; odd traits refuse the call."""
    if raw == NOTHING:
        return _Said()
    context = _context.decode(raw)
    told = (
        json_object(context.traits, "context.traits"),
        text(context.group_id),
        text(context.group_type),
        _further_groups(context.groups),
        _token(context.device),
    )
    return _Said(context.active is not False, *told, plain=told == _Said()[1:-1])


def _further_groups(raw: Raw) -> tuple[tuple[str, str], ...]:
    if not bytes(raw):
        return ()
    try:
        return tuple((sort, text(key)) for sort, key in _groups.decode(raw).items() if text(key))
    except msgspec.ValidationError:
        return ()


def _token(raw: Raw) -> str:
    if not bytes(raw):
        return ""
    try:
        return text(_device.decode(raw).token)
    except msgspec.ValidationError:
        return ""


def _at(item: Item, around: _Around) -> Instant:
    """When the event of a call that names a time happened.

    The caller's time; only where the client's clock is wrong (sentAt is over 60 s from the arrival), the
    arrival minus the time between the event and its sending. Never later than the arrival.
    """
    received_at = around.received_at
    given = item.timestamp or item.original_timestamp or ""
    try:
        at = instant(given)
    except (ValueError, OverflowError):
        message = f"timestamp {given!r} is no ISO 8601 time with a zone"
        raise InvalidError(MemberReason.BAD_TIME, message) from None
    sent = sent_at(item.sent_at) if item.sent_at else around.sent_at
    if sent is not None and abs(received_at - sent) > CLOCK_TOLERANCE_US and not around.imported:
        at = received_at - (sent - at)
    return at if at < received_at else received_at
