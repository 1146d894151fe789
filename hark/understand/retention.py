"""Retention: of those who began in the same period, how many are active in each period after.

`specification` is what the answer means, in plain Python; `ask_retention` gives the same answer from the
history by the kernel (`understand.kernels.retention`). Both fill the same `Partial`s, which add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from hark.definitions.asked import Period
from hark.definitions.types import EventMatch
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import JSON, Event, Instant, Kind
from hark.understand import funnel, periods
from hark.understand.partials import over_buckets

if TYPE_CHECKING:
    from hark.understand.kernels.rows import Stream

FOREVER = funnel.FOREVER


class Retention(Struct, frozen=True):
    """Whoever does `start` in [from, until) belongs to the cohort of the first period in which they do."""

    start: EventMatch
    returns: EventMatch | None = None
    """What counts as a return; None: any activity. Facts and inactive events never do."""
    period: Period = "week"
    zone: str = "UTC"
    begin: Instant = -FOREVER
    end: Instant = FOREVER


class Cohort(Struct, frozen=True):
    """Those who began in one period."""

    cohort: str
    """The month ("2010-12"), or the first day of the week or day."""
    size: int
    active: tuple[int, ...]
    """Customers active in the k-th period after, up to the latest period with an event of the question."""
    complete: int
    """How many of these periods are over; the others are not finished, so nobody is lost in them yet."""


class RetentionAnswer(Struct, frozen=True):
    cohorts: tuple[Cohort, ...]

    def to_json(self) -> JSON:
        """{"cohorts": [{"cohort", "size", "active", "complete"}]}, oldest first."""
        return msgspec.json.decode(msgspec.json.encode(self))


class Partial(Struct, frozen=True):
    """What one bucket adds: sizes by cohort, active by (cohort, periods after), and the latest row."""

    sizes: Counter[date]
    active: Counter[tuple[date, int]]
    latest: Instant | None


# -- what it means --------------------------------------------------------------------------------------


def specification(question: Retention, histories: Iterable[Sequence[Event]], now: Instant) -> RetentionAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    found = Partial(Counter(), Counter(), None)
    known = [[event for event in history if event.at <= now] for history in histories]
    for events in known:
        cohort, after = returns(question, events)
        found.sizes.update(cohort)
        found.active.update((cohort[0], k) for k in after)
    at = [event.at for events in known for event in events
          if funnel.matches(question.start, event) or is_return(question, event)]  # fmt: skip
    return answer(question, [Partial(found.sizes, found.active, max(at, default=None))], now)


def returns(question: Retention, events: Sequence[Event]) -> tuple[list[date], set[int]]:
    """One subject's cohort (in a list; empty: in none) and the periods after it in which they are active."""
    for row, event in enumerate(events):
        if question.begin <= event.at < question.end and funnel.matches(question.start, event):
            later = [one for one in events[row + 1 :] if is_return(question, one)]
            after = {_after(question, event, one) for one in later}
            return [_period(question, event)], after | ({0} if same(question) else set())
    return [], set()


def is_return(question: Retention, event: Event) -> bool:
    """Whether an event is activity that counts as a return."""
    if not event.active or event.kind == Kind.FACT:
        return False
    return question.returns is None or funnel.matches(question.returns, event)


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


def ask_retention(snapshot: Snapshot, question: Retention, now: Instant) -> RetentionAnswer:
    """The answer from a snapshot of the history, one bucket a thread."""
    # numba takes half a second to load, which only questions should pay.
    from hark.understand.kernels.rows import Bit, names_of, needs_properties, stream

    bits = [Bit(question.start), Bit(question.returns, inactive=False)]

    def one(bucket: int) -> Partial:
        rows = stream(snapshot.runs(bucket, names_of(bits), needs_properties(bits)), bits)
        return _from_rows(question, rows, now)

    return answer(question, over_buckets(snapshot, one), now)


def _from_rows(question: Retention, rows: Stream, now: Instant) -> Partial:
    from hark.understand.kernels import retention as kernel

    known = rows.at[rows.at <= now]
    if not len(known):
        return Partial(Counter(), Counter(), None)
    latest = int(known.max())
    days = periods.days_between(int(known.min()), latest, question.period, question.zone)
    starts = np.array([periods.begins(day, question.zone) for day in days], np.int64)
    begun = kernel.begun(rows, question.begin, question.end, now)
    period = np.searchsorted(starts, rows.at[begun], side="right") - 1
    begun_in, line = np.unique(period, return_inverse=True)
    active = kernel.active(rows, begun, period, line, len(begun_in), starts, now)
    sizes = np.bincount(line)
    if same(question):
        active[:, 0] = sizes
    return _partial([days[place] for place in begun_in], sizes, active, latest)


# -- adding up ------------------------------------------------------------------------------------------


def _partial(cohorts: Sequence[date], sizes: Ints, active: Ints, latest: Instant) -> Partial:
    """From sizes (cohort) and counts (cohort, periods after) of subjects."""
    places = zip(*(part.tolist() for part in active.nonzero()), strict=True)
    counts = {(cohorts[place], after): int(active[place, after]) for place, after in places}
    return Partial(Counter(dict(zip(cohorts, sizes.tolist(), strict=True))), Counter(counts), latest)


def answer(question: Retention, partials: Sequence[Partial], now: Instant) -> RetentionAnswer:
    """All partials together, cohorts oldest first."""
    latest = max((one.latest for one in partials if one.latest is not None), default=None)
    if latest is None:
        return RetentionAnswer(())
    sizes, active = Counter[date](), Counter[tuple[date, int]]()
    for one in partials:
        sizes.update(one.sizes)
        active.update(one.active)
    days = _days(question, min(sizes, default=None), latest)
    over = sum(periods.begins(periods.following(day, question.period), question.zone) <= now for day in days)
    return RetentionAnswer(
        tuple(
            Cohort(
                periods.label(day, question.period),
                sizes[day],
                tuple(active[day, after] for after in range(len(days) - place)),
                max(over - place, 0),
            )
            for place, day in enumerate(days)
            if sizes[day]
        )
    )


def _days(question: Retention, first: date | None, latest: Instant) -> list[date]:
    if first is None:
        return []
    begun = periods.begins(first, question.zone)
    return periods.days_between(begun, latest, question.period, question.zone)
