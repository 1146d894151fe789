"""What a funnel answers, and how the parts of it add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from msgspec import Struct

from hark.definitions.asked import FOREVER, Funnel
from hark.history.runs import Flags, Ints
from hark.model import DAY, HOUR, MINUTE, SECOND, Instant
from hark.understand import periods
from hark.understand.split import Labels, grouped, top
from hark.understand.steps import named
from hark.understand.tabular import Row, Tabular

NEVER = np.iinfo(np.int64).min
INSTEAD = 10
"""Events that are listed of what people did instead."""
EDGES = (
    1,
    10,
    MINUTE // SECOND,
    300,
    900,
    HOUR // SECOND,
    21_600,
    DAY // SECOND,
    259_200,
    604_800,
    2_592_000,
)
"""Upper ends in seconds of the classes of a step's histogram; the last class is everything longer."""


class StepAnswer(Struct, frozen=True):
    """One step. Times are seconds, None where nobody came; medians are of those who reached the step."""

    step: str
    customers: int
    rate_from_first: float
    """0 where nobody took the first step, as also `rate_from_previous`."""
    rate_from_previous: float
    median_s: float | None
    """From the step before to this one; `p90_s` is the 90th percentile."""
    p90_s: float | None
    median_from_first_s: float | None
    """From the attempt's beginning, which is the first step unless the steps have no order."""
    p90_from_first_s: float | None
    mean_from_first_s: float | None = None
    histogram: tuple[int, ...] = ()
    """Customers by the time from the step before, in the classes of `FunnelAnswer.histogram_s`."""


class Open(Struct, frozen=True):
    """Attempts whose window is not over yet: shown apart, since they may still come further."""

    customers: int
    reached: tuple[int, ...]
    """Customers per step, by the deepest such attempt."""


class Group(Struct, frozen=True):
    """The same steps for those with one value of what the question is split by."""

    value: str
    steps: tuple[StepAnswer, ...]
    values: int = 1
    """How many values are in it; more than one only in "other"."""


class Next(Struct, frozen=True):
    """An event that people did after they stopped."""

    event: str
    customers: int
    first: int
    """For how many of them it was the very next thing."""


class Drop(Struct, frozen=True):
    """Those who reached this step and not the next, and what they did within the window after it."""

    step: str
    customers: int
    nothing: int
    """How many of them did nothing at all."""
    then: tuple[Next, ...]


class Slice(Struct, frozen=True):
    """The funnel of the attempts that started in one period."""

    period: str
    customers: tuple[int, ...]
    """Per step; one customer may be in several periods."""
    complete: bool
    """Whether no later attempt can start in the period, and the window of every attempt in it is over."""


class FunnelAnswer(Tabular, frozen=True):
    """{"steps": [{"step", "customers", "rate_from_first", "median_s", ...}], "open": {...}, ...}."""

    steps: tuple[StepAnswer, ...]
    open: Open
    groups: tuple[Group, ...] = ()
    instead: tuple[Drop, ...] = ()
    trend: tuple[Slice, ...] = ()
    histogram_s: tuple[float, ...] = EDGES

    def rows(self) -> Iterator[Row]:
        """One row a step; of each group, where the question is split."""
        for group in self.groups or (Group("", self.steps),):
            for place, step in enumerate(group.steps, start=1):
                row = {"place": place, **{name: getattr(step, name) for name in _COLUMNS}}
                yield {"value": group.value, **row} if self.groups else row


_COLUMNS = [name for name in StepAnswer.__struct_fields__ if name != "histogram"]


@dataclass(frozen=True)
class Attempts:
    """The reported attempts of some customers."""

    times: Ints
    """(customers, steps), NEVER where a step was not reached."""
    begun: Ints
    """When each began."""


@dataclass(frozen=True)
class Drops:
    """Per step, what those who stopped there did then."""

    customers: Counter[int]
    nothing: Counter[int]
    then: Counter[tuple[int, str]]
    """By step and event, customers; `first` counts those for whom it was the first."""
    first: Counter[tuple[int, str]]


@dataclass(frozen=True)
class Partial:
    """What one bucket adds. Times don't add up to a median, so they are kept whole."""

    over: Attempts
    waiting: Ints
    """Customers per step among the attempts whose window is not over."""
    labels: Labels | None = None
    drops: Drops | None = None
    trend: dict[date, Ints] | None = None


def reached(attempts: Attempts) -> Ints:
    """Customers per step."""
    counts: Ints = (attempts.times != NEVER).sum(axis=0)
    return counts


def ranges(funnel: Funnel, now: Instant) -> tuple[tuple[Instant, Instant], tuple[Instant, Instant]]:
    """Where attempts start whose window is over at `now`, and where those start whose window is not.

    A window is over strictly after its last instant. Without a window nothing stays open.
    """
    if funnel.within_us is None:
        return (funnel.start, funnel.end), (funnel.end, funnel.end)
    cut = min(max(now - funnel.within_us, funnel.start), funnel.end)
    return (funnel.start, cut), (cut, funnel.end)


