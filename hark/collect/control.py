"""`/control/`: what the commands, the console and the engine ask of collect. Loopback and token only."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from hark.clock import Clock
from hark.collect import steps
from hark.collect.counts import Counts
from hark.collect.http import Receive, Scope, Send, answer, read_body, refuse, unwritten
from hark.collect.queue import Appender, Log
from hark.collect.refusals import Reason, Refusal
from hark.collect.rejects import checked
from hark.collect.source_changes import Change, apply
from hark.collect.sources import Sources, read_sources
from hark.errors import HarkError
from hark.model import Instant, Lane
from hark.store.contracts import NewRow, Reject, Row

BODY_BYTES = 64 << 20
BODY_S = 60.0
_JSON = [(b"content-type", b"application/json")]

Found: TypeAlias = "dict[str, Any] | Refusal"


class _Row(Struct):
    lane: int | str
    kind: str
    source: str
    body: Raw


class _Reject(Struct):
    """What a command refused before it came here: a line of a file."""

    source: str
    index: int
    reason: str
    message: str
    excerpt: str


class _Rows(Struct):
    rows: list[_Row]
    rejects: list[_Reject] = []


class Control:
    """The application under `/control/`; with a wrong token or from elsewhere it is not there (404)."""

    def __init__(
        self, token: str, appender: Appender, store: Log, sources: Sources, clock: Clock, counts: Counts
    ) -> None:
        self._token = token.encode()
        self._appender = appender
        self._store = store
        self._sources = sources
        self._clock = clock
        self._counts = counts
        self._paths: dict[tuple[str, str], Callable[[bytes], Awaitable[Found]]] = {
            ("POST", "/control/append"): self._append,
            ("POST", "/control/sources"): self._change_source,
            ("GET", "/control/status"): self._status,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        do = self._paths.get((scope["method"], scope["path"]))
        if do is None or not self._may(scope):
            await refuse(send, Refusal(Reason.UNKNOWN_PATH, f"there is no {scope['path']}"))
            return
        body = await read_body(receive, BODY_BYTES, BODY_S)
        found = body if isinstance(body, Refusal) else await self._do(do, body)
        if isinstance(found, Refusal):
            await refuse(send, found)
        else:
            await answer(send, 200, msgspec.json.encode(found), _JSON)

    def _may(self, scope: Scope) -> bool:
        token = steps.key_of(dict(scope["headers"]).get(b"authorization", b""))
        return _is_loopback(scope) and hmac.compare_digest(token.encode(), self._token)

    async def _do(self, do: Callable[[bytes], Awaitable[Found]], body: bytes) -> Found:
        try:
            return await do(body)
        except (msgspec.MsgspecError, ValueError) as error:
            return Refusal(Reason.BROKEN_JSON, str(error))
        except OSError as error:
            message = f"it can't be written: {error.strerror}; free some space, or look at the disk"
            return Refusal(Reason.DISK_FULL, message, retry_after_s=60)

    async def _append(self, body: bytes) -> Found:
        given = msgspec.json.decode(body, type=_Rows | list[_Row])
        rows, rejects = [], _rejects(given, self._clock.now())
        for one in given.rows if isinstance(given, _Rows) else given:
            row, refused = _checked(one, self._clock.now())
            rows.append(row)
            rejects += refused
        try:
            seqs = await self._appender.append(rows, rejects)
        except HarkError as error:
            return unwritten(error)
        return {"rows": seqs, "refused": len(rejects)}

    async def _change_source(self, body: bytes) -> Found:
        change = msgspec.json.decode(body, type=Change)
        try:
            made = apply(self._sources.data, change, self._clock.now())
        except HarkError as error:
            return Refusal(Reason.INVALID_CALL, f"{error.message}: {error.hint}", detail=error.id)
        self._sources.use(read_sources(self._sources.data))
        return {"source": made.source, "write_key": made.write_key, "secret_key": made.secret_key}

    async def _status(self, _: bytes) -> Found:
        counts = self._counts
        end = {lane.name.lower(): seq for lane, seq in self._store.ends.items()}
        totals = {"end": end, "received": counts.accepted + counts.refused, "refused": counts.refused}
        return totals | {"sources": counts.by_source()}


def _rejects(given: _Rows | list[_Row], now: Instant) -> list[Reject]:
    found = given.rejects if isinstance(given, _Rows) else []
    return [
        Reject(now, one.source, one.index, one.reason, one.message, one.excerpt.encode()) for one in found
    ]


def _checked(given: _Row, now: Instant) -> tuple[NewRow, list[Reject]]:
    lane = Lane[given.lane.upper()] if isinstance(given.lane, str) else Lane(given.lane)
    body = bytes(given.body)
    return checked(Row(0, lane, now, given.source, given.kind, body))


def _is_loopback(scope: Scope) -> bool:
    client = scope.get("client") or ("",)
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
