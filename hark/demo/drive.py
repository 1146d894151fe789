"""Moves the clock, posts what the shop's customers do, waits for the engine, hands them their mail."""

from __future__ import annotations

import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from hark.app import Workspace
from hark.clock import SharedClock, moment
from hark.demo.server import DemoServer
from hark.demo.shop import Shop
from hark.errors import HarkError
from hark.model import JSON, Instant, Lane
from hark.speak.catcher import Caught

BATCH = 800
"""Calls to a request: some 200 KB, well under what collect takes."""
PATIENCE_S = 60.0
"""How long a server may stand still; a busy machine makes it slow, not still."""
PAUSE_S = 0.002
AGAIN_S = 0.5
BUSY = (429, 503)
FULL = b"disk_full"
"""The one 503 that waiting does not mend."""


class Stands(Struct, frozen=True):
    """How far the engine is; each tick that does anything changes it."""

    engine_time: Instant
    read: int
    messages: dict[str, int]
    """How many are in each state."""

    def settled(self, end: int, until: Instant) -> bool:
        """Whether all rows to `end` are read, its time has come to `until`, and no mail is on its way."""
        return self.engine_time >= until and self.read >= end and not self.messages.get("sending")


class Driver:
    """Lives a shop's time through a server, step by step. `mails` is filled by the catcher's thread."""

    def __init__(self, server: DemoServer, clock: SharedClock, shop: Shop, key: str) -> None:
        self._server, self._clock, self.shop = server, clock, shop
        self._state = Workspace(server.data, clock).state()
        self._url, token = server.address.url, server.address.token
        self._control = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(auth=(key, ""), timeout=PATIENCE_S, trust_env=False, verify=False)
        self._mails: SimpleQueue[str] = SimpleQueue()
        self.events = 0
        self.mails = 0

    def caught(self, mail: Caught) -> None:
        """A mail has arrived at the catcher."""
        for recipient in mail.recipients:
            self._mails.put(recipient)

    def step(self, until: Instant) -> None:
        """Time goes on to `until`: what customers did by then is posted, folded, and answered by mail."""
        self._go(until)
        self._wait(until)
        self._deliver(until)

    def flow(self, now: Instant) -> None:
        """The same without waiting for the engine, for a clock that runs in real time."""
        self._go(now)
        self._deliver(now)

    def _go(self, until: Instant) -> None:
        calls = self.shop.until(until)
        self._clock.set(until)
        for first in range(0, len(calls), BATCH):
            self._post(calls[first : first + BATCH], until)

    def _post(self, calls: Sequence[JSON], now: Instant) -> None:
        """Until it is taken, however long a busy server asks to wait; a call sent twice counts once."""
        body = msgspec.json.encode({"batch": calls, "sentAt": moment(now).isoformat()})
        while (answer := self._answer("POST", "/v1/batch", content=body)).status_code in BUSY:
            if FULL in answer.content:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.status_code != 200:
            raise HarkError(f"collect answered {answer.status_code}: {answer.text}", id="demo.refused")
        self.events += len(calls)

    def _answer(self, method: str, path: str, **call: Any) -> httpx.Response:
        """Asked again while nothing answers, since a role that died is started anew.

        Raises HarkError `demo.server` once the server is gone.
        """
        while True:
            try:
                return self._http.request(method, self._url + path, **call)
            except httpx.TransportError as error:
                if not self._server.runs():
                    words = self._server.last_words()
                    raise HarkError("the server has ended", hint=words, id="demo.server") from error
                time.sleep(AGAIN_S)

    def _wait(self, until: Instant) -> None:
        """Until the engine has read all there is, its time has come, and no mail is on its way."""
        status = self._answer("GET", "/control/status", headers=self._control, auth=None).json()
        end, stood, deadline = status["end"]["live"], self._stands(), time.monotonic() + PATIENCE_S
        while not stood.settled(end, until):
            time.sleep(PAUSE_S)
            if (stands := self._stands()) != stood:
                stood, deadline = stands, time.monotonic() + PATIENCE_S
            if time.monotonic() > deadline:
                hint = self._server.last_words()
                raise HarkError(f"the engine has stood still before {moment(until)}", hint, "demo.slow")

    def _stands(self) -> Stands:
        state = self._state
        return Stands(state.engine_time(), state.cursors().get(Lane.LIVE, 0), state.outbox_counts())

    def _deliver(self, at: Instant) -> None:
        while True:
            try:
                email = self._mails.get_nowait()
            except Empty:
                return
            self.mails += 1
            self.shop.received(email, at)

    def close(self) -> None:
        self._http.close()
