"""The closed sets of reasons: why a request, or one call of it, is not stored.

What is temporary is 429 or 503, since clients drop their events on every other 4xx.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class MemberReason(StrEnum):
    """Why one call is refused. In a batch the others are stored; alone it is answered by 400 (or 403)."""

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
    IGNORED = "ignored"
    """A webhook's payload for which no rule of the mapping is; it is answered by 200."""


class Reason(StrEnum):
    """Why a whole request is refused and nothing of it is stored."""

    BROKEN_JSON = "broken_json"
    NOT_AN_OBJECT = "not_an_object"
    NO_BATCH = "no_batch"
    """The body of a batch has no list `batch`."""
    INVALID_UTF8 = "invalid_utf8"
    LONE_SURROGATE = "lone_surrogate"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    """A number no double can hold, such as 1e999."""
    TOO_DEEP = "too_deep"
    TOO_MANY_EVENTS = "too_many_events"
    BODY_TOO_LARGE = "body_too_large"
    CALL_TOO_LARGE = "call_too_large"
    BROKEN_GZIP = "broken_gzip"
    CUT_SHORT = "cut_short"
    """The connection ended before the body did."""
    INVALID_CALL = "invalid_call"
    """A single call was invalid; the answer's `reason` says why."""
    INVALID_MEMBERS = "invalid_members"
    """A source in strict mode sent a batch with invalid members."""
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_DISABLED = "key_disabled"
    UNKNOWN_HOOK = "unknown_hook"
    """No source of this name has a mapping for webhooks."""
    UNKNOWN_CAMPAIGN = "unknown_campaign"
    """No campaign of this name is started by calls."""
    SIGNATURE_UNKNOWN = "signature_unknown"
    """The mapping asks for a signature and no secret is kept for the source."""
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRONG = "signature_wrong"
    SIGNATURE_OLD = "signature_old"
    """It fits, but was made too long ago, or in the future: a replay, or a wrong clock."""
    NEEDS_SECRET_KEY = "needs_secret_key"
    ORIGIN_REFUSED = "origin_refused"
    """The source takes nothing from web pages of this origin."""
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    BODY_TIMEOUT = "body_timeout"
    UNKNOWN_ENCODING = "unknown_encoding"
    HEADERS_TOO_LARGE = "headers_too_large"
    RATE_PASSED = "rate_passed"
    OVERLOAD = "overload"
    DISK_FULL = "disk_full"
    LOG_BROKEN = "log_broken"
    DRAINING = "draining"
    UNEXPECTED = "unexpected"
    """A mistake of ours; clients keep the events and send them again."""


STATUS = {
    Reason.KEY_MISSING: 401,
    Reason.KEY_UNKNOWN: 401,
    Reason.KEY_DISABLED: 401,
    Reason.SIGNATURE_UNKNOWN: 401,
    Reason.SIGNATURE_MISSING: 401,
    Reason.SIGNATURE_WRONG: 401,
    Reason.SIGNATURE_OLD: 401,
    Reason.UNKNOWN_HOOK: 404,
    Reason.UNKNOWN_CAMPAIGN: 404,
    Reason.NEEDS_SECRET_KEY: 403,
    Reason.ORIGIN_REFUSED: 403,
    Reason.UNKNOWN_PATH: 404,
    Reason.WRONG_METHOD: 405,
    Reason.BODY_TIMEOUT: 408,
    Reason.UNKNOWN_ENCODING: 415,
    Reason.HEADERS_TOO_LARGE: 431,
    Reason.RATE_PASSED: 429,
    Reason.OVERLOAD: 503,
    Reason.DISK_FULL: 503,
    Reason.LOG_BROKEN: 503,
    Reason.DRAINING: 503,
    Reason.UNEXPECTED: 503,
}
"""HTTP status by reason; 400 for those not named."""


class Refusal(Struct, frozen=True):
    """The answer to a request of which nothing is stored."""

    reason: Reason
    message: str
    """What was wrong and what would be right, for the person who reads the client's log."""
    retry_after_s: int = 1
    """Sent with 429 and 503."""
    detail: str = ""
    """The MemberReason, where a single call was invalid."""

    @property
    def status(self) -> int:
        return STATUS.get(self.reason, 400)
