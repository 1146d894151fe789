"""Retention: of those who began in the same period, how many are active in each period after.

`specification` is what the answer means, in plain Python; `ask_retention` gives the same answer from the
history by the kernel (`understand.kernels.retention`). Both fill the same `Partial`s, which add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct

from hark.definitions.asked import FOREVER, Retention
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import Event, Instant
from hark.understand import periods, split
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.steps import is_activity, matches
from hark.understand.tabular import Row, Tabular

if TYPE_CHECKING:
    from hark.understand.kernels.rows import Stream

__all__ = ["FOREVER", "Cohort", "Retention", "RetentionAnswer", "ask_retention", "specification"]

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


# -- what it means --------------------------------------------------------------------------------------


def specification(
    question: Retention,
    histories: Iterable[Sequence[Event]],
    now: Instant,
    members: Mapping[str, frozenset[int]] | None = None,
) -> RetentionAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    found = Partial(Counter(), Counter(), None, 0, Counter(), Counter())
    known = [[event for event in history if event.at <= now] for history in histories]
    of = (members or {}).get(question.by.name, frozenset()) if question.by else frozenset()
    for events in known:
        for row in entries(question, events):
            value = split.label_of(question.by, events, events[row], of) if question.by else ""
            cohort = value, _period(question, events[row])
            found.sizes[cohort] += 1
            found.active.update((*cohort, k) for k in active_in(question, events, row))
    returned = (
        [then for events in known if (then := came_back(question, events))] if question.returned_to else []
    )
    assert found.came is not None and found.first is not None
    found.came.update(name for then in returned for name in set(then))
    found.first.update(then[0] for then in returned)
    at = [event.at for events in known for event in events
          if matches(question.start, event) or is_return(question, event)]  # fmt: skip
    latest = max(at, default=None)
    return answer(
        question,
        [Partial(found.sizes, found.active, latest, len(returned), found.came, found.first)],
        now,
    )


def entries(question: Retention, events: Sequence[Event]) -> list[int]:
    """The rows by which one subject belongs to cohorts: one at most, unless cohorts are recurring."""
    starts = [row for row, event in enumerate(events) if matches(question.start, event)]
    inside = [row for row in starts if question.begin <= events[row].at < question.end]
    if question.cohorts == "first_time":
        return inside[:1] if inside[:1] == starts[:1] else []
    if question.cohorts == "first":
        return inside[:1]
    by_period: dict[date, int] = {}
    for row in inside:
        by_period.setdefault(_period(question, events[row]), row)
    return list(by_period.values())


def active_in(question: Retention, events: Sequence[Event], row: int) -> set[int]:
    """The periods after that of the row in which the subject is active."""
    after = {_after(question, events[row], one) for one in events[row + 1 :] if is_return(question, one)}
    if question.on_or_after:
        after = set(range(max(after, default=-1) + 1))
    return after | ({0} if same(question) else set())


def came_back(question: Retention, events: Sequence[Event]) -> list[str]:
    """What a subject did in the periods after their first cohort's, if they returned in one of them."""
    for row in entries(question, events)[:1]:
        later = [one for one in events[row + 1 :] if _after(question, events[row], one) > 0]
        if any(is_return(question, one) for one in later):
            return [one.name for one in later if is_activity(one)]
    return []


def is_return(question: Retention, event: Event) -> bool:
    """Whether an event is activity that counts as a return."""
    return is_activity(event) and (question.returns is None or matches(question.returns, event))


def same(question: Retention) -> bool:
    """One event is both start and return: period 0 is then the cohort's size."""
    return question.start == question.returns


def _period(question: Retention, event: Event) -> date:
    return periods.first_day(event.at, question.period, question.zone)


def _after(question: Retention, first: Event, later: Event) -> int:
    """How many periods lie from that of `first` to that of `later`."""
    days = periods.days_between(first.at, later.at, question.period, question.zone)
    return len(days) - 1


# -- from the history -----------------------------------------------------------------------------------


def ask_retention(history: Snapshot | People, question: Retention, now: Instant) -> RetentionAnswer:
    """The answer from a history, one bucket a thread."""
    # numba takes half a second to load, which only questions should pay.
    from hark.understand.kernels.rows import ACTIVITY, Bit, names_of, stream, wanted

    whom = people(history, now).among(question.among)
    bits = [Bit(question.start), Bit(question.returns, inactive=False)]
    told, helped = split.told(question.by, question.start), split.helped(whom, question.by)
    asked = [*bits, *([ACTIVITY] if question.returned_to else [])]

    def one(bucket: int) -> Partial:
        runs = whom.runs(bucket, names_of(asked), values=wanted(bits, told))
        rows = stream(runs, asked, named=question.returned_to, told=[*told])
        return _from_rows(question, rows, now, helped, bucket)

    return answer(question, over_buckets(whom, one), now)


def _from_rows(question: Retention, rows: Stream, now: Instant, helped: split.Help, bucket: int) -> Partial:
    from hark.understand.kernels import retention as kernel

    counted = rows.at[(rows.at <= now) & (rows.bits & np.uint64(3) != 0)]
    if not len(counted):
        return Partial(Counter(), Counter(), None)
    cut = periods.Cut.over(counted, question.period, question.zone)
    begun = kernel.entries(rows, question.cohorts, cut.starts, question.begin, question.end, now)
    period = cut.places(rows.at[begun])
    labels = split.labels(rows, begun, question.by, helped, bucket) if question.by else None
    codes = labels.codes.astype(np.int64) if labels else np.zeros(len(begun), np.int64)
    cohorts, line = np.unique(codes * len(cut.days) + period, return_inverse=True)
    found = kernel.active(rows, begun, period, line, len(cohorts), cut.starts, question.on_or_after, now)
    sizes, words = np.bincount(line), labels.words if labels else ("",)
    if same(question):
        found.active[:, 0] = sizes
    names = [(words[one // len(cut.days)], cut.days[one % len(cut.days)]) for one in cohorts.tolist()]
    came = _came_back(rows, begun, period, found.last, cut, now) if question.returned_to else ()
    return _partial(names, sizes, found.active, int(counted.max()), came)


def _came_back(
    rows: Stream, begun: Ints, period: Ints, last: Ints, cut: periods.Cut, now: Instant
) -> tuple[int, Counter[str], Counter[str]]:
    from hark.understand.kernels.instead import instead

    first = np.ones(len(begun), np.bool_)
    first[1:] = rows.subject[begun[1:]] != rows.subject[begun[:-1]]
    chosen = first & (last > 0)
    since = np.append(cut.starts, FOREVER)[period[chosen] + 1]
    line = np.zeros(int(chosen.sum()), np.int64)
    _, *counts = instead(rows, begun[chosen], line, 1, 2, FOREVER, now, since)
    did, came = (Counter(dict(zip(rows.words, one[0].tolist(), strict=True))) for one in counts)
    return len(line), +did, +came


# -- adding up ------------------------------------------------------------------------------------------


def _partial(
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
