"""What happens to a request between its arrival and the log: a list of named steps.

A step adds something to the request (`add_...`) or refuses it (`refuse_...`) with a reason of the closed
set; the first refusal ends it. Nothing here waits or touches the world.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct, field

from hark.collect import body, formats
from hark.collect.calls import InvalidError
from hark.collect.formats import Call, Refused
from hark.collect.hooks.known import Hooks
from hark.collect.rate import Rate
from hark.collect.refusals import MemberReason, Reason, Refusal
from hark.collect.sound import sound
from hark.collect.sources import Access, Sources
from hark.collect.watch import Watch
from hark.definitions.mapping import Source as Mapped
from hark.model import Instant, Kind, Lane
from hark.store.contracts import NewRow, Reject, Row

HEADER_BYTES = 16 * 1024


class Limits(Struct, frozen=True):
    """How much one request may bring."""

    call_bytes: int = formats.MEMBER_BYTES
    events: int = 2_500
    body_s: float = 10.0
    """How long a body may take to arrive."""


class Context(Struct):
    """What the steps of all requests share."""

    sources: Sources
    rate: Rate
    hooks: Hooks
    limits: Limits = Limits()
    draining: bool = False
    watch: Watch = field(default_factory=Watch)


class Request(Struct):
    """One request on its way through the steps; each adds its part."""

    kind: str
    """What the path says: track, identify ..., batch or posthog."""
    received_at: Instant
    headers: dict[bytes, bytes]
    header_bytes: int = 0
    params: Mapping[str, str] = {}
    """The named segments of the path."""
    query: bytes = b""
    hook: Mapped | None = None
    """What the source's webhooks mean, for `/hooks/{source}`."""
    lane: Lane = Lane.LIVE
    body: bytes = b""
    key_in_body: str = ""
    batch_size: int | None = None
    """Calls in the body's list `batch`; None: there is no such list."""
    batch: Sequence[Raw] | None = None
    """The list itself, undecoded."""
    key: str = ""
    access: Access | None = None
    calls: int = 0
    secret_alias: bool = False
    """A secret key sent an alias call: the log must say so, since it may then merge two customers."""
    refused: list[Refused] = field(default_factory=list)

    @property
    def batched(self) -> bool:
        """Whether the body is a list of calls."""
        return self.kind in formats.BATCHES

    @property
    def source(self) -> str:
        """The source's name; "" while it is not known."""
        return self.access.source.name if self.access else ""


Step: TypeAlias = Callable[[Request, Context], Refusal | None]


def run(steps: Sequence[Step], request: Request, context: Context) -> Refusal | None:
    """Take the request through the steps; the first refusal, or None."""
    for step in steps:
        refusal = step(request, context)
        if refusal is not None:
            return refusal
    return None


def refuse_draining(_: Request, context: Context) -> Refusal | None:
    if context.draining:
        return Refusal(Reason.DRAINING, "the server is stopping; try again soon", retry_after_s=2)
    return None


def refuse_large_headers(request: Request, _: Context) -> Refusal | None:
    if request.header_bytes > HEADER_BYTES:
        return Refusal(Reason.HEADERS_TOO_LARGE, f"the headers are over {HEADER_BYTES} bytes")
    return None


def add_unpacked_body(request: Request, context: Context) -> Refusal | None:
    encoding = request.headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    unpacked = body.unpack(request.body, encoding, context.sources.body_bytes)
    if isinstance(unpacked, Refusal):
        return unpacked
    request.body = unpacked
    return None


def refuse_large_call(request: Request, context: Context) -> Refusal | None:
    if not request.batched and len(request.body) > context.limits.call_bytes:
        return Refusal(Reason.CALL_TOO_LARGE, f"the call is over {context.limits.call_bytes} bytes")
    return None


def add_head(request: Request, _: Context) -> Refusal | None:
    head = body.read_head(request.body)
    if isinstance(head, Refusal):
        return head
    request.batch, request.batch_size = head.batch, None if head.batch is None else len(head.batch)
    request.key_in_body = head.write_key or _key_of_first(head) or head.api_key or ""
    return None


def add_key(request: Request, _: Context) -> Refusal | None:
    """The key: Basic user name, bearer, `writeKey` (top level or first member) or `api_key`."""
    request.key = key_of(request.headers.get(b"authorization", b"")) or request.key_in_body
    if not request.key:
        message = "no key: send the source's write key as Basic user name, bearer token or writeKey"
        return Refusal(Reason.KEY_MISSING, message)
    return None


def add_source(request: Request, context: Context) -> Refusal | None:
    request.access = context.sources.find(request.key)
    if request.access is None:
        return Refusal(Reason.KEY_UNKNOWN, "this key belongs to no source; `hark source add NAME` makes one")
    if not request.access.is_good(request.received_at):
        return Refusal(Reason.KEY_DISABLED, "this key, or its source, is disabled; use a current one")
    return None


def refuse_public_key(request: Request, _: Context) -> Refusal | None:
    if request.access and not request.access.secret:
        return Refusal(Reason.NEEDS_SECRET_KEY, "only the source's secret key may do this")
    return None


def read_by(step: Step) -> Step:
    """The step, where the body is of another shape an invalid call."""

    def read(request: Request, context: Context) -> Refusal | None:
        try:
            return step(request, context)
        except InvalidError as error:
            return Refusal(Reason.INVALID_CALL, error.message, detail=error.reason)
        except msgspec.ValidationError as error:
            return Refusal(Reason.INVALID_CALL, str(error), detail=MemberReason.WRONG_TYPE)

    return read


