"""The ASGI application on the public port: finds the route of a request, answers `/control/`, passes the
rest on.

A 200 for a call means that it is on disk. Nothing a client sends is answered by 5xx, except 503 with
Retry-After for what is temporary.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import unquote

from hark.clock import Clock
from hark.collect.counts import Counts
from hark.collect.http import HEADERS, Answer, App, Collector, Headers, Incoming, Receive, Scope, Send, reply
from hark.collect.queue import Appender
from hark.collect.refusals import Reason, Refusal
from hark.collect.rejects import RejectLog
from hark.collect.routes import OURS, ROUTES, THEIRS, Answers, Route
from hark.collect.steps import Context

Methods: TypeAlias = dict[str, Answers]

_PREFLIGHT: Headers = [
    *HEADERS,
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding"),
    (b"access-control-max-age", b"86400"),
]
_NAME = re.compile(r"\\\{(\w+)\\\}")

_log = logging.getLogger("hark.collect")


class Paths:
    """The table of routes, ready for looking up."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._plain: dict[str, Methods] = {}
        self._named: dict[str, tuple[re.Pattern[str], Methods]] = {}
        for route in routes:
            self._methods(route.path)[route.method] = route.answers

    def find(self, scope: Scope) -> tuple[Methods, Mapping[str, str]] | None:
        """What may be done at the request's path, and its named segments; None: no route has this path."""
        path: str = scope["path"]
        methods = self._plain.get(path)
        if methods is not None:
            return methods, {}
        raw = (scope.get("raw_path") or path.encode()).partition(b"?")[0].decode("latin-1")
        for pattern, methods in self._named.values():
            if found := pattern.fullmatch(raw):
                return methods, {name: unquote(value) for name, value in found.groupdict().items()}
        return None

    def _methods(self, path: str) -> Methods:
        if "{" not in path:
            return self._plain.setdefault(path, {})
        pattern = re.compile(_NAME.sub(r"(?P<\1>[^/]+)", re.escape(path)))
        return self._named.setdefault(path, (pattern, {}))[1]


class Collect:
    """The application: `control` answers `/control/...`, `rest` every path that is not ours."""

    def __init__(
        self,
        context: Context,
        appender: Appender,
        clock: Clock,
        counts: Counts,
        control: App,
        rest: App,
    ) -> None:
        self._collector = Collector(context, appender, clock, RejectLog(appender, clock, counts))
        self._control = control
        self._rest = rest
        self._paths = Paths(ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        found = self._paths.find(scope)
        path: str = scope["path"]
        if found is not None:
            await reply(send, await self._answer(*found, scope, receive))
        elif path.startswith("/control/"):
            await self._control(scope, receive, send)
        elif path.startswith(OURS) and not THEIRS.fullmatch(path):
            unknown = Refusal(Reason.UNKNOWN_PATH, f"there is no {path}")
            await reply(send, self._collector.refused(unknown))
        else:
            await self._rest(scope, receive, send)

    async def _answer(
        self, methods: Methods, params: Mapping[str, str], scope: Scope, receive: Receive
    ) -> Answer:
        method: str = scope["method"]
        answers = methods.get(method)
        if answers is None:
            return self._other_method(methods, scope)
        client: str = (scope.get("client") or ("",))[0]
        headers, query = scope["headers"], scope["query_string"]
        incoming = Incoming(method, scope["path"], headers, query, receive, params, client)
        try:
            return await answers(self._collector, incoming)
        except Exception:
            _log.exception("a request could not be answered")
            mistake = Refusal(Reason.UNEXPECTED, "the server made a mistake; send it again later", 60)
            return self._collector.refused(mistake)

    def _other_method(self, methods: Methods, scope: Scope) -> Answer:
        """A browser's preflight is told what it may do, every other method is refused.

        A preflight has no key yet: an origin is told no only where no source at all takes its pages.
        """
        allowed = ", ".join([*methods, "OPTIONS"])
        if scope["method"] == "OPTIONS":
            origin = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
            may = not origin or self._collector.context.sources.allows(origin)
            says = _PREFLIGHT if may else []
            return Answer(200, b"{}", [*says, (b"access-control-allow-methods", allowed.encode())])
        wrong = Refusal(Reason.WRONG_METHOD, f"send {' or '.join(methods)}, not {scope['method']}")
        refused = self._collector.refused(wrong)
        return Answer(refused.status, refused.body, [*refused.headers, (b"allow", allowed.encode())])
