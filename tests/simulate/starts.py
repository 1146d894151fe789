"""When campaigns start by time alone: on a date that a trait names, by a schedule, once for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.simulate.nouns import Doc, Person, Start
from tests.simulate.plainly import DAY, EPOCH, MINUTE, US, ceil_ms, hashed, local, span

TIMED = ("date", "schedule", "broadcast")
UNSAID = ("paused", "out_of_dates", "not_in_audience", "internal")
"""Refusals that are not written down where everybody is considered, again and again."""


def timed(doc: Doc) -> str:
    """Which of these the campaign's trigger is; "" for what somebody does."""
    return next((kind for kind in TIMED if kind in doc["trigger"]), "")


def following(name: str, doc: Doc, person: Person, after: int, fallback: str) -> Start | None:
    """The first start strictly after a moment, as traits and zones are now."""
    said: Doc = doc["trigger"][timed(doc)]
    wanted = said.get("zone", "customer")
    zone = (person.trait("timezone") if wanted == "customer" else wanted) or fallback
    if "cron" in said:
        at = next(at for at in _scheduled(said["cron"], zone, after) if at > after)
        return Start(at, ceil_ms(at))
    if "trait" in said:
        found = next((at for at in _dates(said, person, zone, after) if at > after), None)
        return None if found is None else Start(found, ceil_ms(found))
    nominal = _named(said["at"], zone)
    spread = int(hashed(f"campaign/{name}/spread", person.key) * span(said.get("spread", "0m")))
    if (at := ceil_ms(nominal + spread)) > after:
        return Start(nominal, at)
    late = said.get("late") == "send" and (name, "") not in person.entries and after < nominal + DAY + spread
    return Start(nominal, ceil_ms(after + 1), late=True) if late else None


def _instant(shown: datetime) -> int:
    return (shown.astimezone(UTC) - EPOCH) // US


def _named(text: str, zone: str) -> int:
    """A date or time, on the clocks of the zone unless it names its own."""
    found = datetime.fromisoformat(text)
    return _instant(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)))


def _scheduled(cron: str, zone: str, after: int) -> Iterator[int]:
    """ "30 9 * * MON,SAT": that time of those days. One that clocks skip comes when they have moved."""
    minute, hour, _, _, days = cron.split()
    day = local(after, zone).date()
    while True:
        if days == "*" or day.strftime("%a").upper() in days:
            shown = datetime.combine(day, time(int(hour), int(minute)), ZoneInfo(zone))
            at, other = _instant(shown), _instant(shown.replace(fold=1))
            moved = (one for one in range(other, at, MINUTE) if _offset(one, zone) != _offset(other, zone))
            yield next(moved, at) if other < at else at
        day += timedelta(days=1)


def _offset(at: int, zone: str) -> timedelta | None:
    return local(at, zone).utcoffset()


def _dates(said: Doc, person: Person, zone: str, after: int) -> Iterator[int]:
    """The date itself, or every year's; whole days of the offset by the calendar, hours by the clock."""
    if (value := person.trait(said["trait"])) is None:
        return
    first = local(_named(value, zone), zone)
    years = range(max(first.year, local(after, zone).year - 1), 9999) if said.get("yearly") else [first.year]
    offset = said.get("offset", "0m")
    days, rest = (part if offset[0] != "-" else -part for part in divmod(span(offset.lstrip("-")), DAY))
    for year in years:
        day = _in_year(first.date(), year) + timedelta(days=days)
        at = _instant(datetime.combine(day, first.time(), ZoneInfo(zone))) + rest
        if "at" in said:
            at = _instant(datetime.combine(local(at, zone), time.fromisoformat(said["at"]), ZoneInfo(zone)))
        yield at


def _in_year(day: date, year: int) -> date:
    """Of February 29 in other years the 28th."""
    return date(year, 2, 28) if (day.month, day.day) == (2, 29) and year % 4 else day.replace(year=year)
