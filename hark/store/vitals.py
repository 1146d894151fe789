"""How the engine is: what it says of itself once a second in DIR/run/engine.json, for whoever watches it.

Its lag is not among this: that is seen in the log and the cursors, also when the engine hangs.
"""

from __future__ import annotations

import bisect
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct, field

EVERY_S = 1.0
SIZE = 4096
LONGEST = 500
"""Characters of a failure that are told."""
TICK_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WRITE_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram(Struct):
    """How often a duration was at most each of the `bounds` (seconds, ascending); the last count: longer."""

    bounds: tuple[float, ...]
    counts: list[int]
    sum_s: float = 0.0

    @classmethod
    def over(cls, bounds: tuple[float, ...]) -> Histogram:
        return cls(bounds, [0] * (len(bounds) + 1))

    def observe(self, seconds: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, seconds)] += 1
        self.sum_s += seconds


class Vitals(Struct):
    """What the engine's process says of itself."""

    at_s: float = 0.0
    """When it said so: seconds since 1970 by the wall clock."""
    events: int = 0
    ticks: Histogram = field(default_factory=lambda: Histogram.over(TICK_BOUNDS))
    """Of the ticks in which there was something to do."""
    failure: str = ""
    """Why the last tick failed; "" once one has not."""
    seal_failure: str = ""
    """Why sealing into the history failed the last time; "" once it has not."""
    fenced: str = ""
    """Why nothing is sent from here; "" where it is."""


class Pulse:
    """Says how the engine is. For the engine's process."""

    def __init__(self, data: Path) -> None:
        self._path = _path(data)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = read_vitals(data)
        self._said = Vitals(failure=before.failure, seal_failure=before.seal_failure) if before else Vitals()

    def ticked(self, took_s: float | None, events: int, seal_failure: str, fenced: str = "") -> None:
        """A tick has ended well; `took_s` is None where there was nothing to do. `events` are all so far."""
        said = self._said
        if took_s is not None:
            said.ticks.observe(took_s)
        recovered = bool(said.failure) or said.fenced != fenced
        said.events, said.failure, said.seal_failure, said.fenced = events, "", seal_failure, fenced
        if recovered or time.time() - said.at_s >= EVERY_S:
            self._say()

    def failed(self, failure: str) -> None:
        """A tick could not be carried out; the process will end."""
        self._said.failure = failure
        self._say()

    def _say(self) -> None:
        """In place, in a file of one size, so that it needs no room on a disk that is full. Never in the
        engine's way: where it can't be written it grows old, which is seen."""
        self._said.at_s = time.time()
        self._said.failure = self._said.failure[:LONGEST]
        self._said.seal_failure = self._said.seal_failure[:LONGEST]
        with suppress(OSError):
            number = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(number, msgspec.json.encode(self._said).ljust(SIZE), 0)
            finally:
                os.close(number)


def read_vitals(data: Path) -> Vitals | None:
    """What the engine last said; None where none has run, or it is just being written."""
    try:
        return msgspec.json.decode(_path(data).read_bytes(), type=Vitals)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _path(data: Path) -> Path:
    return data / "run" / "engine.json"
