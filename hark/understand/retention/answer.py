"""What is answered of retention: cohorts, and what people came back to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from msgspec import Struct

from hark.definitions.asked import Retention
from hark.history.runs import Ints
from hark.model import Instant
from hark.understand import periods, split
from hark.understand.tabular import Row, Tabular

Renames: TypeAlias = Callable[[str], str]
Counts: TypeAlias = tuple[Counter[tuple[str, date]], Counter[tuple[str, date, int]]]
LISTED = 20
"""Events that are listed of what people came back to do."""


class Cohort(Struct, frozen=True):
    """Those who began in one period."""

    cohort: str
    """The month ("2010-12"), or the first day of the week or day."""
    size: int
    active: tuple[int, ...]
    """Customers active in the k-th period after, up to the latest period with an event of the question."""
    complete: int
    """How many of these periods are over; the others are not finished, so nobody is lost in them yet."""


class CohortGroup(Struct, frozen=True):
    """The cohorts of those with one value of what the question is split by."""

    value: str
    cohorts: tuple[Cohort, ...]
    values: int = 1
    """How many values are in it; more than one only in "other"."""


class CameFor(Struct, frozen=True):
    """An event of those who came back in a later period."""

    event: str
    customers: int
    first: int
    """For how many of them it was what they came back with."""


class RetentionAnswer(Tabular, frozen=True):
    """{"cohorts": [{"cohort", "size", "active", "complete"}], ...}, oldest first."""

    cohorts: tuple[Cohort, ...]
    groups: tuple[CohortGroup, ...] = ()
    returned: int = 0
    """Customers who came back in a later period, where the question asks what they came back to do."""
    returned_to: tuple[CameFor, ...] = ()

    def rows(self) -> Iterator[Row]:
        """One row a cohort and period after."""
        for group in self.groups or (CohortGroup("", self.cohorts),):
            for one in group.cohorts:
                for after, active in enumerate(one.active):
                    row = {"cohort": one.cohort, "size": one.size, "after": after, "active": active,
                           "share": active / one.size, "complete": after < one.complete}  # fmt: skip
                    yield {"value": group.value, **row} if self.groups else row


@dataclass(frozen=True)
class Partial:
    """What one bucket adds; cohorts are (value of what the question is split by, first day)."""

    sizes: Counter[tuple[str, date]]
    active: Counter[tuple[str, date, int]]
    latest: Instant | None
    returned: int = 0
    came: Counter[str] | None = None
    first: Counter[str] | None = None


def partial(
    names: Sequence[tuple[str, date]],
    sizes: Ints,
    active: Ints,
    latest: Instant,
    came: tuple[int, Counter[str], Counter[str]] | tuple[()],
) -> Partial:
    """From sizes (cohort) and counts (cohort, periods after) of subjects."""
    places = zip(*(part.tolist() for part in active.nonzero()), strict=True)
    counts = {(*names[place], after): int(active[place, after]) for place, after in places}
    return Partial(Counter(dict(zip(names, sizes.tolist(), strict=True))), Counter(counts), latest, *came)


def answer(question: Retention, partials: Sequence[Partial], now: Instant) -> RetentionAnswer:
    """All partials together, cohorts oldest first."""
    latest = max((one.latest for one in partials if one.latest is not None), default=None)
    if latest is None:
        return RetentionAnswer(())
    sizes, active = Counter[tuple[str, date]](), Counter[tuple[str, date, int]]()
    for one in partials:
        sizes.update(one.sizes)
        active.update(one.active)
    whole = _renamed(sizes, active, lambda _: "")
    return RetentionAnswer(
        _cohorts(question, *whole, "", latest, now),
        _groups(question, sizes, active, latest, now) if question.by else (),
        sum(one.returned for one in partials),
        _returned_to(partials),
    )


def _renamed(
    sizes: Counter[tuple[str, date]], active: Counter[tuple[str, date, int]], name: Renames
) -> Counts:
    """The counts under other values, added up where these are equal."""
    found = Counter[tuple[str, date]](), Counter[tuple[str, date, int]]()
    for (value, day), count in sizes.items():
        found[0][name(value), day] += count
    for (value, day, after), count in active.items():
        found[1][name(value), day, after] += count
    return found


def _groups(
    question: Retention,
    sizes: Counter[tuple[str, date]],
    active: Counter[tuple[str, date, int]],
    latest: Instant,
    now: Instant,
) -> tuple[CohortGroup, ...]:
    counts = Counter[str]()
    for (value, _), size in sizes.items():
        counts[value] += size
    names = split.top(counts)
    folded = len(counts) - len(names)
    found = _renamed(sizes, active, lambda value: value if value in names else split.OTHER)
    return tuple(
        CohortGroup(name, _cohorts(question, *found, name, latest, now), folded if place == split.TOP else 1)
        for place, name in enumerate(names + ([split.OTHER] if folded else []))
    )


def _cohorts(
    question: Retention,
    sizes: Counter[tuple[str, date]],
    active: Counter[tuple[str, date, int]],
    value: str,
    latest: Instant,
    now: Instant,
) -> tuple[Cohort, ...]:
    days = _days(question, min((day for _, day in sizes), default=None), latest)
    over = sum(periods.ends(day, question.period, question.zone) <= now for day in days)
    return tuple(
        Cohort(
            periods.label(day, question.period),
            sizes[value, day],
            tuple(active[value, day, after] for after in range(len(days) - place)),
            max(over - place, 0),
        )
        for place, day in enumerate(days)
        if sizes[value, day]
    )


def _returned_to(partials: Sequence[Partial]) -> tuple[CameFor, ...]:
    came = sum((one.came for one in partials if one.came), Counter[str]())
    first = sum((one.first for one in partials if one.first), Counter[str]())
    return tuple(CameFor(name, came[name], first[name]) for name in split.top(came, LISTED))


def _days(question: Retention, first: date | None, latest: Instant) -> list[date]:
    if first is None:
        return []
    begun = periods.begins(first, question.zone)
    return periods.days_between(begun, latest, question.period, question.zone)
