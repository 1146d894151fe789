"""`/health/live`, `/health/ready` and `/metrics`: for whoever starts, balances and watches servers."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from importlib import import_module
from typing import Any

import msgspec
from msgspec import Struct

from hark.collect.http import Answer, Collector, Headers, Incoming
from hark.collect.readiness import Red, RedReason
from hark.collect.refusals import Reason, Refusal
from hark.collect.steps import key_of

_JSON: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_RETRY = (b"retry-after", b"5")
_FORWARDED = frozenset((b"forwarded", b"x-forwarded-for", b"x-real-ip"))


class Ready(Struct, frozen=True):
    """What `/health/ready` says; 200 where nothing is wrong, else 503."""

    ready: bool
    reasons: list[Red]
    lag_s: float


async def live(_: Collector, __: Incoming) -> Answer:
    """200 as long as this process can answer at all."""
    return Answer(200, b'{"live":true}', _JSON)


async def ready(collector: Collector, _: Incoming) -> Answer:
    """Whether requests should be sent here, and if not, every reason by name."""
    watch = collector.context.watch
    found = watch.reds()
    # One that is fenced takes all that comes in: only nothing goes out.
    refuses = any(red.reason is not RedReason.FENCED for red in found)
    said = msgspec.json.encode(Ready(not refuses, found, round(watch.lag_s(), 3)))
    return Answer(503, said, [*_JSON, _RETRY]) if refuses else Answer(200, said, _JSON)


async def measured(collector: Collector, incoming: Incoming) -> Answer:
    """The metrics, for this machine or by the token; else the path is not there."""
    if not _may(incoming, collector.context.watch.settings.metrics_token):
        hint = "only this machine may read it, or a bearer token that stands in hark.toml as metrics_token"
        return collector.refused(Refusal(Reason.UNKNOWN_PATH, f"there is no {incoming.path}: {hint}"))
    metrics: Any = await asyncio.to_thread(import_module, "hark.collect.metrics")
    calls = metrics.by_source(collector.rejects.counts)
    watch, waiting = collector.context.watch, collector.appender.waiting
    content_type, text = await asyncio.to_thread(metrics.exposition, watch, calls, waiting)
    return Answer(200, text, [(b"content-type", content_type)])


def _may(incoming: Incoming, token: str) -> bool:
    """By the token; or from this machine, unless a proxy on it asks for somebody else."""
    headers = dict(incoming.headers)
    given = key_of(headers.get(b"authorization", b""))
    if token and given:
        return hmac.compare_digest(given.encode(), token.encode())
    try:
        return ipaddress.ip_address(incoming.client).is_loopback and not headers.keys() & _FORWARDED
    except ValueError:
        return False
