"""Retention in plain Python: what its answer means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from hark.definitions.asked import Retention, When
from hark.model import Event, Instant
from hark.understand import periods, split
from hark.understand.retention.answer import Partial, RetentionAnswer, answer
from hark.understand.steps import is_activity, matches
from hark.understand.turning import AFTER, BEFORE, asked_at, held, turned


class Mark(NamedTuple):
    """A place in a subject's history."""

    at: Instant
    seq: int


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
        for begun in entries(question, events, now):
            value = (
                split.label_of(question.by, events, _as_of(question, events, begun, now), of)
                if question.by
                else ""
            )
            cohort = value, _period(question, begun.at)
            found.sizes[cohort] += 1
            found.active.update((*cohort, k) for k in active_in(question, events, begun, now))
    returned = (
        [then for events in known if (then := came_back(question, events, now)) is not None]
        if question.returned_to
        else []
    )
    assert found.came is not None and found.first is not None
    found.came.update(name for then in returned for name in set(then))
    found.first.update(then[0] for then in returned if then)
    at = [mark.at for events in known
          for mark in (*starts(question, events, now), *returns(question, events, now))]  # fmt: skip
    latest = max(at, default=None)
    return answer(
        question,
        [Partial(found.sizes, found.active, latest, len(returned), found.came, found.first)],
        now,
    )


def starts(question: Retention, events: Sequence[Event], now: Instant) -> list[Mark]:
    """When one subject starts, by (at, seq). By a condition they start with the period: before all of it."""
    if isinstance(question.start, When):
        days = turned(question.start, events, question.period, question.zone, now)
        return [Mark(periods.begins(day, question.zone), BEFORE) for day in days]
    return [Mark(one.at, one.seq) for one in events if matches(question.start, one)]


def returns(question: Retention, events: Sequence[Event], now: Instant) -> list[Mark]:
    """When one subject returns, by (at, seq). A condition is met at the end of a period: after all of it."""
    asked = question.returns
    if isinstance(asked, When):
        days = held(asked, events, question.period, question.zone, now)
        return [Mark(asked_at(day, question.period, question.zone, now), AFTER) for day in days]
    return [
        Mark(one.at, one.seq) for one in events if is_activity(one) and (asked is None or matches(asked, one))
    ]


def entries(question: Retention, events: Sequence[Event], now: Instant) -> list[Mark]:
    """The starts by which one subject belongs to cohorts: one at most, unless cohorts are recurring."""
    ever = starts(question, events, now)
    inside = [mark for mark in ever if question.begin <= mark.at < question.end]
    if question.cohorts == "first_time":
        return inside[:1] if inside[:1] == ever[:1] else []
    if question.cohorts == "first":
        return inside[:1]
    by_period: dict[date, Mark] = {}
    for mark in inside:
        by_period.setdefault(_period(question, mark.at), mark)
    return list(by_period.values())


def active_in(question: Retention, events: Sequence[Event], begun: Mark, now: Instant) -> set[int]:
    """The periods after that of the start in which the subject is active."""
    after = {_after(question, begun, mark.at) for mark in returns(question, events, now) if mark > begun}
    if question.on_or_after:
        after = set(range(max(after, default=-1) + 1))
    return after | ({0} if same(question) else set())


def came_back(question: Retention, events: Sequence[Event], now: Instant) -> list[str] | None:
    """What a subject did in the periods after their first cohort's, if they returned in one of them."""
    for begun in entries(question, events, now)[:1]:
        if any(
            _after(question, begun, mark.at) > 0 for mark in returns(question, events, now) if mark > begun
        ):
            later = [
                one for one in events if (one.at, one.seq) > begun and _after(question, begun, one.at) > 0
            ]
            return [one.name for one in later if is_activity(one)]
    return None


def _as_of(question: Retention, events: Sequence[Event], begun: Mark, now: Instant) -> Event:
    """The event at which headings are looked up; for a condition what was so when it was asked."""
    if isinstance(question.start, When):
        day = _period(question, begun.at)
        return replace(events[0], at=asked_at(day, question.period, question.zone, now), seq=AFTER)
    return next(one for one in events if (one.at, one.seq) == begun)


def same(question: Retention) -> bool:
    """One event is both start and return: period 0 is then the cohort's size."""
    return question.start == question.returns


def _period(question: Retention, at: Instant) -> date:
    return periods.first_day(at, question.period, question.zone)


def _after(question: Retention, begun: Mark, at: Instant) -> int:
    """How many periods lie from that of the start to that of an instant."""
    return periods.apart(_period(question, begun.at), _period(question, at), question.period)
