"""Which endpoints said that they are over: what the state keeps of it, and what was heard since."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from hark.definitions.types import Sender
from hark.model import Ended

SIGN_BYTES = 16
Over: TypeAlias = Mapping[tuple[str, str], Ended]
"""By sender and place."""


def sign(sender: Sender, secret: str) -> str:
    """Of the place where a sender posts to; another URL is another place. A chat's URL is its secret, so it
    is kept by its hash."""
    return hashlib.sha256((sender.url or secret).encode()).hexdigest()[: 2 * SIGN_BYTES]


class Endings:
    """Asked before each message; shared by the deliverer's threads."""

    def __init__(self, kept: Callable[[], Iterable[Ended]]) -> None:
        """`kept` gives those of the state, which are behind by what the engine has not written yet."""
        self._kept = kept
        self._heard: dict[tuple[str, str], Ended] = {}
        self._lock = threading.Lock()

    def heard(self, one: Ended) -> None:
        with self._lock:
            self._heard[one.sender, one.place] = one

    def now(self) -> Over:
        """Those in force."""
        kept = {(one.sender, one.place): one for one in self._kept()}
        with self._lock:
            found = kept | {at: one for at, one in self._heard.items() if _is_news(one, kept.get(at))}
        return {at: one for at, one in found.items() if not one.opened_at}


def _is_news(one: Ended, kept: Ended | None) -> bool:
    return kept is None or one.at > max(kept.at, kept.opened_at)
