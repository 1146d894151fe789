"""What goes to the reject log: refused calls of a batch, and requests that were refused as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from hark.clock import Clock
from hark.collect import formats
from hark.collect.counts import Counts
from hark.collect.queue import Appender
from hark.collect.rate import Rate
from hark.collect.refusals import Reason, Refusal
from hark.errors import HarkError
from hark.model import Instant, Lane
from hark.store.contracts import NewRow, Reject, Row

WHOLE = -1
"""The index of an entry that is a whole request."""
PER_S = 20.0
"""Requests refused as a whole that are kept in a second; more are counted only, so that nobody without a key
can fill the disk."""
EVENTS = 2_500
"""Calls in one row."""
_TEMPORARY = (429, 503)
_PATHS = (Reason.UNKNOWN_PATH, Reason.WRONG_METHOD)


class RejectLog:
    """Keeps whole requests that were refused, without anybody waiting for it."""

    def __init__(self, appender: Appender, clock: Clock, counts: Counts) -> None:
        self._appender = appender
        self._clock = clock
        self.counts = counts
        self._rate = Rate(PER_S)
        self._writing: set[asyncio.Task[None]] = set()

    def refused(self, refusal: Refusal, source: str, body: bytes) -> None:
        """Count the refusal, and keep it if it says what a client does wrong."""
        now = self._clock.now()
        reason = refusal.detail or refusal.reason
        kept = refusal.status not in _TEMPORARY and refusal.reason not in _PATHS
        if not kept or self._rate.wait_s("", now):
            self.counts.refuse(source, reason)
            return
        excerpt = body[: formats.EXCERPT_BYTES]
        task = asyncio.ensure_future(self._keep(Reject(now, source, WHOLE, reason, refusal.message, excerpt)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _keep(self, reject: Reject) -> None:
        try:
            await self._appender.append([], [reject])
        except HarkError:
            self.counts.refuse(reject.source, reject.reason)


def checked(row: Row) -> tuple[NewRow, list[Reject]]:
    """A row for the log with the members that are refused named in it, as if it had come in by HTTP.

    Raises msgspec.MsgspecError or ValueError if the body is no batch, or too large a one.
    """
    head = (Lane(row.lane), row.received_at, row.source, row.kind, row.body)
    if not formats.has_calls(row.kind):
        return NewRow(*head), []
    members = formats.members(row)
    if len(members) > EVENTS:
        raise ValueError(f"a row has {len(members)} calls, at most {EVENTS}")
    refused = [one for one in members if isinstance(one, formats.Refused)]
    indices = msgspec.json.encode([one.member for one in refused]) if refused else b""
    rejects = as_rejects(refused, row.received_at, row.source)
    return NewRow(*head, indices, len(members) - len(refused)), rejects


def as_rejects(refused: Sequence[formats.Refused], at: Instant, source: str) -> list[Reject]:
    """Refused calls as entries of the reject log."""
    return [Reject(at, source, one.member, one.reason, one.message, one.excerpt) for one in refused]
