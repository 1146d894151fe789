"""Local times through a year with its clock changes, in every time zone there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from hark.clock import instant, moment
from hark.decide.localtime import next_time_of_day, quiet_until
from hark.decide.timed import _scheduled
from hark.definitions.manners import QuietHours
from hark.model import HOUR, MINUTE, Instant

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
GRID = timedelta(minutes=15)
"""Every zone of today is whole quarters of an hour from UTC."""
QUIET = QuietHours(21 * 60, 8 * 60)
PARTS = 8


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """The half days of the year in which the zone's clocks are moved."""
    steps = [BEGIN + timedelta(hours=12 * number) for number in range(2 * 366)]
    for before, after in pairwise(steps):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield before


@cache
def moments(name: str) -> tuple[datetime, ...]:
    """Moments about every change of the clocks, and others all over the year."""
    about = [
        change + timedelta(hours=3 * step) for change in changes(ZoneInfo(name)) for step in range(-9, 9)
    ]
    return (*about, *(BEGIN + timedelta(days=61 * number, hours=5 * number) for number in range(6)))


def clocks(at: datetime, zone: ZoneInfo) -> time:
    return at.astimezone(zone).time()


def first_at(after: datetime, zone: ZoneInfo, wanted: time) -> Instant:
    """By looking at the clocks each quarter of an hour: when they next show a time, first that day."""
    at = after
    while True:
        at += GRID
        local = at.astimezone(zone)
        if local.time() == wanted and local.fold == 0:
            return instant(at)


def quiet(at: datetime, zone: ZoneInfo) -> bool:
    local = clocks(at, zone)
    return local >= time(21) or local < time(8)


@pytest.mark.parametrize("part", range(PARTS))
def test_nine_oclock_is_nine_oclock(part: int) -> None:
    """A wait for 09:00 and a schedule at nine end when the clocks there show it next, whatever they did."""
    for name in ZONES[part::PARTS]:
        zone = ZoneInfo(name)
        for at in moments(name):
            expected = first_at(at, zone, time(9))
            assert next_time_of_day(instant(at), 9 * 60, zone) == expected, (name, at)
            assert _scheduled("0 9 * * *", zone, instant(at) // MINUTE) == expected, (name, at)


@pytest.mark.parametrize("part", range(PARTS))
def test_quiet_hours_are_those_of_the_clocks(part: int) -> None:
    """It is quiet exactly when the clocks show so, until the first moment at which they do not."""
    for name in ZONES[part::PARTS]:
        zone = ZoneInfo(name)
        for at in moments(name):
            end = at
            while quiet(end, zone):
                end += GRID
            expected = instant(end) if end > at else None
            assert quiet_until(QUIET, instant(at), zone) == expected, (name, at)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_time_that_is_skipped_comes_as_if_the_clocks_had_not_moved(part: int) -> None:
    """02:30 comes when the clocks show it; where they skip it, at the moment it would have been."""
    for name in ZONES[part::PARTS]:
        zone = ZoneInfo(name)
        for at in moments(name):
            found = next_time_of_day(instant(at), 150, zone)
            assert instant(at) < found <= instant(at) + 26 * HOUR, (name, at)
            if clocks(moment(found), zone) != time(2, 30):
                before = moment(found - 3 * HOUR).astimezone(zone).utcoffset()
                assert before is not None
                assert (moment(found) + before).time() == time(2, 30), (name, at)


def test_there_are_more_than_four_hundred_zones() -> None:
    """The laws above are told of all zones that the tz database names."""
    assert len(ZONES) > 400
