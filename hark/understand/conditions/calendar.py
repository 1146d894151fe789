"""Calendar days, weeks and months of a zone, for one instant and for a column of them.

A day begins at its first local midnight and lasts until the next day's; so days are intervals, also
where clocks are set back over midnight. Days are numbered from 1970-01-01 = 0, weeks (from Monday) from
that of 1969-12-29 = 0, months from January 1970 = 0.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hark.clock import instant
from hark.model import DAY, Instant

_EPOCH = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=65536)
def day_start(day: int, zone: str) -> Instant:
    """The instant at which a local day begins."""
    first = date.fromordinal(day + _EPOCH)
    return instant(datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone)))


def day_of(at: Instant, zone: str) -> int:
    """The local day in which an instant lies."""
    day = at // DAY
    if zone == "UTC":
        return day
    if at < day_start(day, zone):
        return day - 1
    return day + 1 if at >= day_start(day + 1, zone) else day


def days_of(ats: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """`day_of` for a column of instants."""
    if zone == "UTC" or not len(ats):
        return ats // DAY
    first, last = int(ats.min()) // DAY - 1, int(ats.max()) // DAY + 2
    starts = np.array([day_start(day, zone) for day in range(first, last + 1)])
    return np.searchsorted(starts, ats, side="right") + (first - 1)


def period_of(at: Instant, period: str, zone: str) -> int:
    """The number of the local day, week or month (`period` is "days", "weeks" or "months")."""
    day = day_of(at, zone)
    if period == "days":
        return day
    if period == "weeks":
        return (day + _THURSDAY) // 7
    first = date.fromordinal(day + _EPOCH)
    return (first.year - 1970) * 12 + first.month - 1


def periods_of(ats: NDArray[np.int64], period: str, zone: str) -> NDArray[np.int64]:
    """`period_of` for a column of instants."""
    days = days_of(ats, zone)
    if period == "days":
        return days
    if period == "weeks":
        return (days + _THURSDAY) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


_THURSDAY = 3
"""1970-01-01 was one: so many days after its week's Monday."""
