"""The simulated shop: its true effect, and the calls its customers make as time goes on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from msgspec import Struct

from hark.demo.calls import joining, visiting
from hark.demo.life import (
    DAYS,
    INTAKE_US,
    QUIET_US,
    START,
    WINDOW_US,
    Customer,
    Visit,
    answer,
    customer,
)
from hark.model import DAY, JSON, Instant

CUSTOMERS = 6_000


def goes_quiet(one: Customer) -> Instant | None:
    """When the customer, having ordered, has first not visited for QUIET_US; None: not in time."""
    ends = [visit.at for visit in one.visits[1:]] + [START + DAYS * DAY + QUIET_US]
    ordered = False
    for visit, following in zip(one.visits, ends, strict=True):
        ordered = ordered or visit.ordered_at is not None
        quiet = visit.last_view + QUIET_US
        if ordered and following > quiet:
            return quiet if quiet < START + INTAKE_US else None
    return None


def orders_within(one: Customer, entered: Instant, answer_at: Visit | None = None) -> bool:
    """Whether an order follows within the window, with or without the visit that a mail brought."""
    visits = one.visits if answer_at is None else (*one.visits, answer_at)
    orders = (visit.ordered_at for visit in visits)
    return any(at is not None and entered < at <= entered + WINDOW_US for at in orders)


class Truth(Struct, frozen=True):
    """What would happen to the same people in both worlds."""

    entered: int
    """Subscribed customers who order, then go quiet in time."""
    nobody: float
    """Their rate of orders within the window if nobody is written to."""
    everybody: float
    """The same, with everybody written to when they go quiet."""

    @property
    def lift(self) -> float:
        return self.everybody - self.nobody


def truth(seed: int, customers: int = CUSTOMERS) -> Truth:
    """The planted effect, from the simulator alone."""
    return truth_of([customer(seed, number) for number in range(customers)])


def truth_of(customers: Sequence[Customer]) -> Truth:
    found = [(one, at) for one in customers if one.subscribed and (at := goes_quiet(one)) is not None]
    without = sum(orders_within(one, at) for one, at in found)
    written_to = sum(orders_within(one, at, answer(one.seed, one.number, 0, at)) for one, at in found)
    count = max(len(found), 1)
    return Truth(len(found), without / count, written_to / count)


class Shop:
    """Customers who act as time goes on, and answer the mails they get."""

    def __init__(self, seed: int, customers: int = CUSTOMERS) -> None:
        self.seed = seed
        self.customers = {one.email: one for one in (customer(seed, number) for number in range(customers))}
        self._mails: dict[str, int] = {}
        self._due: list[tuple[Instant, str, JSON]] = []
        """A heap of (when, messageId, call)."""
        for one in self.customers.values():
            self._lives(one)

    def _lives(self, one: Customer) -> None:
        if one.visits:
            self._add(joining(one))
        for number, visit in enumerate(one.visits):
            self._add(visiting(one, visit, f"v{number}"))

    def _add(self, calls: Iterable[tuple[Instant, JSON]]) -> None:
        for at, call in calls:
            heappush(self._due, (at, call["messageId"], call))

    def until(self, at: Instant) -> list[JSON]:
        """The calls made up to `at` that were not given before, in order of time."""
        calls = []
        while self._due and self._due[0][0] <= at:
            calls.append(heappop(self._due)[2])
        return calls

    def received(self, email: str, at: Instant) -> None:
        """A mail has come to this address; its answer, if any, is among the calls of the days after."""
        one = self.customers.get(email)
        if one is None:
            return
        mail = self._mails[email] = self._mails.get(email, -1) + 1
        visit = answer(one.seed, one.number, mail, at)
        if visit is not None:
            self._add(visiting(one, visit, f"m{mail}"))

    def arrives(self, at: Instant) -> Customer:
        """One more customer, who comes for the first time at `at`."""
        one = customer(self.seed, len(self.customers), arrives=at, end=at + DAYS * DAY)
        self.customers[one.email] = one
        self._lives(one)
        return one
