"""Calendar periods of a zone: days, weeks from Monday, months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from hark.definitions.asked import Period
from hark.model import Instant
from hark.understand.conditions.base import distinct
from hark.understand.conditions.calendar import day_of, day_start

__all__ = ["Cut", "Period", "begins", "days_between", "ends", "first_day", "following", "label"]

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


def earlier(day: date, period: Period, count: int) -> date:
    """The first day of the period that is so many before the one that begins with a day."""
    if period == "month":
        months = day.year * 12 + day.month - 1 - count
        return date(months // 12, months % 12 + 1, 1)
    return day - timedelta(days=(7 if period == "week" else 1) * count)


def apart(day: date, other: date, period: Period) -> int:
    """How many periods the one that begins with `other` comes after the one that begins with a day."""
    if period == "month":
        return (other.year - day.year) * 12 + other.month - day.month
    return (other - day).days // (7 if period == "week" else 1)


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


@dataclass(frozen=True)
class Cut:
    """Consecutive periods, numbered from 0."""

    period: Period
    zone: str
    days: list[date]
    starts: NDArray[np.int64]

    @staticmethod
    def between(first: Instant, last: Instant, period: Period, zone: str) -> Cut:
        """The periods from that of `first` to that of `last`."""
        days = days_between(first, last, period, zone)
        return Cut(period, zone, days, np.array([begins(day, zone) for day in days], np.int64))

    @staticmethod
    def over(ats: NDArray[np.int64], period: Period, zone: str) -> Cut:
        """The periods from the earliest to the latest of some instants."""
        if not len(ats):
            return Cut(period, zone, [], np.empty(0, np.int64))
        return Cut.between(int(ats.min()), int(ats.max()), period, zone)

    def places(self, ats: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the period in which each instant lies."""
        return np.searchsorted(self.starts, ats, side="right") - 1

    def different(self, place: NDArray[np.int64], subject: NDArray[np.int64]) -> list[int]:
        """How many different subjects there are in each period."""
        wide = int(subject.max(initial=0)) + 1
        periods = distinct(place * wide + subject) // wide
        counts: list[int] = np.bincount(periods, minlength=len(self.days)).tolist()
        return counts

    def ends(self, place: int) -> Instant:
        """The instant at which a period is over."""
        return ends(self.days[place], self.period, self.zone)

    def label(self, place: int) -> str:
        return label(self.days[place], self.period)
