"""Collect's eye on the whole server: looks once a second, in a thread, so that asking costs nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from hark.clock import Clock, WallClock
from hark.collect import readiness
from hark.collect.readiness import Red, RedReason
from hark.model import Lane
from hark.settings import Settings
from hark.store.vitals import WRITE_BOUNDS, Histogram

if TYPE_CHECKING:
    from hark.store.standing import Standing

EVERY_S = 1.0
BULK_SHARE = 0.5
"""Of `unread_log_mb`: past it imports wait, so that room is left for what happens now."""

_log = logging.getLogger("hark.collect")


class Traffic(Struct):
    """Requests that are being answered, of all paths."""

    inside: int = 0
    bytes: int = 0
    """Of their bodies, as announced."""
    turned_away: int = 0
    """Since the process began: told to come again because there was no room for their bodies."""


class Looks(Protocol):
    """`store.standing.Observer`."""

    def look(self) -> Standing: ...


class Watch:
    """How the server stands, at most a second ago or so."""

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings, self._clock = settings or Settings(), clock or WallClock()
        self.traffic = Traffic()
        self.writes = Histogram.over(WRITE_BOUNDS)
        """How long commits of the log took, with their fsync."""
        self._since_s = 0.0
        self._end = threading.Event()
        self._full = dict.fromkeys(Lane, False)
        self.draining = False
        self.standing: Standing | None = None
        """None until the first look."""

    def look_on(self, observer: Callable[[], Looks]) -> None:
        """Look from now on, in a thread. What can't be looked at now is looked at again later."""
        threading.Thread(target=self._look_on, args=(observer,), name="watch", daemon=True).start()

    def _look_on(self, observer: Callable[[], Looks]) -> None:
        looks: Looks | None = None
        while not self._end.wait(EVERY_S if looks else 0.0):
            try:
                looks = looks or observer()
                self.see(looks.look())
            except Exception as error:
                _log.warning("how the server stands can't be seen: %s", error)
                self._end.wait(EVERY_S)

    def see(self, standing: Standing) -> None:
        """From now on this is how the server stands."""
        self._since_s = self._since_s or standing.seen_s
        self.standing = standing
        for lane in Lane:
            share = BULK_SHARE if lane is Lane.BULK else 1.0
            self._full[lane] = readiness.too_much_unread(standing, self.settings, share)

    def reds(self) -> list[Red]:
        """Why the server is not ready; none: it is."""
        found = [Red(RedReason.DRAINING, "this process is ending")] if self.draining else []
        if self.standing:
            watched_s = self.standing.seen_s - self._since_s
            found += readiness.reds(self.standing, self.settings, self._clock.now(), watched_s)
        return found

    def lag_s(self) -> float:
        """How far the engine is behind."""
        return readiness.lag_s(self.standing, self._clock.now()) if self.standing else 0.0

    def has_room(self, lane: Lane) -> bool:
        """Whether more is accepted into the lane; the urgent one is always open."""
        return lane is Lane.URGENT or not self._full[lane]
