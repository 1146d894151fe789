"""A call or a batch comes in: its body is read, goes through the steps and into the log, then the 200."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from hark.collect import steps
from hark.collect.http import DONE, Answer, Collector, Incoming
from hark.collect.refusals import Refusal
from hark.collect.steps import Request


def takes(kind: str) -> Callable[[Collector, Incoming], Awaitable[Answer]]:
    """What answers a path at which calls of `kind` (or batches) come in."""

    async def take(collector: Collector, incoming: Incoming) -> Answer:
        request = _request(kind, incoming, collector)
        refusal = await _read(request, incoming, collector) or await _store(request, collector)
        if refusal:
            return collector.refused(refusal, request.source)
        return _success(request) if request.refused else DONE

    return take


async def _read(request: Request, incoming: Incoming, collector: Collector) -> Refusal | None:
    """Read the body and take the request through the steps."""
    refusal = steps.run(steps.BEFORE_BODY, request, collector.context)
    if refusal:
        return refusal
    body = await collector.body(incoming)
    if isinstance(body, Refusal):
        return body
    request.body = body
    request.received_at = collector.clock.now()
    refusal = steps.run(steps.STEPS, request, collector.context)
    if refusal and request.refused:
        await collector.append([], steps.rejects(request))
    return refusal


async def _store(request: Request, collector: Collector) -> Refusal | None:
    rows, rejects = steps.rows(request), steps.rejects(request)
    refusal = await collector.append(rows, rejects) if rows or rejects else None
    if refusal is None:
        collector.counts.accept(request.source, request.calls - len(request.refused))
        for one in request.refused:
            collector.counts.refuse(request.source, one.reason)
    return refusal


def _request(kind: str, incoming: Incoming, collector: Collector) -> Request:
    headers = incoming.headers
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    return Request(kind, collector.clock.now(), dict(headers), size)


def _success(request: Request) -> Answer:
    refused = [{"index": one.member, "code": one.reason, "message": one.message} for one in request.refused]
    return Answer(200, msgspec.json.encode({"success": True, "refused": refused}))
