"""The closed sets of reasons: why a request, or one call of it, is not stored."""

from __future__ import annotations

from enum import StrEnum


class MemberReason(StrEnum):
    """Why one call is refused. In a batch the others are stored; alone it is answered by 400."""

    WRONG_TYPE = "wrong_type"
    """A field is of another type than the contract's, or the call is no object."""
    UNKNOWN_TYPE = "unknown_type"
    """`type` is missing or none of the calls."""
    NO_ID = "no_id"
    """Neither userId nor anonymousId (or an id which that call needs besides)."""
    NO_EVENT = "no_event"
    """A track call without the name of its event."""
    BAD_TIME = "bad_time"
    """The timestamp is no ISO 8601 time with a zone."""
    TOO_LARGE = "too_large"
    """The call is over 32 KB."""
    RESERVED_NAME = "reserved_name"
    """The event's name belongs to what Hark itself records."""
    NEEDS_SECRET_KEY = "needs_secret_key"
    """The event is protected: only the source's secret key may send it."""
