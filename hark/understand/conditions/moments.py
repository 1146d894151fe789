"""Operators that ask of a date or an instant how far it is from the present one.

Times are read in the customer's zone (the trait `timezone`, else the workspace's): a date is its first
instant there, and a time without a zone is a time there.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from hark.clock import instant, moment
from hark.model import DAY, HOUR, JSON, MINUTE, WEEK, Instant

_SPAN = re.compile(r"0*([1-9][0-9]{0,8})([mhdw])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_LONGEST_US = 36500 * DAY
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")


class Timed(Struct, frozen=True):
    """One such operator: whether a moment passes, and when that changes by time alone."""

    passes: Callable[[Instant, Instant, str], bool]
    """Of (the moment, now, zone)."""
    changes: Callable[[Instant, Instant, str], Iterator[Instant]]
    """Of the same: moments at which the answer may change; some may be over."""


def span_of(text: JSON) -> int:
    """A duration as 30m, 6h, 14d or 8w in microseconds. Raises ValueError with what was expected."""
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    span = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < span <= _LONGEST_US:
        raise ValueError("a duration: 30m, 6h, 14d or 8w")
    return span


def _in_next(operand: JSON) -> Timed:
    """In (now, now + d]."""
    span = span_of(operand)
    return Timed(lambda at, now, _: now < at <= now + span, lambda at, _now, _: iter((at - span, at)))


def _older_than(operand: JSON) -> Timed:
    """At or before now - d."""
    span = span_of(operand)
    return Timed(lambda at, now, _: at <= now - span, lambda at, _now, _: iter((at + span,)))


def _newer_than(operand: JSON) -> Timed:
    """In (now - d, now]."""
    span = span_of(operand)
    return Timed(lambda at, now, _: now - span < at <= now, lambda at, _now, _: iter((at, at + span)))


def _anniversary(operand: JSON) -> Timed:
    """The same day of a later year; of February 29 in other years the 28th."""
    if operand != "today":
        raise ValueError("today")
    return Timed(_is_anniversary, _around_anniversaries)


def _is_anniversary(at: Instant, now: Instant, zone: str) -> bool:
    first, today = _local(at, zone), _local(now, zone)
    return today.year > first.year and today == _in_year(first, today.year)


def _around_anniversaries(at: Instant, now: Instant, zone: str) -> Iterator[Instant]:
    first, today = _local(at, zone), _local(now, zone)
    for year in (max(today.year, first.year + 1), max(today.year, first.year) + 1):
        day = _in_year(first, year)
        for ordinal in (day.toordinal(), day.toordinal() + 1):
            yield _midnight(date.fromordinal(ordinal), zone)


def _in_year(first: date, year: int) -> date:
    leap_day = (first.month, first.day) == (2, 29) and not isleap(year)
    return date(year, 2, 28) if leap_day else first.replace(year=year)


def _local(at: Instant, zone: str) -> date:
    return moment(at).astimezone(ZoneInfo(zone)).date()


def _midnight(day: date, zone: str) -> Instant:
    return instant(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


TIMED: Mapping[str, Callable[[JSON], Timed]] = {
    "in_next": _in_next,
    "older_than": _older_than,
    "newer_than": _newer_than,
    "anniversary": _anniversary,
}
"""From an operand to its operator; an operand that does not fit raises ValueError("what was expected")."""


@lru_cache(maxsize=65536)
def moment_of(text: JSON, zone: str) -> Instant | None:
    """The instant that a text names to somebody in a zone; None if it names none."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1900 <= found.year < 2200:
        return None
    return instant(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)))


@lru_cache(maxsize=4096)
def zone_or(name: JSON, fallback: str) -> str:
    """The zone of that name, if there is one."""
    try:
        return ZoneInfo(name).key if isinstance(name, str) and name else fallback
    except (ValueError, OSError, LookupError):
        return fallback
