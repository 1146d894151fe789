"""The answer of a back-test: who would have entered, what would have been withheld, what it could learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from hark.clock import moment
from hark.decide.backtest.found import Entry, Found
from hark.definitions.types import Campaign
from hark.learn.anytime import needed_by
from hark.learn.backtest.forecast import (
    Detectable,
    Proposal,
    Rate,
    base_rate,
    complete,
    customers_in,
    detectables,
    proposal,
)
from hark.learn.backtest.sentences import sentences
from hark.model import DAY, JSON, Instant

NEAR_US = DAY
"""Two messages to one customer within this time of each other collide."""
MOST_TIMES = 10
"""Customers who entered more often than that are counted together."""


class Day(Struct, frozen=True):
    """Entries of one day in the workspace's zone."""

    day: str
    entries: int


class Times(Struct, frozen=True):
    """How many customers would have entered so often; the last of the list: so often or more."""

    times: int
    customers: int


class Collision(Struct, frozen=True):
    """Messages which would have come within a day of one that another campaign really sent."""

    campaign: str
    messages: int
    customers: int


class Backtest(Struct, frozen=True):
    """What a campaign would have done; instants are microseconds since 1970, rates shares of one."""

    campaign: str
    begin: Instant
    """Entries are counted from here on; to `end`, which is outside."""
    end: Instant
    until: Instant
    """How far the history goes: a window counts if it is over by then."""
    entries: int
    customers: int
    complete: int
    incomplete: int
    written_to: int
    """Entries of customers to whom this campaign really wrote around that time: in no rate."""
    base_rate: Rate | None
    """Of the complete entries that were not written to."""
    first_rate: Rate | None
    """The same of first entries alone, on which the comparison will rest."""
    by_day: tuple[Day, ...]
    by_hour: tuple[int, ...]
    """Messages by the hour of the workspace's zone, from 0 to 23."""
    times: tuple[Times, ...]
    messages: int
    withheld: dict[str, int]
    """By reason, entries refused and messages withheld."""
    deferred: dict[str, int]
    """By reason, how often a message would have had to wait."""
    collisions: tuple[Collision, ...]
    control: Proposal
    """The share that finds `expects` soonest."""
    share: float
    """The share left alone for which `detectable` is said: the campaign's own, under auto the proposal."""
    detectable: tuple[Detectable, ...]
    sample: tuple[str, ...] = ()
    """Some of those who would have entered, by their ids."""
    sentences: tuple[str, ...] = ()

    def to_json(self) -> JSON:
        """As plain data, in the order of the fields."""
        return msgspec.to_builtins(self)


Sends = Mapping[int, Sequence[tuple[Instant, str]]]
"""By customer, when campaigns really sent a message: (at, campaign), ascending."""


def answer(
    campaign: Campaign, found: Found, sends: Sends, begin: Instant, end: Instant, until: Instant, zone: str
) -> Backtest:
    """The whole answer; `sample` is for who knows the customers' ids."""
    entries = sorted(found.entries, key=lambda one: (one.at, one.subject))
    over = complete(entries, campaign.goal, until) if campaign.goal else []
    untouched = [one for one in over if not _written_to(one, campaign, sends)]
    rate, first = base_rate(untouched), base_rate([one for one in untouched if one.first])
    proposed = proposal(campaign, first, customers_in(entries, 1, begin, end))
    share = proposed.share if campaign.control_auto else campaign.control
    made = Backtest(
        campaign=campaign.name, begin=begin, end=end, until=until,
        entries=len(entries), customers=len({one.subject for one in entries}),
        complete=len(over), incomplete=len(entries) - len(over), written_to=len(over) - len(untouched),
        base_rate=rate, first_rate=first, by_day=_by_day(entries, zone), by_hour=_by_hour(found, zone),
        times=_times(entries), messages=len(found.messages),
        withheld=_falling(found.withheld), deferred=_falling(found.deferred),
        collisions=_collisions(campaign.name, found, sends), control=proposed, share=share,
        detectable=tuple(detectables(entries, first, share, begin, end, needed_by(campaign))),
    )  # fmt: skip
    return msgspec.structs.replace(made, sentences=tuple(sentences(campaign, made)))


def _written_to(entry: Entry, campaign: Campaign, sends: Sends) -> bool:
    """Whether the campaign itself wrote to the customer so near that the goal may be its doing."""
    within = campaign.goal.within_us if campaign.goal else 0
    return any(
        name == campaign.name and abs(at - entry.at) <= within for at, name in sends.get(entry.subject, ())
    )


def _by_day(entries: Sequence[Entry], zone: str) -> tuple[Day, ...]:
    where = ZoneInfo(zone)
    days = Counter(f"{moment(one.at).astimezone(where):%Y-%m-%d}" for one in entries)
    return tuple(Day(day, count) for day, count in sorted(days.items()))


def _by_hour(found: Found, zone: str) -> tuple[int, ...]:
    where = ZoneInfo(zone)
    hours = Counter(moment(one.at).astimezone(where).hour for one in found.messages)
    return tuple(hours[hour] for hour in range(24))


def _times(entries: Sequence[Entry]) -> tuple[Times, ...]:
    often = Counter(min(times, MOST_TIMES) for times in Counter(one.subject for one in entries).values())
    return tuple(Times(times, customers) for times, customers in sorted(often.items()))


def _falling(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _collisions(name: str, found: Found, sends: Sends) -> tuple[Collision, ...]:
    messages: Counter[str] = Counter()
    customers: dict[str, set[int]] = {}
    for one in found.messages:
        near = {other for at, other in sends.get(one.subject, ()) if abs(at - one.at) <= NEAR_US}
        for other in near - {name}:
            messages[other] += 1
            customers.setdefault(other, set()).add(one.subject)
    return tuple(
        Collision(other, count, len(customers[other]))
        for other, count in sorted(messages.items(), key=lambda pair: (-pair[1], pair[0]))
    )
