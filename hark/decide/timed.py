"""Campaigns that start at a time: on a date of the customer's, by a schedule, or once for everybody.

A record keeps for each such campaign the next moment at which it starts for this customer. What that moment
is follows from the traits alone, so it is found anew whenever those change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim

from hark.clock import instant, moment, unit_hash
from hark.decide.course import Course
from hark.decide.entry import consider, entry_key
from hark.decide.localtime import minutes_of
from hark.decide.waiting import local_date, local_instant, moment_of, zone_for
from hark.decide.work import SOURCE, Work, whole_ms
from hark.definitions.nominal import Broadcast, OnDate, OnSchedule
from hark.model import DAY, MINUTE, Event, Instant, Kind, Record, Start

TRIGGERS = {OnDate: "Date", OnSchedule: "Schedule", Broadcast: "Broadcast"}
"""What the facts call such a trigger."""


def arm(work: Work) -> None:
    """Notes for every campaign that starts at a time when it does so next for this customer."""
    record = work.record
    named = {course.name for course in work.plan.timed}
    for name in [name for name in record.starts if name not in named]:
        del record.starts[name]
    for course in work.plan.timed:
        _arm(work, course)


def _arm(work: Work, course: Course) -> None:
    record = work.record
    over = course.campaign.reenter_us is None and entry_key(course, "") in record.entries
    known = record.starts.get(course.name)
    pending = known is not None and known.at == work.now  # events come before it, and lose it nothing
    found = None if over else following(course, record, work.now - pending, work.plan.fallback_zone)
    work.moved = True
    if found is None:
        record.starts.pop(course.name, None)
    else:
        record.starts[course.name] = found


def starts_due(work: Work) -> None:
    """Considers the entries whose moment has come, each by the definition in force, and notes the next."""
    starts, plan = work.record.starts, work.plan
    for name in sorted(name for name, start in starts.items() if start.at <= work.now):
        start = starts.pop(name)
        work.moved = True
        course = plan.current.get(name)
        if course is None or course.campaign.trigger.timed is None:
            continue
        if start.late or start == following(course, work.record, start.at - 1, plan.fallback_zone):
            consider(work, course, _trigger(work, course, start))
        if not isinstance(course.campaign.trigger.timed, Broadcast):
            _arm(work, course)


def _trigger(work: Work, course: Course, start: Start) -> Event:
    """Stands in for what happened, as the run's trigger: that a moment came."""
    timed, now = course.campaign.trigger.timed, work.now
    assert timed is not None
    properties = {"at": moment(start.nominal).isoformat().replace("+00:00", "Z")}
    subject, seq, name = work.record.subject, work.record.last_seq, TRIGGERS[type(timed)]
    return Event(
        *(subject, start.nominal, seq, name, Kind.FACT.value, SOURCE, "", now, now, now),
        properties=msgspec.json.encode(properties),
    )


def following(course: Course, record: Record, after: Instant, fallback: str) -> Start | None:
    """The first start of the campaign for this customer strictly after `after`; None: there is none."""
    timed = course.campaign.trigger.timed
    assert timed is not None
    zone = zone_for(record, fallback, timed.zone)
    if isinstance(timed, Broadcast):
        return _broadcast(timed, course.name, record, after, zone)
    if isinstance(timed, OnSchedule):
        found = _scheduled(timed.cron, zone, after // MINUTE)
    else:
        found = next((at for at in _dates(timed, record, after, zone) if at > after), None)
    return None if found is None else Start(found, whole_ms(found))


@lru_cache(maxsize=8192)
def _scheduled(cron: str, zone: ZoneInfo, minute: int) -> Instant | None:
    """The first moment of a schedule after that whole minute, on clocks of the zone. A time that is skipped
    comes when the clocks have moved, one that comes twice is the first (as Debian's cron has it)."""
    try:
        return instant(next(CronSim(cron, moment(minute * MINUTE).astimezone(zone))))
    except StopIteration:
        return None


def _dates(timed: OnDate, record: Record, after: Instant, zone: ZoneInfo) -> Iterator[Instant]:
    """The moments that a trait's date brings, ascending, as far as they may come after `after`."""
    trait = record.traits.get(timed.trait)
    named = moment_of(trait.value, zone) if trait else None
    if named is None:
        return
    local = moment(named).astimezone(zone)
    if not timed.yearly:
        yield _shifted(timed, local, zone)
        return
    this = moment(after).astimezone(zone).year
    for year in range(max(local.year, this - 1), this + 3):
        day = _in_year(local.date(), year)
        yield _shifted(timed, datetime.combine(day, local.time(), tzinfo=zone), zone)


def _shifted(timed: OnDate, local: datetime, zone: ZoneInfo) -> Instant:
    """The moment less or more the offset: whole days of it by the calendar, what is left as so much time.
    At the time of day, if one is named."""
    days = int(timed.offset_us / DAY)
    moved = instant(local + timedelta(days=days)) + timed.offset_us - days * DAY
    return moved if timed.at is None else local_instant(local_date(moved, zone), minutes_of(timed.at), zone)


def _in_year(first: date, year: int) -> date:
    """The same day of another year; of February 29 in other years the 28th."""
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _broadcast(timed: Broadcast, name: str, record: Record, after: Instant, zone: ZoneInfo) -> Start | None:
    """The one moment, spread by hash. `late: send` takes who comes up to a day too late at once."""
    nominal = moment_of(timed.at, zone)
    assert nominal is not None
    spread = int(unit_hash(f"campaign/{name}/spread", record.key) * timed.spread_us)
    at = whole_ms(nominal + spread)
    if at > after:
        return Start(nominal, at)
    late = timed.late == "send" and f"{name}/" not in record.entries and after < nominal + DAY + spread
    return Start(nominal, whole_ms(after + 1), late=True) if late else None
