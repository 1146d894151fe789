"""Calendar periods of a zone: days, weeks from Monday, months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from hark.definitions.asked import Period
from hark.model import Instant
from hark.understand.conditions.calendar import day_of, day_start

__all__ = ["Period", "begins", "days_between", "ends", "first_day", "following", "label"]

_EPOCH = date(1970, 1, 1)


def first_day(at: Instant, period: Period, zone: str) -> date:
    """The first local day of the period in which an instant lies."""
    day = _EPOCH + timedelta(days=day_of(at, zone))
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def following(day: date, period: Period) -> date:
    """The first day of the next period."""
    if period == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if period == "week" else 1)


def begins(day: date, zone: str) -> Instant:
    """The instant at which a local day begins."""
    return day_start((day - _EPOCH).days, zone)


def ends(day: date, period: Period, zone: str) -> Instant:
    """The instant at which the period that begins with a local day is over."""
    return begins(following(day, period), zone)


def days_between(first: Instant, last: Instant, period: Period, zone: str) -> list[date]:
    """The first days of all periods from that of `first` to that of `last`, both included."""
    end = first_day(last, period, zone)
    return list(_until(first_day(first, period, zone), end, period))


def _until(day: date, end: date, period: Period) -> Iterator[date]:
    while day <= end:
        yield day
        day = following(day, period)


def label(day: date, period: Period) -> str:
    """What people call the period: "2010-12" for a month, its first day otherwise."""
    return day.isoformat()[:7] if period == "month" else day.isoformat()