def within(funnel: Funnel) -> int:
    return FOREVER if funnel.within_us is None else funnel.within_us


def answer(funnel: Funnel, partials: Sequence[Partial], now: Instant) -> FunnelAnswer:
    """All partials together."""
    waiting = tuple(int(count) for count in np.sum([one.waiting for one in partials], axis=0))
    return FunnelAnswer(
        _steps(funnel, [one.over for one in partials]),
        Open(waiting[0], waiting),
        _groups(funnel, partials) if funnel.by else (),
        _instead(funnel, [one.drops for one in partials if one.drops]),
        _trend(funnel, [one.trend for one in partials if one.trend], now) if funnel.trend else (),
    )


def _steps(funnel: Funnel, parts: Sequence[Attempts]) -> tuple[StepAnswer, ...]:
    customers = [int(count) for count in np.sum([reached(part) for part in parts], axis=0)]
    return tuple(_step(named(step), place, customers, parts) for place, step in enumerate(funnel.steps))


def _step(name: str, place: int, customers: Sequence[int], parts: Sequence[Attempts]) -> StepAnswer:
    here, before = customers[place], customers[max(place - 1, 0)]
    from_previous, from_first = _spans(place, parts)
    return StepAnswer(
        name,
        here,
        _rate(here, customers[0]),
        _rate(here, before),
        *_quantiles(from_previous),
        *_quantiles(from_first),
        float(from_first.mean()) / SECOND if len(from_first) else None,
        _histogram(from_previous) if place else (),
    )


def _spans(place: int, parts: Sequence[Attempts]) -> tuple[Ints, Ints]:
    """The times (µs) of those who reached a step: from the step before, and from the beginning."""
    previous, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in parts if place else ():
        there = part.times[:, place] != NEVER
        at = part.times[there, place]
        previous.append(at - part.times[there, place - 1])
        first.append(at - part.begun[there])
    return np.concatenate(previous), np.concatenate(first)


def _rate(some: int, all_: int) -> float:
    return some / all_ if all_ else 0.0


def _quantiles(spans: Ints) -> tuple[float | None, float | None]:
    """Median and 90th percentile in seconds (linear between ranks: Hyndman and Fan 1996, type 7)."""
    if not len(spans):
        return None, None
    median, p90 = np.quantile(spans, [0.5, 0.9])
    return float(median) / SECOND, float(p90) / SECOND


def _histogram(spans: Ints) -> tuple[int, ...]:
    classes = np.searchsorted(np.array(EDGES) * SECOND, spans, side="left")
    return tuple(np.bincount(classes, minlength=len(EDGES) + 1).tolist())


def _groups(funnel: Funnel, partials: Sequence[Partial]) -> tuple[Group, ...]:
    labels = [one.labels for one in partials if one.labels]
    names, codes, folded = grouped(labels)
    return tuple(
        Group(
            name,
            _steps(
                funnel, [_only(one.over, code == place) for one, code in zip(partials, codes, strict=True)]
            ),
            folded if folded and place + 1 == len(names) else 1,
        )
        for place, name in enumerate(names)
    )


def _only(attempts: Attempts, chosen: Flags) -> Attempts:
    return Attempts(attempts.times[chosen], attempts.begun[chosen])


def _instead(funnel: Funnel, parts: Sequence[Drops]) -> tuple[Drop, ...]:
    if not parts:
        return ()
    customers, nothing, then, first = (
        sum((getattr(part, name) for part in parts), Counter[object]())
        for name in ("customers", "nothing", "then", "first")
    )
    return tuple(
        Drop(named(step), customers[place], nothing[place], _next(place, then, first))
        for place, step in enumerate(funnel.steps[:-1])
    )


def _next(place: int, then: Counter[object], first: Counter[object]) -> tuple[Next, ...]:
    counts = {key[1]: count for key, count in then.items() if isinstance(key, tuple) and key[0] == place}
    return tuple(Next(name, counts[name], first[place, name]) for name in top(counts, INSTEAD))


def _trend(funnel: Funnel, parts: Sequence[dict[date, Ints]], now: Instant) -> tuple[Slice, ...]:
    assert funnel.trend
    days = sorted({day for part in parts for day in part})
    return tuple(_slice(funnel, day, [part[day] for part in parts if day in part], now) for day in days)


def _slice(funnel: Funnel, day: date, parts: Iterable[Ints], now: Instant) -> Slice:
    assert funnel.trend
    last = periods.ends(day, funnel.trend, funnel.zone)
    cut = ranges(funnel, now)[0][1] if funnel.within_us is not None else min(now, funnel.end)
    counts = tuple(int(count) for count in np.sum(list(parts), axis=0))
    return Slice(periods.label(day, funnel.trend), counts, last <= cut)
