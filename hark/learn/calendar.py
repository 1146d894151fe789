"""The attention calendar: which messages the next days will bring, to how many people, and which collide."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from msgspec import Struct

from hark.clock import instant, moment
from hark.decide.ahead import Coming, Withheld
from hark.learn.backtest.answer import NEAR_US
from hark.model import DAY, Instant

DAYS = 14
LOOKED_BACK = 28
"""Days of entries from which it is expected how many will come."""
MOST_TIMES = 5
"""Customers who get more messages than that are counted together."""
BUSIEST = 10
FEW = 0.05
"""Fewer messages a day than that are not spoken of."""


class CalendarDay(Struct, frozen=True):
    """One day in the workspace's zone."""

    day: str
    known: dict[str, int]
    """By campaign, messages of runs under way, and of dates, schedules and broadcasts."""
    expected: dict[str, float]
    """By campaign, messages to people who are still to enter, at the rate of the last weeks."""
    customers: int
    """Different ones among the known."""
    colliding: int
    """Of these, those who get another campaign's message within a day of it."""

    @property
    def known_total(self) -> int:
        return sum(self.known.values())

    @property
    def expected_total(self) -> float:
        return sum(self.expected.values())


class Pair(Struct, frozen=True):
    """Two campaigns whose messages come within a day of each other."""

    one: str
    other: str
    customers: int
    days: tuple[str, ...]
    sample: tuple[int, ...]


class Often(Struct, frozen=True):
    """How many customers get so many messages; the last: so many or more."""

    messages: int
    customers: int


class Due(Struct, frozen=True):
    at: Instant
    campaign: str


class Busy(Struct, frozen=True):
    """A customer with many messages to come."""

    subject: int
    due: tuple[Due, ...]
    customer: str = ""


class Calendar(Struct, frozen=True):
    """The days to come."""

    begin: Instant
    end: Instant
    days: tuple[CalendarDay, ...]
    pairs: tuple[Pair, ...]
    often: tuple[Often, ...]
    busiest: tuple[Busy, ...]
    withheld: dict[str, int]
    """By reason, messages that would come and that a rule will hold back."""
    looked_at: int
    """Customers whose timers were followed."""
    every: int
    """1: all of them; else every so manyth, and counts are that many times what was found."""


class Answered(Struct, frozen=True):
    """A message that went in the last weeks to somebody who entered in them."""

    campaign: str
    entered_at: Instant
    at: Instant


def calendar(
    coming: Sequence[Coming], withheld: Iterable[Withheld], expected: Sequence[Mapping[str, float]],
    now: Instant, zone: str, looked_at: int, every: int = 1,
) -> Calendar:  # fmt: skip
    """The whole; `expected`: by day, then by campaign."""
    edges = midnights(now, len(expected), zone)
    by_customer = _by_customer(coming)
    near = {subject: list(_near(messages)) for subject, messages in by_customer.items()}
    days = tuple(
        _day(coming, near, expected[place], edges[place], edges[place + 1], every)
        for place in range(len(expected))
    )
    reasons = Counter(one.reason for one in withheld)
    return Calendar(
        now, instant(edges[-1]), days, tuple(_pairs(near, ZoneInfo(zone), every)),
        _often(by_customer, every), _busiest(by_customer),
        {reason: count * every for reason, count in reasons.most_common()}, looked_at, every,
    )  # fmt: skip


def midnights(now: Instant, days: int, zone: str) -> list[datetime]:
    """The beginnings of today and of the days after it, one more than there are days."""
    today = moment(now).astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today + timedelta(days=number) for number in range(days + 1)]


def _by_customer(coming: Sequence[Coming]) -> dict[int, list[Coming]]:
    found: dict[int, list[Coming]] = defaultdict(list)
    for one in sorted(coming, key=lambda one: (one.at, one.campaign)):
        found[one.subject].append(one)
    return found


