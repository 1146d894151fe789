"""What Segment's browser client asks for besides sending calls: its settings, and a place for its metrics."""

from __future__ import annotations

import msgspec

from hark.collect.http import DONE, Answer, Collector, Incoming
from hark.collect.refusals import Reason, Refusal


async def settings(collector: Collector, incoming: Incoming) -> Answer:
    """The client starts up with these; calls then go to the host that they came from."""
    key = incoming.params["key"]
    access = collector.context.sources.find(key)
    if access is None or not access.is_good(collector.clock.now()):
        return collector.refused(Refusal(Reason.KEY_UNKNOWN, "this key belongs to no source, or is disabled"))
    scheme, host = _address(dict(incoming.headers))
    segment = {
        "apiKey": key,
        "apiHost": f"{host}/v1",
        "protocol": scheme,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    said = {"integrations": {"Segment.io": segment}, "plan": {"track": {}, "identify": {}, "group": {}}}
    return Answer(200, msgspec.json.encode(said))


async def metrics(collector: Collector, incoming: Incoming) -> Answer:
    """The client's counts of its own doing are nobody's events: accepted and let go."""
    body = await collector.body(incoming)
    return collector.refused(body) if isinstance(body, Refusal) else DONE


def _address(headers: dict[bytes, bytes]) -> tuple[str, str]:
    """(scheme, host) by which the page reached us, also through a proxy."""
    scheme = headers.get(b"x-forwarded-proto", b"http").decode("latin-1")
    host = headers.get(b"x-forwarded-host") or headers.get(b"host", b"")
    return scheme, host.decode("latin-1")
