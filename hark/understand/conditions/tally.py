"""The four bounded summaries from which "how often, on how many days, in which window" is read.

`cap` is the number from which on the answer no longer depends on the count, so nothing beyond it is
kept. Events may come late and out of order; each counts at its own time.

    times, ever        n                 matches, at most `cap`
    times, in a window [at, ...]         the last `cap` instants, ascending
    days, ever         [day, ...]        `cap` different days, ascending
    days, in a window  [[at...], [day...]]  the latest instant of each of the last `cap` days, ascending
"""

from __future__ import annotations

from bisect import bisect_left, insort

from hark.model import JSON, Instant
from hark.understand.conditions.calendar import day_of


def add_time(summary: JSON, _at: Instant, cap: int, _zone: str) -> JSON:
    count = summary or 0
    return count + 1 if count < cap else count


def add_instant(summary: JSON, at: Instant, cap: int, _zone: str) -> JSON:
    if summary is None:
        return [at]
    if at >= summary[-1]:
        summary.append(at)
    else:
        insort(summary, at)
    if len(summary) > cap:
        del summary[0]
    return summary


def add_day(summary: JSON, at: Instant, cap: int, zone: str) -> JSON:
    days: list[int] = [] if summary is None else summary
    if len(days) >= cap:
        return days
    day = day_of(at, zone)
    place = bisect_left(days, day)
    if place == len(days) or days[place] != day:
        days.insert(place, day)
    return days


def add_last_of_day(summary: JSON, at: Instant, cap: int, zone: str) -> JSON:
    ats, days = summary = [[], []] if summary is None else summary
    day = day_of(at, zone)
    place = bisect_left(days, day)
    if place < len(days) and days[place] == day:
        ats[place] = max(ats[place], at)
    else:
        days.insert(place, day)
        ats.insert(place, at)
    if len(days) > cap:
        del ats[0], days[0]
    return summary


def of_times(ats: list[Instant], cap: int, _zone: str) -> JSON:
    return min(len(ats), cap)


def of_instants(ats: list[Instant], cap: int, _zone: str) -> JSON:
    return ats[-cap:]


def of_days(ats: list[Instant], cap: int, zone: str) -> JSON:
    return sorted({day_of(at, zone) for at in ats})[:cap]


def of_last_of_days(ats: list[Instant], cap: int, zone: str) -> JSON:
    latest = {day_of(at, zone): at for at in ats}
    return [list(latest.values())[-cap:], list(latest)[-cap:]]


def merge_times(one: JSON, other: JSON, cap: int) -> JSON:
    return min(one + other, cap)


def merge_instants(one: JSON, other: JSON, cap: int) -> JSON:
    return sorted(one + other)[-cap:]


def merge_days(one: JSON, other: JSON, cap: int) -> JSON:
    return sorted({*one, *other})[:cap]


def merge_last_of_days(one: JSON, other: JSON, cap: int) -> JSON:
    latest: dict[int, Instant] = {}
    for ats, days in (one, other):
        for at, day in zip(ats, days, strict=True):
            latest[day] = max(at, latest.get(day, at))
    days = sorted(latest)[-cap:]
    return [[latest[day] for day in days], days]


ADD = {
    ("times", False): add_time,
    ("times", True): add_instant,
    ("days", False): add_day,
    ("days", True): add_last_of_day,
}
OF = {
    ("times", False): of_times,
    ("times", True): of_instants,
    ("days", False): of_days,
    ("days", True): of_last_of_days,
}
MERGE = {
    ("times", False): merge_times,
    ("times", True): merge_instants,
    ("days", False): merge_days,
    ("days", True): merge_last_of_days,
}
"""By (measure, whether there is a window): one more instant; all instants, ascending; two summaries."""