def _near(messages: Sequence[Coming]) -> Iterable[tuple[Coming, Coming]]:
    """Pairs of different campaigns' messages within a day of each other, the earlier first."""
    for one, other in combinations(messages, 2):
        if one.campaign != other.campaign and other.at - one.at <= NEAR_US:
            yield one, other


def _day(
    coming: Sequence[Coming], near: Mapping[int, Sequence[tuple[Coming, Coming]]],
    expected: Mapping[str, float], first: datetime, last: datetime, every: int,
) -> CalendarDay:  # fmt: skip
    begin, end = instant(first), instant(last)
    mine = [one for one in coming if begin <= one.at < end]
    known = Counter(one.campaign for one in mine)
    colliding = {one.subject for one in mine if any(one in pair for pair in near[one.subject])}
    return CalendarDay(
        f"{first:%Y-%m-%d}", {name: count * every for name, count in sorted(known.items())},
        {name: round(count, 2) for name, count in sorted(expected.items()) if count >= FEW},
        len({one.subject for one in mine}) * every, len(colliding) * every,
    )  # fmt: skip


def _pairs(near: Mapping[int, Sequence[tuple[Coming, Coming]]], zone: ZoneInfo, every: int) -> Iterable[Pair]:
    who: dict[tuple[str, str], set[int]] = defaultdict(set)
    when: dict[tuple[str, str], set[str]] = defaultdict(set)
    for subject, pairs in near.items():
        for one, other in pairs:
            key = (min(one.campaign, other.campaign), max(one.campaign, other.campaign))
            who[key].add(subject)
            when[key].add(f"{moment(other.at).astimezone(zone):%Y-%m-%d}")
    for key in sorted(who, key=lambda key: (-len(who[key]), key)):
        some = tuple(sorted(who[key])[:BUSIEST])
        yield Pair(*key, len(who[key]) * every, tuple(sorted(when[key])), some)


def _often(by_customer: Mapping[int, Sequence[Coming]], every: int) -> tuple[Often, ...]:
    times = Counter(min(len(messages), MOST_TIMES) for messages in by_customer.values())
    return tuple(Often(messages, customers * every) for messages, customers in sorted(times.items()))


def _busiest(by_customer: Mapping[int, Sequence[Coming]]) -> tuple[Busy, ...]:
    most = sorted(by_customer.items(), key=lambda one: (-len(one[1]), one[0]))[:BUSIEST]
    return tuple(
        Busy(subject, tuple(Due(one.at, one.campaign) for one in messages))
        for subject, messages in most
        if len(messages) > 1
    )


def expectation(
    answered: Iterable[Answered], began: Mapping[str, Instant], ends: Mapping[str, Instant | None],
    now: Instant, days: int, zone: str,
) -> list[dict[str, float]]:  # fmt: skip
    """By day to come, then by campaign: messages to people who will have entered by then.

    Of messages that went so many days after their entry the rate is their number divided by the days of
    entries that were old enough to show them; a day to come has those of all lags that fit between now and
    it. `began`: since when each campaign has taken people, at most the last weeks; `ends`: its last moment.
    """
    lags: dict[str, Counter[int]] = defaultdict(Counter)
    for one in answered:
        if one.campaign in began and one.entered_at >= began[one.campaign]:
            lags[one.campaign][max(one.at - one.entered_at, 0) // DAY] += 1
    edges, found = midnights(now, days, zone), []
    for place in range(days):
        begin, end = max(instant(edges[place]), now), instant(edges[place + 1])
        found.append(
            {
                name: _rate(counts, began[name], now, begin, min(end, ends.get(name) or end))
                for name, counts in lags.items()
            }
        )
    return found


def _rate(counts: Counter[int], began: Instant, now: Instant, begin: Instant, end: Instant) -> float:
    """Messages expected from `begin` to `end`, of people who enter from now on."""
    total = 0.0
    for lag, count in counts.items():
        shown_us = now - began - lag * DAY
        first = max(begin, now + lag * DAY)
        if shown_us > 0 and end > first:
            total += count / shown_us * (end - first)
    return total
