"""Events posted without pause by several clients, who know which of them were acknowledged."""

from __future__ import annotations

import random
import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx

CUSTOMERS = 200


class Load:
    """`with Load(url, key) as load:` posts batches until the end, each until its 200, as clients do.

    Every batch has one `Order Completed` with the order's number, and page views.
    """

    def __init__(self, url: str, key: str, clients: int = 2, batch: int = 10, pause_s: float = 0.05) -> None:
        self.acknowledged: set[str] = set()
        """messageIds whose request was answered 200."""
        self.abandoned: set[str] = set()
        """messageIds of requests that were not answered and not repeated: stored or not, but not twice."""
        self.orders: set[str] = set()
        """The numbers of the acknowledged orders."""
        self._url, self._key, self._batch, self._pause_s = url + "/v1/batch", key, batch, pause_s
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._post_until_end, args=(n,)) for n in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _post_until_end(self, client: int) -> None:
        chance = random.Random(client)
        number = 0
        with httpx.Client(timeout=10, trust_env=False, verify=False) as http:
            while not self._end.is_set():
                calls = self._calls(f"{client}-{number}", chance)
                self._post(http, calls, repeat=chance.random() < 0.8)
                number += 1
                time.sleep(self._pause_s)

    def _calls(self, batch: str, chance: random.Random) -> list[dict[str, Any]]:
        calls = [self._call(f"m-{batch}-{n}", "Page Viewed", {}, chance) for n in range(self._batch - 1)]
        return [*calls, self._call(f"m-{batch}-order", "Order Completed", {"order_id": f"o-{batch}"}, chance)]

    def _call(self, message_id: str, event: str, properties: object, chance: random.Random) -> dict[str, Any]:
        who = f"c{chance.randrange(CUSTOMERS)}"
        return {
            "type": "track",
            "event": event,
            "userId": who,
            "messageId": message_id,
            "properties": properties,
        }

    def _post(self, http: httpx.Client, calls: list[dict[str, Any]], repeat: bool) -> None:
        while not self._answered(http, calls):
            if not repeat:
                self.abandoned |= {call["messageId"] for call in calls}
                return
            time.sleep(0.05)
        self.acknowledged |= {call["messageId"] for call in calls}
        self.orders |= {call["properties"]["order_id"] for call in calls if call["properties"]}

    def _answered(self, http: httpx.Client, calls: list[dict[str, Any]]) -> bool:
        try:
            answer = http.post(self._url, json={"batch": calls}, auth=(self._key, ""))
        except httpx.HTTPError:
            return False
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200
