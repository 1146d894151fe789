"""Retention from the history, by the kernel (`understand.kernels.retention`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hark.definitions.asked import FOREVER, Retention, When
from hark.definitions.types import EventMatch
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import Instant
from hark.understand import periods, split
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.retention.answer import Partial, RetentionAnswer, answer, partial
from hark.understand.retention.meaning import same
from hark.understand.turning import AFTER, Turning, asked_at, turning

START, RETURN = 0, 1
"""The places of their bits."""

if TYPE_CHECKING:
    from hark.understand.kernels.rows import Stream


def ask_retention(history: Snapshot | People, question: Retention, now: Instant) -> RetentionAnswer:
    """The answer from a history, one bucket a thread."""
    # numba takes half a second to load, which only questions should pay.
    from hark.understand.kernels.rows import ACTIVITY, Bit, mixed, names_of, stream, wanted

    whom = people(history, now).among(question.among)
    bits = [Bit(_event(question.start)), Bit(_event(question.returns), inactive=False)]
    event = question.start if isinstance(question.start, EventMatch) else None
    told, helped = split.told(question.by, event), split.helped(whom, question.by)
    asked = [*bits, *([ACTIVITY] if question.returned_to else [])]
    starts, returns = _turnings(whom, question, now)

    def one(bucket: int) -> Partial:
        runs = whom.runs(bucket, names_of(asked), values=wanted(bits, told))
        rows = stream(runs, asked, named=question.returned_to, told=[*told])
        for more in _marks(bucket, starts, returns):
            rows = mixed(rows, more)
        return _from_rows(question, rows, now, helped, bucket)

    return answer(question, over_buckets(whom, one), now)


def _event(asked: EventMatch | When | None) -> EventMatch | None:
    """The events that count; no name at all for a condition."""
    return EventMatch(()) if isinstance(asked, When) else asked


def _turnings(whom: People, question: Retention, now: Instant) -> tuple[Turning | None, Turning | None]:
    """Of a start and of a return by a condition; one and the same where they are."""
    since = -FOREVER if question.cohorts == "first_time" else question.begin

    def found(when: EventMatch | When | None) -> Turning | None:
        if not isinstance(when, When):
            return None
        return turning(whom, when, question.period, question.zone, since, now)

    starts = found(question.start)
    return starts, starts if same(question) else found(question.returns)


def _marks(bucket: int, starts: Turning | None, returns: Turning | None) -> Iterator[Stream]:
    inside = starts.inside(bucket) if starts else []
    if starts:
        yield starts.turned(bucket, inside, START)
    if returns:
        yield returns.held(bucket, inside if returns is starts else returns.inside(bucket), RETURN)


def _from_rows(question: Retention, rows: Stream, now: Instant, helped: split.Help, bucket: int) -> Partial:
    from hark.understand.kernels import retention as kernel

    counted = rows.at[(rows.at <= now) & (rows.bits & np.uint64(3) != 0)]
    if not len(counted):
        return Partial(Counter(), Counter(), None)
    cut = periods.Cut.over(counted, question.period, question.zone)
    begun = kernel.entries(rows, question.cohorts, cut.starts, question.begin, question.end, now)
    period = cut.places(rows.at[begun])
    looked = _as_of(question, rows, cut, now)
    labels = split.labels(looked, begun, question.by, helped, bucket) if question.by else None
    codes = labels.codes.astype(np.int64) if labels else np.zeros(len(begun), np.int64)
    cohorts, line = np.unique(codes * len(cut.days) + period, return_inverse=True)
    found = kernel.active(rows, begun, period, line, len(cohorts), cut.starts, question.on_or_after, now)
    sizes, words = np.bincount(line), labels.words if labels else ("",)
    if same(question):
        found.active[:, 0] = sizes
    names = [(words[one // len(cut.days)], cut.days[one % len(cut.days)]) for one in cohorts.tolist()]
    came = _came_back(rows, begun, period, found.last, cut, now) if question.returned_to else ()
    return partial(names, sizes, found.active, int(counted.max()), came)


def _as_of(question: Retention, rows: Stream, cut: periods.Cut, now: Instant) -> Stream:
    """The rows at the places where headings are looked up: for a condition when it is asked."""
    if not isinstance(question.start, When):
        return rows
    ends = [asked_at(day, question.period, question.zone, now) for day in cut.days]
    at = np.array(ends, np.int64)[cut.places(rows.at)]
    return replace(rows, at=at, seq=np.full(len(rows), AFTER))


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
