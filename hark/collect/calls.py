"""What a call is once it is read, whoever sent it, and how the values in clients' JSON are read."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct

from hark.collect.derived import DerivedName
from hark.collect.refusals import MemberReason
from hark.model import (
    CAMPAIGN_TRIGGERED,
    GROUP_MESSAGE,
    GROUP_TRAITS,
    SECOND,
    ConsentName,
    FactName,
    Instant,
    Kind,
    ResponseName,
)

MEMBER_BYTES = 32 * 1024
EXCERPT_BYTES = 500
RESERVED = frozenset((*map(str, FactName), *map(str, ResponseName))) | {
    str(ConsentName.CONFIRMED),
    str(DerivedName.STAYED),
    str(DerivedName.ESTIMATED),
    GROUP_MESSAGE,
    GROUP_TRAITS,
    CAMPAIGN_TRIGGERED,
}
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
    properties: bytes = NOTHING
    """A JSON object, undecoded; for identify and group calls the traits."""
    context: bytes = NOTHING
    """A JSON object, undecoded: the batch's under the call's own."""
    traits: bytes = NOTHING
    """What to learn about the customer: an identify call's traits, any other call's `context.traits`."""
    active: bool = True
    """False: `context.active` is false, so this is no activity."""
    group_id: str = ""
    """A group call's group; of another call the group in which it happened (`context.groupId`)."""
    previous_id: str = ""
    """An alias call's other id: a userId or an anonymousId, the call does not say which."""
    group_type: str = ""
    """What sort of group `group_id` is, "" where nobody said."""
    groups: tuple[tuple[str, str], ...] = ()
    """(type, id) of further groups in which it happened (`context.groups`)."""
    device_token: str = ""
    secret: bool = False
    """A secret key sent it: an alias may then merge two identified customers."""
    known_as: tuple[tuple[str, str], ...] = ()
    """("user" or "anonymous", id): further ids of the same customer. Of webhooks and imports only."""
    plain: bool = False
    """It only says what somebody did: it links no ids, and names no traits, groups or device."""


class Refused(Struct, frozen=True):
    """One member that is not stored as an event, and why."""

    member: int
    reason: MemberReason
    message: str
    excerpt: bytes


class Item(Struct, rename="camel", gc=False):
    """A call's JSON before anything is made of it."""

    type: str | None = None
    user_id: Id = None
    anonymous_id: Id = None
    group_id: Id = None
    group_type: Id = None
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
    known_as: tuple[tuple[str, str], ...] = ()


class InvalidError(Exception):
    """A call that can't be taken."""

    def __init__(self, reason: MemberReason, message: str) -> None:
        self.reason = reason
        self.message = message


_fields = msgspec.json.Decoder(dict[str, Raw])


def text(value: Id) -> str:
    """An id as text: numbers become text, null and "" are no id."""
    return value if type(value) is str else "" if value is None else str(value)


def json_object(raw: Raw, name: str) -> bytes:
    """A JSON object as it stands; `{}` for nothing and null. Raises InvalidError for anything else."""
    value = bytes(raw)
    if value[:1] == b"{":
        return value
    if not value or value == b"null":
        return NOTHING
    raise InvalidError(MemberReason.WRONG_TYPE, f"{name} must be a JSON object")


def under(below: bytes, own: bytes) -> bytes:
    """Two JSON objects as one: each key of `own` wins, the others come from `below`."""
    if below in (NOTHING, own):
        return own
    if own == NOTHING:
        return below
    return msgspec.json.encode(_fields.decode(below) | _fields.decode(own))


def instant(text: str) -> Instant:
    """Microseconds since 1970 (exact: a double holds them to a fifth of a microsecond until 2100).

    Raises ValueError or OverflowError for what is no ISO 8601 time with a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone")
    return round(moment.timestamp() * SECOND)


def sent_at(text: str | None) -> Instant | None:
    """The client's clock at sending; None where it says nothing that can be read."""
    try:
        return instant(text) if text else None
    except (ValueError, OverflowError):
        return None
