"""A call or a batch comes in: its body is read, goes through the steps and into the log, then the 200."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from hark.collect import steps
from hark.collect.http import DONE, Answer, Collector, Incoming, refused
from hark.collect.refusals import Reason, Refusal
from hark.collect.steps import Request, Step

_KEPT = (Reason.INVALID_CALL, Reason.NEEDS_SECRET_KEY)
"""A single call that is refused stands in the reject log by itself when it is answered."""


def takes(
    kind: str, path: Sequence[Step] = steps.STEPS
) -> Callable[[Collector, Incoming], Awaitable[Answer]]:
    """What answers where calls of `kind` (or batches) come in; their bodies go through these steps."""

    async def take(collector: Collector, incoming: Incoming) -> Answer:
        request = _request(kind, incoming, collector)
        refusal = await _read(request, incoming, collector, path) or await _store(request, collector)
        if refusal and request.refused and refusal.reason in _KEPT:
            return refused(refusal)
        if refusal:
            return collector.refused(refusal, _source(request, collector), request.body)
        return _success(request) if request.refused else DONE

    return take


async def _read(
    request: Request, incoming: Incoming, collector: Collector, path: Sequence[Step]
) -> Refusal | None:
    """Read the body and take the request through the steps."""
    refusal = steps.run(steps.BEFORE_BODY, request, collector.context)
    if refusal:
        return refusal
    body = await collector.body(incoming)
    if isinstance(body, Refusal):
        return body
    request.body = body
    request.received_at = collector.clock.now()
    refusal = steps.run(path, request, collector.context)
    if refusal and request.refused:
        await collector.append([], steps.rejects(request))
    return refusal


async def _store(request: Request, collector: Collector) -> Refusal | None:
    rows, rejects = steps.rows(request), steps.rejects(request)
    return await collector.append(rows, rejects) if rows or rejects else None


def _source(request: Request, collector: Collector) -> str:
    """The name of the source, also where the refusal came before its step but a header has the key."""
    key = steps.key_of(request.headers.get(b"authorization", b""))
    access = request.access or (collector.context.sources.find(key) if key else None)
    return access.source.name if access else ""


def _request(kind: str, incoming: Incoming, collector: Collector) -> Request:
    headers = incoming.headers
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    now = collector.clock.now()
    return Request(kind, now, dict(headers), size, incoming.params, incoming.query)


def _success(request: Request) -> Answer:
    refused = [{"index": one.member, "code": one.reason, "message": one.message} for one in request.refused]
    return Answer(200, msgspec.json.encode({"success": True, "refused": refused}))
