"""Where the parts are joined: a workspace is a data directory and, maybe, a running server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import msgspec

from hark import settings
from hark.clock import Clock, WallClock
from hark.collect.address import Address, read_address
from hark.collect.source_changes import Add, Change, apply
from hark.collect.sources import Made
from hark.errors import HarkError
from hark.kernels import keep_kernels
from hark.model import JSON, Lane
from hark.store.contracts import OutboxRow, Reject, Row
from hark.store.locks import claim, hold, holder

if TYPE_CHECKING:
    # Here and below: loaded only where it is needed, so that a command starts in a tenth of the time.
    from hark.engine.loop import Engine
    from hark.history.reader import Snapshot
    from hark.loopback import Caller
    from hark.model import Outcome
    from hark.speak.deliver import Deliverer
    from hark.speak.links import Links
    from hark.store.log import LogStore
    from hark.store.state_reader import StateReader

PATIENCE_S = 30.0
DERIVED = 2000
"""Worked-out events in one row of the log."""


def live_engine(data: Path, clock: Clock, url: str) -> Engine:
    """The engine of a server at `url`, with deliverer threads behind it."""
    from hark.engine.loop import Engine, telling
    from hark.speak.keyfile import open_links
    from hark.store.vitals import Pulse

    chosen = settings.read(data)
    links = open_links(data, chosen.base_url or url)
    with telling(Pulse(data)):
        return Engine(data, clock, _Speaker(data, clock, links, chosen), chosen)


class _Speaker:
    """The deliverer, made for the first message: what renders and speaks HTTP takes as long to load as the
    rest of the engine, and events need not wait for it."""

    def __init__(self, data: Path, clock: Clock, links: Links, chosen: settings.Settings) -> None:
        self._data, self._clock, self._links, self._chosen = data, clock, links, chosen
        self._deliverer: Deliverer | None = None
        self._one = Lock()

    def __call__(self, row: OutboxRow) -> Outcome:
        with self._one:
            self._deliverer = self._deliverer or self._made()
        return self._deliverer(row)

    def _made(self) -> Deliverer:
        from hark.speak.attachments import Attachments
        from hark.speak.deliver import Deliverer
        from hark.speak.places import Allowed
        from hark.store.state_reader import open_reader

        state = open_reader(self._data)
        return Deliverer(
            state.documents,
            self._links,
            self._clock,
            secrets=os.environ,
            allowed=Allowed.of(self._chosen.outbound_allow),
            files=Attachments(self._data).of,
            ended=state.endings,
        )


def server(data: Path) -> Address | None:
    """The server that runs on this directory now, if one does."""
    return None if holder(data, "collect") is None else read_address(data)


class Workspace:
    """What the commands do with a data directory, through its server or, without one, by taking its locks."""

    def __init__(self, data: Path, clock: Clock | None = None, make: bool = False) -> None:
        """With `make` the directory is made where it is missing; else HarkError `data.missing`."""
        if make:
            claim(data)
        elif not data.is_dir():
            message = f"there is no data directory {data}"
            raise HarkError(message, hint="name one with --data, or make one: hark serve", id="data.missing")
        keep_kernels(data)
        self.data = data
        self.clock = clock or WallClock()
        self.settings = settings.read(data)

    @property
    def server(self) -> Address | None:
        return server(self.data)

    def add_source(self, name: str) -> Made:
        """A new source with a write key and a secret key."""
        return self.change_source(Add(name))

    def change_source(self, change: Change) -> Made:
        """Change a source, at once also for a running server. Raises HarkError `source...`."""
        found = self.server
        if found:
            body = msgspec.to_builtins(change)
            with _caller(found) as caller:
                return msgspec.convert(post(found, caller, "/control/sources", body), Made)
        with hold(self.data, "collect"):
            return apply(self.data, change, self.clock.now())

    @contextmanager
    def appending(self) -> Iterator[Appender]:
        """Something that appends rows to the log, each on disk when `append` returns."""
        found = self.server
        if found:
            with _caller(found) as caller:
                yield RemoteAppender(found, caller)
            return
        from hark.store.log import LogStore

        with ExitStack() as stack:
            stack.enter_context(hold(self.data, "collect"))
            log = stack.enter_context(closing(LogStore(self.data / "log")))
            yield LocalAppender(log, self.clock)

    def command(self, body: JSON) -> int:
        """A command into the urgent lane; returns once the engine has carried it out."""
        with self.appending() as log:
            row = log.append(Lane.URGENT, "command", "hark", msgspec.json.encode(body))
        self.settle(row, Lane.URGENT)
        return row

    def derive(self, events: Sequence[JSON]) -> None:
        """What was worked out of histories, into these, behind all that comes in; on disk on return."""
        with self.appending() as log:
            for start in range(0, len(events), DERIVED):
                body = {"events": events[start : start + DERIVED]}
                log.append(Lane.BULK, "derived", "hark", msgspec.json.encode(body))

    def settle(self, row: int | None = None, lane: Lane = Lane.LIVE) -> None:
        """Wait until the engine has read `row` of `lane`; without a server, be the engine for a moment."""
        if self.server:
            if row is not None:
                self._wait(row, lane)
            return
        from hark.engine.loop import Engine
        from hark.store.log import LogStore

        with hold(self.data, "collect"):
            LogStore(self.data / "log").close()
        with hold(self.data, "engine"):
            Engine(self.data, self.clock, None, self.settings).catch_up()

    def state(self) -> StateReader:
        """A reader of the state as it stands now."""
        from hark.store.state_reader import open_reader

        return open_reader(self.data)

    def subject(self, id: str) -> int:
        """The customer that has an id. Raises HarkError: `customer.unknown`, `customer.several`."""
        found = self.state().find_all(id)
        if not found:
            hint = "give a userId, an anonymousId, an e-mail address, a phone number, a device or #number"
            raise HarkError(f"nobody has the id {id}", hint, "customer.unknown")
        if len(found) > 1:
            message = f"{len(found)} customers have {id}: {', '.join(f'#{one}' for one in found)}"
            raise HarkError(message, "name one by its number", "customer.several")
        return found[0]

    def snapshot(self) -> Snapshot:
        """The history as it stands now."""
        from hark.history.reader import open_snapshot

        return open_snapshot(self.data, self.state())

    def _wait(self, row: int, lane: Lane) -> None:
        reader, deadline = self.state(), time.monotonic() + PATIENCE_S
        while reader.cursors().get(lane, 0) < row:
            if time.monotonic() > deadline:
                message = f"the engine has not come to row {row} in {PATIENCE_S:.0f} s; it is kept in the log"
                raise HarkError(message, hint="it will be carried out; see `hark check`", id="engine.slow")
            time.sleep(0.01)


def _caller(found: Address) -> Caller:
    from hark.loopback import Caller

    return Caller(found.url, PATIENCE_S)


def post(found: Address, caller: Caller, path: str, body: JSON) -> JSON:
    """What the server answers. Raises HarkError: `server.gone`, or what the server says was wrong."""
    headers = {"Authorization": f"Bearer {found.token}"}
    try:
        status, answer = caller.ask("POST", path, msgspec.json.encode(body), headers)
    except OSError as error:
        message = f"the server at {found.url} did not answer: {error}"
        hint = "look at its terminal, or stop it and try again"
        raise HarkError(message, hint, "server.gone") from None
    if status != 200:
        raise _refusal(answer)
    return msgspec.json.decode(answer)


def _refusal(answer: bytes) -> HarkError:
    """What the server said, under its own code; nothing was kept."""
    try:
        said = msgspec.json.decode(answer)
        return HarkError(said["message"], hint="nothing was kept", id=said["code"])
    except (ValueError, KeyError, TypeError):
        message = f"the server refused: {answer.decode('utf-8', 'replace')}"
        return HarkError(message, hint="nothing was kept", id="server.refused")


class Appender(Protocol):
    """Appends rows to the log, by the log's own store or by a running server."""

    def append(self, lane: Lane, kind: str, source: str, body: bytes, rejects: Sequence[Reject] = ()) -> int:
        """The row's sequence number; it is on disk when this returns, and so are the rejects."""
        ...


class LocalAppender:
    def __init__(self, log: LogStore, clock: Clock) -> None:
        self._log, self._clock = log, clock

    def append(self, lane: Lane, kind: str, source: str, body: bytes, rejects: Sequence[Reject] = ()) -> int:
        from hark.collect.rejects import checked

        row, refused = checked(Row(0, lane, self._clock.now(), source, kind, body))
        return self._log.append([row], [*refused, *rejects])[0]


class RemoteAppender:
    def __init__(self, found: Address, caller: Caller) -> None:
        self._found, self._caller = found, caller

    def append(self, lane: Lane, kind: str, source: str, body: bytes, rejects: Sequence[Reject] = ()) -> int:
        row = {"lane": int(lane), "kind": kind, "source": source, "body": msgspec.Raw(body)}
        given = {"rows": [row], "rejects": [_reject(one) for one in rejects]}
        answer = post(self._found, self._caller, "/control/append", given)
        rows: Sequence[int] = answer["rows"]
        return rows[0]


def _reject(one: Reject) -> JSON:
    return {
        "source": one.source,
        "index": one.index,
        "reason": one.reason,
        "message": one.message,
        "excerpt": one.excerpt.decode("utf-8", "replace"),
    }
