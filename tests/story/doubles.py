"""Providers that misbehave by chance, and keep which message they accepted how often: outside of Hark."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Self

from hark.model import Instant, Lane
from hark.speak.catcher import Catcher, Caught, Misbehaviour, Verb
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from tests.speak.provider import Answering, Provider, Taken

HELD_S = 0.5
"""How long a provider says nothing after it accepted, before it cuts: long enough for a kill to come."""
MAIL: dict[str, Misbehaviour] = {
    "hangs": Misbehaviour("DATA", slow_s=HELD_S, cut=True),
    "cuts": Misbehaviour("DATA", cut=True),
    "refuses for now": Misbehaviour("DATA", reply="451 4.3.0 try later", keep=False),
}
API: dict[str, Answering] = {
    "hangs": Answering(silent=True, silent_s=HELD_S),
    "cuts": Answering(cut=True),
    "accepts and fails": Answering(500, b'{"errors": [{"message": "oops"}]}'),
    "refuses for now": Answering(429, b'{"errors": [{"message": "slow down"}]}'),
}
OFTEN = 0.015
"""How often each of these happens."""


class Accepted:
    """How often each message was accepted, by any provider."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.whom: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, message: str, to: str) -> None:
        with self._lock:
            self.times[message] += 1
            self.whom[message] = to


class MailServer(Catcher):
    """By SMTP."""

    def __init__(self, accepted: Accepted, chance: random.Random) -> None:
        super().__init__(self._accepted)
        self._into, self._chance = accepted, chance

    def rule(self, verb: Verb, recipient: str | None = None) -> Misbehaviour | None:  # noqa: ARG002
        """What it does now, drawn anew for each message."""
        drawn = int(self._chance.random() / OFTEN)
        return list(MAIL.values())[drawn] if verb == "DATA" and drawn < len(MAIL) else None

    def _accepted(self, caught: Caught) -> None:
        self._into.add(caught.message_id.strip("<>").split("@")[0], caught.recipients[0])
        self.caught.clear()


class MailApi(Provider):
    """By SendGrid's API; what it accepted it also reports, repeatedly and in any order, by `Reports`."""

    def __init__(self, accepted: Accepted, chance: random.Random) -> None:
        super().__init__()
        self._into, self._chance = accepted, chance
        self.reported: list[str] = []
        """Messages to be reported as delivered, until they were."""

    def how(self, taken: Taken) -> Answering:
        drawn = int(self._chance.random() / OFTEN)
        how = list(API)[drawn] if drawn < len(API) else ""
        if how != "refuses for now":
            self._accepted(json.loads(taken.body))
        self.taken.clear()
        return API[how] if how else Answering(202, b"")

    def _accepted(self, body: dict[str, dict[str, str]]) -> None:
        message, to = body["custom_args"]["hark"], body["personalizations"][0]["to"][0]["email"]  # type: ignore[index]
        self._into.add(message, to)
        self.reported += [message] * self._chance.randrange(4)


class Reports:
    """While it is entered, what the provider reports comes into the log as its webhook would have brought it:
    shuffled, and some of it again."""

    def __init__(self, api: MailApi, log: LogStore, at: Callable[[], Instant], chance: random.Random) -> None:
        self._api, self._log, self._at, self._chance = api, log, at, chance
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _post(self) -> None:
        while not self._end.wait(0.05):
            batch = self._api.reported[:200]
            del self._api.reported[: len(batch)]
            self._api.reported += self._chance.sample(batch, len(batch) // 4)
            self._chance.shuffle(batch)
            said = [json.dumps({"message": one, "what": "delivered"}).encode() for one in batch]
            self._log.append([NewRow(Lane.URGENT, self._at(), "hark", "receipt", body) for body in said])
