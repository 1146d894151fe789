"""The steps of a webhook, which take the place of reading a call: know its mapping, believe it, map it.

Who sent it is shown by the provider's signature; where the mapping asks for none, by a key of the source:
Basic user name, bearer token or `?key=` in the address. A signed webhook may do what its secret key may.
What no rule is for is answered by 200 too, since sending it again would help nobody, and stands in the
reject log.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from hark.collect import formats, steps
from hark.collect.calls import EXCERPT_BYTES, Refused
from hark.collect.hooks import events, payload, signatures
from hark.collect.hooks.signatures import Delivery
from hark.collect.refusals import MemberReason, Reason, Refusal
from hark.collect.sources import Access, Key
from hark.collect.steps import Context, Request, Step
from hark.definitions.mapping import Source
from hark.model import JSON, ConsentName, Instant, Lane
from hark.store.contracts import Row

SIGNED = Key("signature", True, "")
"""What a believed signature is worth: a secret key."""
_ANSWERS = frozenset(map(str, ConsentName))
"""What people say of being written to, which goes before everything that waits."""
IGNORED = "no rule of the mapping is for this payload"


def add_mapping(request: Request, context: Context) -> Refusal | None:
    name = request.params["source"]
    request.hook = context.hooks.find(name)
    if request.hook is None:
        hint = "make the source and apply a `source` document with a mapping"
        return Refusal(Reason.UNKNOWN_HOOK, f"no source {name!r} has a mapping for webhooks: {hint}")
    return None


def add_sender(request: Request, context: Context) -> Refusal | None:
    """The source, once it is sure who sent it."""
    assert request.hook
    return _add_keyed(request, context) if request.hook.signature is None else _add_signed(request, context)


def _add_signed(request: Request, context: Context) -> Refusal | None:
    assert request.hook and request.hook.signature
    name = request.hook.name
    source = next((one for one in context.sources.all if one.name == name), None)
    if source is None or source.disabled:
        message = f"the source {name} was never made (hark source add), or is disabled"
        return Refusal(Reason.KEY_DISABLED, message)
    request.access, request.key = Access(source, SIGNED), f"signed {name}"
    now = request.received_at
    secrets = [one.held for one in source.hook_secrets if one.is_good(now)]
    delivery = Delivery(request.body, request.headers, _address(request, context))
    return signatures.refusal(delivery, request.hook.signature, secrets, now)


def _add_keyed(request: Request, context: Context) -> Refusal | None:
    assert request.hook
    request.key_in_body = dict(parse_qsl(request.query.decode("latin-1"))).get("key", "")
    refusal = steps.run((steps.add_key, steps.add_source), request, context)
    if refusal is None and request.source != request.hook.name:
        request.access = None
        return Refusal(Reason.KEY_UNKNOWN, f"this key is not one of the source {request.hook.name}")
    return refusal


def add_calls(request: Request, _: Context) -> Refusal | None:
    """The payload as a batch of calls."""
    assert request.hook
    document = payload.document(request.body, request.headers, request.query)
    if isinstance(document, Refusal):
        return document
    mapped = events.mapped(request.hook, document)
    if mapped.known:
        if any(call.get("event") in _ANSWERS for call in mapped.calls):
            request.lane = Lane.URGENT
        request.body = msgspec.json.encode({"batch": mapped.calls})
        return steps.add_members(request, _)
    ignored = Refused(-1, MemberReason.IGNORED, IGNORED, request.body[:EXCERPT_BYTES])
    request.calls, request.refused = 1, [ignored]
    return None


def refuse_invalid(request: Request, context: Context) -> Refusal | None:
    """In strict mode one invalid call refuses the webhook; a payload without a meaning is not invalid."""
    if any(one.reason is MemberReason.IGNORED for one in request.refused):
        return None
    return steps.refuse_invalid_members(request, context)


def _address(request: Request, context: Context) -> str:
    """The address as the provider called it: under `base_url`, else by what the proxy and the caller say."""
    path, query = f"/hooks/{request.params['source']}", request.query.decode("latin-1")
    base = context.hooks.base_url
    if not base:
        scheme = request.headers.get(b"x-forwarded-proto", b"http").decode("latin-1")
        host = request.headers.get(b"x-forwarded-host") or request.headers.get(b"host", b"")
        base = f"{scheme}://{host.decode('latin-1')}"
    return f"{base}{path}?{query}" if query else base + path


HOOK: tuple[Step, ...] = (
    add_mapping,
    add_sender,
    steps.add_unpacked_body,
    steps.refuse_large_body,
    steps.refuse_rate,
    add_calls,
    refuse_invalid,
)
"""What a webhook's body goes through."""


class Preview(Struct, frozen=True):
    """What a payload would become."""

    known: bool
    calls: list[JSON]
    refused: list[Refused]


def preview(hook: Source, content: bytes, headers: Mapping[bytes, bytes], now: Instant) -> Preview | Refusal:
    """The calls of a payload, and which of them would be refused. A form is told by its look."""
    if b"content-type" not in headers and content.lstrip()[:1] not in (b"{", b"[") and b"=" in content:
        headers = {**headers, b"content-type": b"application/x-www-form-urlencoded"}
    document = payload.document(content.strip(), headers, b"")
    if isinstance(document, Refusal):
        return document
    found = events.mapped(hook, document)
    row = Row(0, Lane.LIVE, now, hook.name, formats.HOOK, msgspec.json.encode({"batch": found.calls}))
    refused = [one for one in formats.members(row) if isinstance(one, Refused)]
    return Preview(found.known, found.calls, refused)
