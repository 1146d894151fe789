"""Moves the clock, posts what the shop's customers do, waits for the engine, hands them their mail."""

from __future__ import annotations

import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue

import httpx
import msgspec

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
PAUSE_S = 0.002
BUSY = (429, 503)


class Driver:
    """Lives a shop's time through a server, step by step. `mails` is filled by the catcher's thread."""

    def __init__(self, server: DemoServer, clock: SharedClock, shop: Shop, key: str) -> None:
        self._clock, self.shop = clock, shop
        self._state = Workspace(server.data, clock).state()
        self._url, token = server.address.url, server.address.token
        self._control = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(auth=(key, ""), timeout=PATIENCE_S, trust_env=False)
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
        body = msgspec.json.encode({"batch": calls, "sentAt": moment(now).isoformat()})
        deadline = time.monotonic() + PATIENCE_S
        while (answer := self._http.post(self._url + "/v1/batch", content=body)).status_code in BUSY:
            if time.monotonic() > deadline:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.status_code != 200:
            raise HarkError(f"collect answered {answer.status_code}: {answer.text}", id="demo.refused")
        self.events += len(calls)

    def _wait(self, until: Instant) -> None:
        """Until the engine has read all there is, its time has come, and no mail is on its way."""
        status = self._http.get(self._url + "/control/status", headers=self._control, auth=None).json()
        end, deadline = status["end"]["live"], time.monotonic() + PATIENCE_S
        while not self._settled(end, until):
            if time.monotonic() > deadline:
                raise HarkError(f"the engine has not come to {moment(until)}", id="demo.slow")
            time.sleep(PAUSE_S)

    def _settled(self, end: int, until: Instant) -> bool:
        state = self._state
        if state.engine_time() < until or state.cursors().get(Lane.LIVE, 0) < end:
            return False
        return not state.outbox_counts().get("sending")

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
