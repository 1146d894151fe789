"""Sessions: runs of activity without a longer gap.

`specification` is what the answer means, in plain Python; `ask_sessions` gives the same from columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec import Struct

from hark.definitions.asked import Sessions
from hark.history.reader import Snapshot
from hark.history.runs import Ints
from hark.model import SECOND, Event, Instant
from hark.understand import periods
from hark.understand.conditions.base import distinct
from hark.understand.partials import over_buckets
from hark.understand.people import People, people
from hark.understand.steps import is_activity
from hark.understand.tabular import Row, Tabular


class SessionPeriod(Struct, frozen=True):
    """The sessions that began in one period."""

    period: str
    sessions: int
    customers: int
    complete: bool


class SessionsAnswer(Tabular, frozen=True):
    """{"sessions": 6454, "customers", "events_per_session", "median_s", "periods": [...]}."""

    sessions: int
    customers: int
    events_per_session: float | None
    """None without a session, as also the lengths."""
    median_s: float | None
    """The length of a session, from its first activity to its last."""
    p90_s: float | None
    periods: tuple[SessionPeriod, ...]

    def rows(self) -> Iterator[Row]:
        for one in self.periods:
            yield msgspec.structs.asdict(one)


@dataclass(frozen=True)
class Partial:
    """One bucket's sessions, by (subject, beginning)."""

    subject: Ints
    begun: Ints
    ended: Ints
    events: Ints


def specification(question: Sessions, histories: Iterable[Sequence[Event]], now: Instant) -> SessionsAnswer:
    """The answer by definition. Each history is one subject's events by (at, seq)."""
    found = [
        (session[0].subject, session[0].at, session[-1].at, len(session))
        for history in histories
        for session in sessions(question, [one for one in history if one.at <= now])
        if question.start <= session[0].at < question.end
    ]
    columns = np.array(found, np.int64).reshape(-1, 4).T
    return answer(question, [Partial(*columns)], now)


def sessions(question: Sessions, events: Sequence[Event]) -> list[list[Event]]:
    """One subject's sessions: an activity as long after the one before as the gap begins a new one."""
    found: list[list[Event]] = []
    for event in filter(is_activity, events):
        if found and event.at - found[-1][-1].at < question.gap_us:
            found[-1].append(event)
        else:
            found.append([event])
    return found


def ask_sessions(history: Snapshot | People, question: Sessions, now: Instant) -> SessionsAnswer:
    """The answer from a history, one bucket a thread."""
    whom = people(history, now).among(question.among)
    return answer(question, over_buckets(whom, lambda bucket: _of_bucket(whom, question, now, bucket)), now)


def _of_bucket(whom: People, question: Sessions, now: Instant, bucket: int) -> Partial:
    from hark.understand.kernels.rows import ACTIVITY, stream

    rows = stream(whom.runs(bucket), [ACTIVITY])
    known = rows.at <= now
    subject, at = rows.subject[known], rows.at[known]
    begins = np.ones(len(at), np.bool_)
    begins[1:] = (subject[1:] != subject[:-1]) | (at[1:] - at[:-1] >= question.gap_us)
    first = np.flatnonzero(begins)
    after = np.append(first[1:], len(at))[: len(first)]
    inside = (at[first] >= question.start) & (at[first] < question.end)
    first, after = first[inside], after[inside]
    return Partial(subject[first], at[first], at[after - 1], after - first)


def answer(question: Sessions, partials: Sequence[Partial], now: Instant) -> SessionsAnswer:
    """All partials together."""
    subject, begun, ended, events = (
        np.concatenate([getattr(one, name) for one in partials])
        for name in ("subject", "begun", "ended", "events")
    )
    if not len(begun):
        return SessionsAnswer(0, 0, None, None, None, ())
    median, p90 = (np.quantile(ended - begun, [0.5, 0.9]) / SECOND).tolist()
    return SessionsAnswer(
        len(begun),
        len(distinct(subject)),
        float(events.mean()),
        median,
        p90,
        _by_period(question, subject, begun, now),
    )


def _by_period(question: Sessions, subject: Ints, begun: Ints, now: Instant) -> tuple[SessionPeriod, ...]:
    cut = periods.Cut.over(begun, question.period, question.zone)
    place = cut.places(begun)
    counts = np.bincount(place, minlength=len(cut.days))
    customers = cut.different(place, subject)
    return tuple(
        SessionPeriod(cut.label(number), int(counts[number]), customers[number], cut.ends(number) <= now)
        for number in range(len(cut.days))
    )
