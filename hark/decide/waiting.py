"""When a wait ends by time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hark.clock import instant, moment
from hark.decide.localtime import minutes_of, next_time_of_day, zone_of
from hark.decide.profile import text
from hark.decide.references import found
from hark.decide.work import Work
from hark.definitions.types import Wait
from hark.model import JSON, SECOND, Instant, Record, Run
from hark.understand.operators import is_number

MILLISECONDS = 100_000_000_000
"""A number from here on counts milliseconds since 1970, one below it seconds."""


def wait_ends(work: Work, run: Run, wait: Wait, since: Instant) -> Instant | None:
    """The moment at which the wait that began at `since` is over; None: what it refers to is no moment."""
    if wait.for_us is not None:
        return since + wait.for_us
    if wait.to is not None:
        at = moment_of(found(wait.to, run, work.record), local_zone(work, "customer"))
        return None if at is None else at + wait.offset_us
    return next_time_of_day(since, minutes_of(wait.at or ""), local_zone(work, wait.zone), wait.days)


def local_zone(work: Work, wanted: str) -> ZoneInfo:
    """The zone of that name; for "customer" the customer's own, if known, else the policy's fallback."""
    return zone_for(work.record, work.plan.fallback_zone, wanted)


def zone_for(record: Record, fallback: str, wanted: str) -> ZoneInfo:
    return zone_of(wanted, text(record.traits, "timezone"), fallback)


def moment_of(value: JSON, zone: ZoneInfo) -> Instant | None:
    """The instant that a property or trait names: a date or time (local in `zone` unless it says another)
    or a number of seconds or milliseconds since 1970. None if it names none."""
    if is_number(value):
        at = int(value * SECOND) if abs(value) < MILLISECONDS else int(value * 1000)
        return at if abs(at) < 4_000_000_000 * SECOND else None
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant(read if read.tzinfo else read.replace(tzinfo=zone))


def local_date(at: Instant, zone: ZoneInfo) -> date:
    return moment(at).astimezone(zone).date()


def days_later(at: Instant, days: int, zone: ZoneInfo) -> Instant:
    """The same time of day so many days on; one that clocks skip there, as if they had not moved."""
    return instant(moment(at).astimezone(zone) + timedelta(days))


def local_instant(day: date, minutes: int, zone: ZoneInfo) -> Instant:
    """When clocks in the zone show that many minutes past midnight of the day. A time that is skipped is
    taken as if they had not moved; of one that comes twice, the first."""
    return instant(datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone))
