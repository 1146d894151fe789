"""The parts of `policy: attention`: when, how often and for what a customer may be written to."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from hark.model import DAY


class QuietHours(Struct, frozen=True):
    """Local times of day as minutes from midnight; `start` > `end` goes over midnight."""

    start: int
    end: int
    zone: str = "customer"
    fallback_zone: str = "UTC"


class Cap(Struct, frozen=True):
    messages: int
    per_us: int
    channel: str | None = None
    on_cap: Literal["wait", "skip"] = "skip"
    max_wait_us: int | None = None


class Budget(Struct, frozen=True):
    """What a customer's attention is worth, in points: a balance that refills, is spent by messages and
    grows by signs that they were welcome."""

    refill: float
    per_us: int
    most: float
    costs: dict[str, float]
    """By intent (help, tell, ask), what a message takes."""
    ignored: float = 0.0
    """Taken besides for a message after which nothing was done for a day."""
    earned: dict[str, float] = {}
    """goal, read, reply, return, strong: what each brings."""
    max_wait_us: int = 2 * DAY
    """How long a message waits for the balance; past it, it is withheld."""


class Arbitration(Struct, frozen=True):
    """Messages of campaigns wait `within_us` for others that want the same customer; the worthiest goes
    first."""

    within_us: int
    on_outranked: Literal["wait", "skip"] = "wait"