def refuse_origin(request: Request, _: Context) -> Refusal | None:
    """A page of another origin than the source allows; what is no browser sends none."""
    allowed = request.access.origins if request.access else frozenset()
    origin = request.headers.get(b"origin", b"").decode("latin-1") if allowed else ""
    if origin and origin not in allowed:
        return Refusal(Reason.ORIGIN_REFUSED, f"the source takes nothing from pages of {origin}")
    return None


def refuse_large_body(request: Request, _: Context) -> Refusal | None:
    """What was read may be as large as the most generous source allows."""
    if request.access and len(request.body) > request.access.source.body_bytes:
        return body.too_large(request.access.source.body_bytes)
    return None


def refuse_rate(request: Request, context: Context) -> Refusal | None:
    own_per_s = request.access.source.rate_per_s if request.access else None
    wait_s = context.rate.wait_s(request.key, request.received_at, own_per_s)
    if wait_s:
        return Refusal(Reason.RATE_PASSED, "this key sends more requests than it may", wait_s)
    return None


def refuse_no_batch(request: Request, context: Context) -> Refusal | None:
    if not request.batched:
        return None
    if request.batch_size is None:
        return Refusal(Reason.NO_BATCH, "a batch needs `batch`, a list of calls")
    if request.batch_size > context.limits.events:
        message = f"the batch has {request.batch_size} calls, at most {context.limits.events}"
        return Refusal(Reason.TOO_MANY_EVENTS, message)
    return None


def add_members(request: Request, _: Context) -> Refusal | None:
    """Which of the calls count, and which are refused why."""
    access = request.access
    whole = sound(request.body, request.batch) if request.kind == "batch" and request.batch else None
    if whole and not (access and access.guarded & whole.names):
        request.calls = whole.calls
        return body.refuse_out_of_range(request.body, [whole.objects])
    row = Row(0, Lane.LIVE, request.received_at, request.source, request.kind, request.body)
    try:
        members = formats.members(row, request.batch)
    except msgspec.MsgspecError as error:
        return Refusal(Reason.INVALID_CALL, f"the body is no {request.kind}: {error}", detail="wrong_type")
    if access and access.guarded:
        members = [_guard(member, access.guarded) for member in members]
    request.calls = len(members)
    request.secret_alias = bool(access and access.secret) and any(map(_is_alias, members))
    request.refused = [member for member in members if type(member) is Refused]
    return body.refuse_out_of_range(request.body, _objects(members))


def refuse_invalid_call(request: Request, _: Context) -> Refusal | None:
    if request.batched or not request.refused:
        return None
    refused = request.refused[0]
    if refused.reason is MemberReason.NEEDS_SECRET_KEY:
        return Refusal(Reason.NEEDS_SECRET_KEY, refused.message)
    return Refusal(Reason.INVALID_CALL, refused.message, detail=refused.reason)


def refuse_invalid_members(request: Request, _: Context) -> Refusal | None:
    """In strict mode one invalid member refuses the batch."""
    if request.refused and request.access and request.access.source.strict:
        first = request.refused[0]
        message = f"the source is strict and call {first.member} is invalid: {first.message}"
        return Refusal(Reason.INVALID_MEMBERS, message)
    return None


BEFORE_BODY: tuple[Step, ...] = (refuse_draining, refuse_large_headers)
"""What needs no body, so that none is read in vain."""

STEPS: tuple[Step, ...] = (
    add_unpacked_body,
    refuse_large_call,
    add_head,
    add_key,
    add_source,
    refuse_origin,
    refuse_large_body,
    refuse_rate,
    refuse_no_batch,
    add_members,
    refuse_invalid_call,
    refuse_invalid_members,
)


def rows(request: Request) -> list[NewRow]:
    """What of the request goes to the log: one row, or none if no call counts."""
    if len(request.refused) == request.calls:
        return []
    refused = msgspec.json.encode([one.member for one in request.refused]) if request.refused else b""
    lane, at = request.lane, request.received_at
    kind = request.kind + formats.SECRET if request.secret_alias else request.kind
    calls = request.calls - len(request.refused)
    return [NewRow(lane, at, request.source, kind, request.body, refused, calls)]


def rejects(request: Request) -> list[Reject]:
    """What of the request goes to the reject log."""
    at, source = request.received_at, request.source
    return [Reject(at, source, one.member, one.reason, one.message, one.excerpt) for one in request.refused]


def key_of(authorization: bytes) -> str:
    """The key in an Authorization header: Basic user name or bearer token; "" if there is none."""
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip().decode("latin-1")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(value.strip()).partition(b":")[0].decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def _key_of_first(head: body.Head) -> str:
    """The writeKey of a batch's first call."""
    if not head.batch or b"writeKey" not in bytes(head.batch[0]):
        return ""
    first = body.read_head(bytes(head.batch[0]))
    return "" if isinstance(first, Refusal) else first.write_key or ""


def _objects(members: list[Call | Refused]) -> list[bytes]:
    """The calls' objects that are stored as they came."""
    calls = [member for member in members if type(member) is Call]
    contexts = {call.context for call in calls} | {call.traits for call in calls}
    return [*(call.properties for call in calls), *contexts]


def _is_alias(member: Call | Refused) -> bool:
    return type(member) is Call and member.kind is Kind.ALIAS


def _guard(member: Call | Refused, protected: frozenset[str]) -> Call | Refused:
    if type(member) is Call and member.name in protected:
        message = f"{member.name!r} is protected: it needs the source's secret key"
        return Refused(member.member, MemberReason.NEEDS_SECRET_KEY, message, member.properties)
    return member
