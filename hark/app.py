"""Where the parts are joined: a workspace is a data directory and, maybe, a running server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import httpx
import msgspec

from hark import settings
from hark.clock import Clock, WallClock
from hark.collect.rejects import checked
from hark.collect.serve import Address, read_address
from hark.collect.source_changes import Add, Change, apply
from hark.collect.sources import Made
from hark.errors import HarkError
from hark.history.reader import Snapshot, open_snapshot
from hark.model import JSON, Lane
from hark.speak.keyfile import open_links
from hark.store.contracts import Reject, Row
from hark.store.locks import claim, hold, holder
from hark.store.log import LogStore
from hark.store.state import StateReader, open_reader

if TYPE_CHECKING:
    # Loaded only where it is needed: the supervisor and most commands start in half the time without it.
    from hark.engine.loop import Engine

PATIENCE_S = 30.0


def live_engine(data: Path, clock: Clock, url: str) -> Engine:
    """The engine of a server at `url`, with deliverer threads behind it."""
    from hark.engine.loop import Engine
    from hark.speak.deliver import Deliverer
    from hark.speak.places import Allowed

    chosen = settings.read(data)
    links = open_links(data, chosen.base_url or url)
    deliverer = Deliverer(
        open_reader(data).documents,
        links,
        clock,
        secrets=os.environ,
        allowed=Allowed.of(chosen.outbound_allow),
    )
    return Engine(data, clock, deliverer, chosen)


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
            return msgspec.convert(self._post(found, "/control/sources", body), Made)
        with hold(self.data, "collect"):
            return apply(self.data, change, self.clock.now())

    @contextmanager
    def appending(self) -> Iterator[Appender]:
        """Something that appends rows to the log, each on disk when `append` returns."""
        found = self.server
        if found:
            with _client() as client:
                yield RemoteAppender(self, found, client)
            return
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

    def settle(self, row: int | None = None, lane: Lane = Lane.LIVE) -> None:
        """Wait until the engine has read `row` of `lane`; without a server, be the engine for a moment."""
        if self.server:
            if row is not None:
                self._wait(row, lane)
            return
        with hold(self.data, "collect"):
            LogStore(self.data / "log").close()
        with hold(self.data, "engine"):
            from hark.engine.loop import Engine

            Engine(self.data, self.clock, None, self.settings).catch_up()

    def state(self) -> StateReader:
        """A reader of the state as it stands now."""
        return open_reader(self.data)

    def snapshot(self) -> Snapshot:
        """The history as it stands now."""
        return open_snapshot(self.data, self.state())

    def _wait(self, row: int, lane: Lane) -> None:
        reader, deadline = self.state(), time.monotonic() + PATIENCE_S
        while reader.cursors().get(lane, 0) < row:
            if time.monotonic() > deadline:
                message = f"the engine has not come to row {row} in {PATIENCE_S:.0f} s; it is kept in the log"
                raise HarkError(message, hint="it will be carried out; see `hark check`", id="engine.slow")
            time.sleep(0.01)

    def _post(self, found: Address, path: str, body: JSON, client: httpx.Client | None = None) -> JSON:
        """What the server answers; a client that stays open is for those who ask often."""
        headers, content = {"Authorization": f"Bearer {found.token}"}, msgspec.json.encode(body)
        try:
            with nullcontext(client) if client else _client() as asking:
                answer = asking.post(found.url + path, content=content, headers=headers)
        except httpx.HTTPError as error:
            message = f"the server at {found.url} did not answer: {error}"
            raise HarkError(
                message, hint="look at its terminal, or stop it and try again", id="server.gone"
            ) from None
        if answer.status_code != 200:
            raise _refusal(answer)
        return answer.json()


def _client() -> httpx.Client:
    return httpx.Client(trust_env=False, timeout=PATIENCE_S)


def _refusal(answer: httpx.Response) -> HarkError:
    """What the server said, under its own code; nothing was kept."""
    try:
        said = answer.json()
        return HarkError(said["message"], hint="nothing was kept", id=said["code"])
    except (ValueError, KeyError, TypeError):
        return HarkError(f"the server refused: {answer.text}", hint="nothing was kept", id="server.refused")


class Appender(Protocol):
    """Appends rows to the log, by the log's own store or by a running server."""

    def append(self, lane: Lane, kind: str, source: str, body: bytes, rejects: Sequence[Reject] = ()) -> int:
        """The row's sequence number; it is on disk when this returns, and so are the rejects."""
        ...


class LocalAppender:
    def __init__(self, log: LogStore, clock: Clock) -> None:
        self._log, self._clock = log, clock

    def append(self, lane: Lane, kind: str, source: str, body: bytes, rejects: Sequence[Reject] = ()) -> int:
        row, refused = checked(Row(0, lane, self._clock.now(), source, kind, body))
        return self._log.append([row], [*refused, *rejects])[0]


class RemoteAppender:
    def __init__(self, workspace: Workspace, found: Address, client: httpx.Client) -> None:
        self._workspace, self._found, self._client = workspace, found, client

    def append(self, lane: Lane, kind: str, source: str, body: bytes, rejects: Sequence[Reject] = ()) -> int:
        row = {"lane": int(lane), "kind": kind, "source": source, "body": msgspec.Raw(body)}
        given = {"rows": [row], "rejects": [_reject(one) for one in rejects]}
        answer = self._workspace._post(self._found, "/control/append", given, self._client)
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
