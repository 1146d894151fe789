"""The lives of a shop's customers: what they do by themselves, and what a mail makes them do. Pure.

Each customer has random streams of its own, made of the seed and the customer's number alone, so that
its life is the same whether or not it is written to, but for the visit that a mail it read brings about.
That gives the true effect (`shop.truth`) without any measuring: the same people, with everybody and with
nobody written to. Nobody visits between RESTLESS_US and QUIET_US + REST_US after a visit, so nothing of
this hangs on how far a virtual clock is moved at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from msgspec import Struct

from hark.clock import instant
from hark.model import DAY, HOUR, MINUTE, Instant

START: Instant = instant("2026-03-02T00:00:00Z")
DAYS = 60
QUIET_US = 7 * DAY
"""Without a visit for so long a customer counts as quiet; the demo's segment says the same."""
WINDOW_US = 14 * DAY
"""The goal: an order within this time of having gone quiet."""
INTAKE_US = 44 * DAY
"""After the start; the demo's campaign takes nobody in later, so that all windows end within the days."""
RESTLESS_US = 6 * DAY
REST_US = 12 * HOUR

VIEW_US, STEP_US = 2 * MINUTE, 2 * MINUTE
"""Between two products looked at, and between two steps towards an order."""
ORDERED = 3

SUBSCRIBES = 0.9
RETURNS_SOON = 0.42
COMES_BACK = 0.38
BACK_WITHIN_US = 28 * DAY
READS = 0.55
MOVED = 0.102
"""Of those who read a mail, how many it brings to an order."""


class Visit(Struct, frozen=True):
    """One visit: products looked at, and how far towards an order it went."""

    at: Instant
    views: int
    depth: int
    """0 looked, 1 put something in the basket, 2 went to the checkout, 3 ordered."""
    revenue: float = 0.0
    prompted: bool = False
    """A mail brought the customer."""

    @property
    def last_view(self) -> Instant:
        return self.at + (self.views - 1) * VIEW_US

    @property
    def ordered_at(self) -> Instant | None:
        return self.last_view + 3 * STEP_US if self.depth == ORDERED else None


class Customer(Struct, frozen=True):
    """A customer and the whole life it leads if nobody writes to it."""

    seed: int
    number: int
    country: str
    subscribed: bool
    keenness: float
    """How likely a visit ends in an order, from 0 to 1."""
    visits: tuple[Visit, ...]

    @property
    def id(self) -> str:
        return f"c{self.seed}-{self.number}"

    @property
    def email(self) -> str:
        return f"{self.id}@customers.example"


def customer(seed: int, number: int, arrives: Instant | None = None, end: Instant | None = None) -> Customer:
    """The life of one customer until `end` (default: the last day), from its own random stream."""
    chance = Random(f"{seed}/{number}/life")
    arrival = START + int(DAYS * DAY * (1 - (1 - chance.random()) ** 0.5))
    country = chance.choices(("GB", "IE", "DE", "FR"), (50, 15, 20, 15))[0]
    subscribed, keenness = chance.random() < SUBSCRIBES, chance.betavariate(4, 5)
    until = START + DAYS * DAY if end is None else end
    visits = _visits(chance, arrival if arrives is None else arrives, keenness, until)
    return Customer(seed, number, country, subscribed, keenness, tuple(visits))


def _visits(chance: Random, at: Instant, keenness: float, end: Instant) -> Iterator[Visit]:
    while at <= end:
        yield _visit(chance, at, keenness)
        gap = _gap(chance)
        if gap is None:
            return
        at += gap


def _gap(chance: Random) -> int | None:
    """Until the next visit: soon, or after having been quiet; None: never."""
    if chance.random() < RETURNS_SOON:
        return min(int(chance.expovariate(1 / (2 * DAY))) + HOUR, RESTLESS_US)
    if chance.random() < COMES_BACK:
        return QUIET_US + REST_US + int(chance.random() * BACK_WITHIN_US)
    return None


def _visit(chance: Random, at: Instant, keenness: float, prompted: bool = False) -> Visit:
    views = 1 + min(int(chance.expovariate(1 / 1.2)), 5)
    u, revenue = chance.random(), round(chance.lognormvariate(3.4, 0.6), 2)
    depth = ORDERED if u < keenness else 2 if u < keenness + 0.1 else 1 if u < keenness + 0.3 else 0
    return Visit(at, views, depth, revenue if depth == ORDERED else 0.0, prompted)


def answer(seed: int, number: int, mail: int, at: Instant) -> Visit | None:
    """The order that a customer's `mail`-th mail (from 0), arriving at `at`, brings about; mostly none."""
    chance = Random(f"{seed}/{number}/mail/{mail}")
    read, moved = chance.random() < READS, chance.random() < MOVED
    delay = int(chance.random() * 36 * HOUR) + int(chance.random() * 48 * HOUR) + 20 * MINUTE
    visit = _visit(chance, at + delay, 1.0, prompted=True)
    return visit if read and moved else None
