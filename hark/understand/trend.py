"""Trends: how often an event happens in each period, to how many people, and what its property adds up to.

`specification` is what the answer means, in plain Python; `ask_trend` gives the same from columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hark.definitions.asked import Trend
from hark.history.reader import Snapshot
from hark.history.runs import Flags, Ints
from hark.history.values import Unreadable, Value, value_of
from hark.model import Event, Instant
from hark.understand import periods, split
from hark.understand.operators import is_number
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.split import Labels
from hark.understand.steps import is_activity, matches, named
from hark.understand.tabular import Row, Tabular

Floats = npt.NDArray[np.float64]


class Point(Struct, frozen=True):
    """One period. What speaks of the property is None where the question names none, or no event has one."""

    period: str
    count: int
    customers: int
    change: float | None
    """The count as a share of that in the period before, less one; None for the first, and after none."""
    sum: float | None
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    complete: bool


class Line(Struct, frozen=True):
    """The points of one value of what the question is split by."""

    value: str
    points: tuple[Point, ...]
    values: int = 1
    """How many values are in it; more than one only in "other"."""
    before: tuple[Point, ...] = ()
    """As many periods before, one for each point, where the question compares."""


class TrendAnswer(Tabular, frozen=True):
    """{"event", "points": [{"period", "count", "customers", "change", "sum", ...}], "groups": [...]}."""

    event: str
    points: tuple[Point, ...]
    groups: tuple[Line, ...] = ()
    before: tuple[Point, ...] = ()
    """As many periods before, one for each point, where the question compares."""

    def rows(self) -> Iterator[Row]:
        """One row a period; of each group, where the question is split.

        With a comparison, `before` is the count as many periods earlier.
        """
        for line in self.groups or (Line("", self.points, before=self.before),):
            for place, point in enumerate(line.points):
                row = msgspec.structs.asdict(point)
                row |= {"before": line.before[place].count} if line.before else {}
                yield {"value": line.value, **row} if self.groups else row


@dataclass(frozen=True)
class Partial:
    """The matching events of one bucket."""

    subject: Ints
    at: Ints
    value: Floats
    """Of the property; not a number where an event has none."""
    labels: Labels | None = None


# -- what it means --------------------------------------------------------------------------------------


def specification(
    question: Trend,
    histories: Iterable[Sequence[Event]],
    now: Instant,
    members: Mapping[str, frozenset[int]] | None = None,
) -> TrendAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    question = with_before(question, now)
    found = [
        (history, one) for history in histories for one in history if one.at <= now and _fits(question, one)
    ]
    of = (members or {}).get(question.by.name, frozenset()) if question.by else frozenset()
    labels = [split.label_of(question.by, history, one, of) if question.by else "" for history, one in found]
    words = tuple(dict.fromkeys(labels))
    part = Partial(
        np.array([one.subject for _, one in found], np.int64),
        np.array([one.at for _, one in found], np.int64),
        np.array([number_of(question.of, one.properties) for _, one in found], np.float64),
        Labels(np.array([words.index(label) for label in labels], np.int32), words) if question.by else None,
    )
    return answer(question, [part], now)


def with_before(question: Trend, now: Instant) -> Trend:
    """The same question over as many periods more, right before the range, if it compares.

    The range then begins with a whole period; its last is the one in which it ends, or the present one. One
    that has not begun has nothing beside it.
    """
    last = min(question.end - 1, now)
    if not question.compare or last < question.start:
        return msgspec.structs.replace(question, compare=False)
    days = periods.days_between(question.start, last, question.period, question.zone)
    first = periods.earlier(days[0], question.period, len(days))
    return msgspec.structs.replace(question, start=periods.begins(first, question.zone))


def _fits(question: Trend, event: Event) -> bool:
    counts = is_activity(event) if question.event is None else matches(question.event, event)
    return counts and question.start <= event.at < question.end


def number_of(path: str | None, properties: bytes) -> float:
    """A property as a number; not a number where it is none, or absent."""
    return float("nan") if path is None else _number(value_of(path, properties))


def _number(value: Value) -> float:
    return float("nan") if isinstance(value, Unreadable) or not is_number(value) else float(value)


# -- from the history -----------------------------------------------------------------------------------


def ask_trend(history: Snapshot | People, question: Trend, now: Instant) -> TrendAnswer:
    """The answer from a history, one bucket a thread."""
    question = with_before(question, now)
    whom = people(history, now).among(question.among)
    helped = split.helped(whom, question.by)
    parts = over_buckets(whom, lambda bucket: _of_bucket(whom, question, now, bucket, helped))
    return answer(question, parts, now)


def _of_bucket(whom: People, question: Trend, now: Instant, bucket: int, helped: split.Help) -> Partial:
    from hark.understand.kernels.rows import Bit, names_of, stream, wanted

    bits = [Bit(question.event, inactive=question.event is not None)]
    names = names_of(bits)
    told = {**split.told(question.by, question.event), **({question.of: names} if question.of else {})}
    rows = stream(whom.runs(bucket, names, values=wanted(bits, told)), bits, told=[*told])
    inside = (rows.at <= now) & (rows.at >= question.start) & (rows.at < question.end)
    chosen = np.flatnonzero(inside)
    value = np.full(len(chosen), np.nan)
    if question.of is not None:
        of = rows.values[question.of]
        value = np.array([_number(one) for one in of.values], np.float64)[of.codes[chosen]]
    labels = split.labels(rows, chosen, question.by, helped, bucket) if question.by else None
    return Partial(rows.subject[chosen], rows.at[chosen], value, labels)


# -- adding up ------------------------------------------------------------------------------------------


def answer(question: Trend, partials: Sequence[Partial], now: Instant) -> TrendAnswer:
    """All partials together, of a question `with_before`."""
    subject, at, value = (
        np.concatenate([getattr(one, name) for one in partials]) for name in ("subject", "at", "value")
    )
    cut = _cut(question, at, now)
    whole = _Whole(cut, subject, cut.places(at) if len(at) else at, value, now)
    name = named(question.event) if question.event else "any activity"
    points, before = _halves(question, whole.points(np.ones(len(at), np.bool_)))
    return TrendAnswer(name, points, _groups(question, partials, whole), before)


def _cut(question: Trend, at: Ints, now: Instant) -> periods.Cut:
    """The periods with events, or all that are compared."""
    if not question.compare:
        return periods.Cut.over(at, question.period, question.zone)
    last = min(question.end - 1, now)
    return periods.Cut.between(question.start, last, question.period, question.zone)


def _halves(question: Trend, points: tuple[Point, ...]) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """The points of the range, and of the time before it, if the question compares."""
    middle = len(points) // 2 if question.compare else 0
    return points[middle:], points[:middle]


def _groups(question: Trend, partials: Sequence[Partial], whole: _Whole) -> tuple[Line, ...]:
    if question.by is None:
        return ()
    names, codes, folded = split.grouped([one.labels for one in partials if one.labels])
    code = np.concatenate([np.empty(0, np.int64), *codes])
    lines = []
    for place, name in enumerate(names):
        points, before = _halves(question, whole.points(code == place))
        lines.append(Line(name, points, folded if folded and place + 1 == len(names) else 1, before))
    return tuple(lines)


@dataclass(frozen=True)
class _Whole:
    """All matching events, with the number of the period in which each lies."""

    cut: periods.Cut
    subject: Ints
    place: Ints
    value: Floats
    now: Instant

    def points(self, chosen: Flags) -> tuple[Point, ...]:
        """One point for every period, of these events."""
        count = len(self.cut.days)
        subject, place, value = self.subject[chosen], self.place[chosen], self.value[chosen]
        counts = np.bincount(place, minlength=count).tolist()
        customers = self.cut.different(place, subject)
        sizes = _sizes(place, value, count)
        return tuple(self.point(one, counts, customers[one], sizes[one]) for one in range(count))

    def point(self, place: int, counts: list[int], customers: int, sizes: list[float | None]) -> Point:
        before = counts[place - 1] if place else 0
        change = counts[place] / before - 1 if before else None
        total, mean, p50, p90, p99 = sizes
        over = self.cut.ends(place) <= self.now
        return Point(
            self.cut.label(place), counts[place], customers, change, total, mean, p50, p90, p99, over
        )


def _sizes(place: Ints, value: Floats, count: int) -> list[list[float | None]]:
    """Sum, mean and percentiles in each period (type 7), None where there is no number."""
    there = ~np.isnan(value)
    place, value = place[there], value[there]
    order = np.lexsort((value, place))
    value, edges = value[order], np.searchsorted(place[order], np.arange(count + 1))
    return [_size(value[low:high]) for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


def _size(value: Floats) -> list[float | None]:
    if not len(value):
        return [None] * 5
    total = float(np.sum(value))
    return [total, total / len(value), *np.quantile(value, [0.5, 0.9, 0.99]).tolist()]
