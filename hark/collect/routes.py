"""The public paths: one line each, and what answers it. A path that stands in no line is the console's.

An answer is an async function of the collector (what all of them share) and the incoming request; it returns
a whole `Answer`. `{name}` stands for one segment of a path and is given, unquoted, in `incoming.params`.
OPTIONS (a browser's preflight), 404 below the prefixes of `OURS` and 405 follow from the table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct

from hark.collect import browser, client, customerio, formats, health, openapi, triggers
from hark.collect.hooks.way import HOOK
from hark.collect.http import Answer, Collector, Incoming
from hark.collect.take import takes

Answers: TypeAlias = Callable[[Collector, Incoming], Awaitable[Answer]]


class Route(Struct, frozen=True):
    """One line of the table."""

    method: str
    path: str
    answers: Answers


ROUTES = (
    Route("GET", "/health/live", health.live),
    Route("GET", "/health/ready", health.ready),
    Route("GET", "/metrics", health.measured),
    Route("GET", "/openapi.json", openapi.described),
    Route("GET", "/hark.js", client.give_script),
    Route("GET", "/hark.mjs", client.give_module),
    Route("GET", "/hark-in-app.js", client.give_in_app),
    Route("GET", "/hark-in-app.mjs", client.give_in_app_module),
    Route("GET", "/hark-sw.js", client.give_worker),
    Route("POST", "/v1/track", takes("track")),
    Route("POST", "/v1/t", takes("track")),
    Route("POST", "/v1/identify", takes("identify")),
    Route("POST", "/v1/i", takes("identify")),
    Route("POST", "/v1/page", takes("page")),
    Route("POST", "/v1/p", takes("page")),
    Route("POST", "/v1/screen", takes("screen")),
    Route("POST", "/v1/s", takes("screen")),
    Route("POST", "/v1/group", takes("group")),
    Route("POST", "/v1/g", takes("group")),
    Route("POST", "/v1/alias", takes("alias")),
    Route("POST", "/v1/a", takes("alias")),
    Route("POST", "/v1/batch", takes("batch")),
    Route("POST", "/v1/b", takes("batch")),
    Route("POST", "/batch/", takes("posthog")),
    Route("POST", "/batch", takes("posthog")),
    Route("POST", "/v1/m", browser.metrics),
    Route("GET", "/v1/projects/{key}/settings", browser.settings),
    Route("PUT", "/api/v1/customers/{id}", takes("identify", customerio.IDENTIFY)),
    Route("DELETE", "/api/v1/customers/{id}", takes("command", customerio.ERASURE)),
    Route("POST", "/api/v1/customers/{id}/events", takes("track", customerio.EVENT)),
    Route("POST", "/api/v1/events", takes("track", customerio.EVENT)),
    Route("PUT", "/api/v1/customers/{id}/devices", takes("identify", customerio.DEVICE)),
    Route("DELETE", "/api/v1/customers/{id}/devices/{device}", takes("track", customerio.DEVICE_REMOVAL)),
    Route("POST", "/api/v1/customers/{id}/suppress", takes("command", customerio.SUPPRESSION)),
    Route("POST", "/api/v1/customers/{id}/unsuppress", takes("command", customerio.RELEASE)),
    Route("POST", "/api/v1/merge_customers", takes("alias", customerio.MERGE)),
    Route("POST", "/api/v1/campaigns/{campaign}/trigger", takes(formats.TRIGGER, triggers.TRIGGER)),
    Route("POST", "/hooks/{source}", takes(formats.HOOK, HOOK)),
)

OURS = ("/v1/", "/api/v1/", "/hooks/", "/health/")
"""Under these prefixes what is in no line is 404 in JSON."""
THEIRS = re.compile(r"/api/v1/(customers/.+/arms|messages|messages/.+)")
"""But this the console answers: it is of decisions, of which collect knows nothing."""
