"""What a campaign's comparison will be able to show, from what a back-test found before it is launched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt

from msgspec import Struct

from hark.decide.backtest.found import Entry
from hark.definitions.campaigns import DEFAULT_CONTROL
from hark.definitions.types import Campaign, Goal
from hark.learn.anytime import needed_by
from hark.learn.entries import over
from hark.learn.power import LEVEL, Needed, best_control, detectable, quantile
from hark.model import WEEK, Instant

WEEKS = (1, 2, 4, 8)
"""For so many weeks of entries it is said what they can show."""


class Rate(Struct, frozen=True):
    """The share of complete entries that reached the goal though nobody was written to."""

    estimate: float
    low: float
    high: float


class Detectable(Struct, frozen=True):
    """What so many weeks of entries can show."""

    weeks: int
    customers: int
    """Different ones in both arms, expected to enter in that time."""
    lift: float | None
    """The smallest rise of the goal's rate that is found in 4 cases of 5; None: none is."""


class Proposal(Struct, frozen=True):
    """The share to leave alone."""

    share: float
    customers: int | None = None
    """So many in both arms show `expects` in 4 cases of 5; None where that cannot be said."""
    weeks: float | None = None
    """In so many weeks they have entered; None: never, or that cannot be said."""


def complete(entries: Sequence[Entry], goal: Goal, until: Instant) -> list[Entry]:
    """The entries whose window and grace are over at `until`."""
    return [entry for entry in entries if over(entry.at, goal, until)]


def base_rate(entries: Sequence[Entry]) -> Rate | None:
    """Of complete entries, with Wilson's score interval (1927, JASA 22, 209-212); None without any.

    Entries of one customer are alike, so that five of one tell less than one of each of five. The interval is
    that of the effective number of entries: their number divided by the design effect (Rao and Scott 1992,
    Biometrics 48, 577-585).
    """
    if not entries:
        return None
    rate = sum(entry.goal for entry in entries) / len(entries)
    size, z = len(entries) / design_effect(entries), quantile(0.5 + LEVEL / 2)
    middle = (rate + z * z / (2 * size)) / (1 + z * z / size)
    half = z * sqrt(rate * (1 - rate) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return Rate(rate, max(0.0, middle - half), min(1.0, middle + half))


def design_effect(entries: Sequence[Entry]) -> float:
    """By how much the rate's variance exceeds that of as many independent entries; at least 1.

    Customers are the clusters of a ratio estimate (Cochran 1977, Sampling Techniques, 3rd ed., section 2.11).
    """
    entered = Counter(entry.subject for entry in entries)
    goals = Counter(entry.subject for entry in entries if entry.goal)
    count = len(entries)
    rate = sum(goals.values()) / count
    if not 0 < rate < 1:
        return 1.0
    spread = sum((goals[one] - rate * times) ** 2 for one, times in entered.items())
    return max(1.0, spread / (count * rate * (1 - rate)))


def customers_in(entries: Sequence[Entry], weeks: int, begin: Instant, end: Instant) -> int:
    """How many different customers come into the comparison in so many weeks.

    The mean of the whole spans of that length, counted back from the range's end; where the range is shorter,
    as many more than it had as its length says.
    """
    span, compared = weeks * WEEK, [entry for entry in entries if entry.compared]
    whole = (end - begin) // span
    if whole < 1:
        return round(len({entry.subject for entry in compared}) * span / max(end - begin, 1))
    seen = {((end - 1 - entry.at) // span, entry.subject) for entry in compared}
    return round(sum(place < whole for place, _ in seen) / whole)


def detectables(
    entries: Sequence[Entry],
    rate: Rate | None,
    control: float,
    begin: Instant,
    end: Instant,
    needed: Needed,
) -> list[Detectable]:
    """What each of WEEKS can show with a control of this share."""
    people = {weeks: customers_in(entries, weeks, begin, end) for weeks in WEEKS}
    lifts = {
        weeks: detectable(rate.estimate, count, control, needed) if rate and control else None
        for weeks, count in people.items()
    }
    return [Detectable(weeks, count, lifts[weeks]) for weeks, count in people.items()]


def proposal(campaign: Campaign, rate: Rate | None, per_week: float) -> Proposal:
    """The share from 10 to 50 % with which `expects` is found soonest; without history or `expects` 20 %."""
    lift = campaign.expects
    if not rate or not lift or not (0 < rate.estimate < 1 and 0 < rate.estimate + lift < 1):
        return Proposal(DEFAULT_CONTROL)
    needed = needed_by(campaign)
    share = best_control(rate.estimate, lift, needed)
    people = needed(rate.estimate, lift, share)
    return Proposal(share, people, people / per_week if per_week else None)
