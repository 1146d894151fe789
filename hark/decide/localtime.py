"""A customer's local time: zones, times of day, quiet hours."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hark.clock import instant, moment
from hark.definitions.manners import QuietHours
from hark.model import Instant

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone of that name, None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_of(wanted: str, customers: str, fallback: str) -> ZoneInfo:
    """The zone `wanted`, where "customer" stands for the customer's own, if known, else the fallback."""
    name = customers if wanted == "customer" else wanted
    return (name and zone_named(name)) or zone_named(fallback) or ZoneInfo("UTC")


def next_time_of_day(after: Instant, minutes: int, zone: ZoneInfo, days: Collection[str] = ()) -> Instant:
    """The first instant strictly after `after` at which clocks in the zone show `minutes` past midnight.

    Only on the given days of the week (none given: any). A time that the zone skips in spring is taken
    as if the clocks had not moved; of one that comes twice in autumn, the first.
    """
    today = moment(after).astimezone(zone).date()
    clock = time(minutes // 60, minutes % 60)
    for offset in range(9):
        day = today + timedelta(days=offset)
        if days and WEEKDAYS[day.weekday()] not in days:
            continue
        at = instant(datetime.combine(day, clock, tzinfo=zone))
        if at > after:
            return at
    raise ValueError(f"none of these are days of the week: {sorted(days)}")


def minutes_of(text: str) -> int:
    """Minutes past midnight of "09:30"."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def quiet_until(quiet: QuietHours, at: Instant, zone: ZoneInfo) -> Instant | None:
    """The end of the quiet hours that `at` falls into; None outside them. [start, end) in local time."""
    local = moment(at).astimezone(zone)
    now = local.hour * 60 + local.minute
    over_midnight = quiet.start > quiet.end
    inside = now >= quiet.start or now < quiet.end if over_midnight else quiet.start <= now < quiet.end
    return next_time_of_day(at, quiet.end, zone) if inside else None
