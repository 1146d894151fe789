"""Providers that misbehave by chance, and keep which message they accepted how often: outside of Hark."""

from __future__ import annotations

import json
import random
import threading
import time
from base64 import b64encode
from collections import Counter
from typing import Self

import httpx

from hark.speak.catcher import Catcher, Caught, Misbehaviour, Verb
from tests.speak.provider import Answering, Provider, Taken

HELD_S = 2.0
"""How long a provider says nothing after it accepted, before it cuts: long enough for a kill to come."""
SECRET = "hark:swordfish"
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
        self.reported: list[dict[str, object]] = []
        """What is to be reported, until it was."""

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
        said = {"email": to, "hark": message, "sg_event_id": "e", "sg_message_id": "m"}
        times = self._chance.randrange(4)
        self.reported += [{**said, "timestamp": int(time.time()), "event": "delivered"}] * times


class Reports:
    """`with Reports(api, url):` posts the provider's reports until all are taken: shuffled, some again."""

    def __init__(self, api: MailApi, url: str, chance: random.Random) -> None:
        self._api, self._chance, self._url = api, chance, f"{url}/reports/api"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _post(self) -> None:
        login = {"Authorization": f"Basic {b64encode(SECRET.encode()).decode()}"}
        with httpx.Client(timeout=10, trust_env=False, headers=login) as http:
            while not self._end.wait(0.1):
                batch = self._api.reported[:200]
                del self._api.reported[: len(batch)]
                again = self._chance.sample(batch, len(batch) // 4)
                self._chance.shuffle(batch)
                if batch and not self._taken(http, batch):
                    again = batch
                self._api.reported += again

    def _taken(self, http: httpx.Client, batch: list[dict[str, object]]) -> bool:
        try:
            return http.post(self._url, json=batch).status_code == 200
        except httpx.HTTPError:
            return False
