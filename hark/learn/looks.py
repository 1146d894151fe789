"""A comparison planned beforehand (`decide_by:`): looked at weekly, decided at its end at the latest.

The looks follow from the definition and from the version's first entry, never from what people did: with a
date they are weekly, backwards from it; with a number of people weekly from the first entry that counts, and
the last is the first look at which so many people count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.definitions.types import Campaign
from hark.learn import checks
from hark.learn.aggregates import Sums, total
from hark.learn.columns import Outcomes
from hark.learn.compare import Interval
from hark.learn.entries import GRACE_US
from hark.learn.sequential import Looks
from hark.model import WEEK, Instant


class Look(Struct, frozen=True):
    """One weekly look."""

    at: Instant
    planned: float
    """The share of the plan that is behind it, 0 to 1; 1: the last look."""
    people: int
    """Whose windows were over then, in all arms."""
    interval: Interval | None
    """Of the lift; those of all looks hold together. None while nothing can be said."""
    bound: float
    """How many standard errors a difference must lie from 0 at this look."""
    enough: bool
    """Whether both arms had goals and people enough to be judged."""

    @property
    def decides(self) -> bool:
        """Whether a difference was found at this look."""
        return self.enough and self.interval is not None and self.interval.excludes_zero


class Plan(Struct, frozen=True):
    """The looks up to now."""

    looks: tuple[Look, ...]
    ends_at: Instant | None
    """When the last look is or was; None: once so many people count, which is to come."""

    @property
    def over(self) -> bool:
        return bool(self.looks) and self.looks[-1].planned >= 1

    @property
    def decided(self) -> Look | None:
        """The first look that found a difference: it stands, whatever came later."""
        return next((one for one in self.looks if one.decides), None)


def plan(outcomes: Outcomes, campaign: Campaign, first: Instant, now: Instant) -> Plan | None:
    """The looks at a campaign's version up to now; None where none were planned (no `decide_by`)."""
    assert campaign.goal is not None
    begins = first + campaign.goal.within_us + GRACE_US
    if campaign.decide_at is not None:
        begins = min(begins, campaign.decide_at - 1)
        moments = _backwards(campaign.decide_at, begins, now)
        shares = [(at - begins) / (campaign.decide_at - begins) for at in moments]
        return Plan(_looks(moments, shares, [outcomes.sums(at) for at in moments]), campaign.decide_at)
    if campaign.decide_people is None:
        return None
    return _by_number(outcomes, campaign.decide_people, begins, now)


def _backwards(last: Instant, begins: Instant, now: Instant) -> list[Instant]:
    """Weekly moments up to `last`, after `begins`, so far as they are past; at least `last` itself."""
    count = max((last - begins - 1) // WEEK, 0)
    return [at for at in (last - weeks * WEEK for weeks in range(count, -1, -1)) if at <= now]


def _by_number(outcomes: Outcomes, people: int, begins: Instant, now: Instant) -> Plan:
    moments: list[Instant] = []
    shares: list[float] = []
    sums: list[Mapping[str, Sums]] = []
    for at in range(begins + WEEK, now + 1, WEEK):
        found = outcomes.sums(at)
        share = total(found.values()).subjects / people
        moments, shares, sums = [*moments, at], [*shares, min(share, 1.0)], [*sums, found]
        if share >= 1:
            break
    return Plan(_looks(moments, shares, sums), moments[-1] if shares and shares[-1] >= 1 else None)


def _looks(
    moments: Sequence[Instant], shares: Sequence[float], sums: Sequence[Mapping[str, Sums]]
) -> tuple[Look, ...]:
    pairs = [(treated(one), one.get(CONTROL, Sums())) for one in sums]
    found = Looks(shares, pairs)
    return tuple(
        Look(
            at, share, ours.subjects + others.subjects, interval, bound, checks.too_few(ours, others) is None
        )
        for at, share, (ours, others), interval, bound in zip(
            moments, shares, pairs, found.intervals, found.bounds, strict=True
        )
    )


def treated(sums: Mapping[str, Sums]) -> Sums:
    """All arms but the control, together."""
    return total(one for arm, one in sums.items() if arm != CONTROL)
