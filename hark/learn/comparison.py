"""One version's comparison: who entered, which of them count, and when it may be judged."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.definitions.types import Campaign
from hark.learn import checks
from hark.learn.adjust import Adjusted, CrossSums, adjusted
from hark.learn.aggregates import Sums, total
from hark.learn.columns import Entries, Outcomes
from hark.learn.compare import Interval
from hark.learn.entries import GRACE_US
from hark.learn.facts import Facts
from hark.learn.families import against_control
from hark.model import DAY, Instant

INTAKE_US = 28 * DAY
"""For how long after a version's first entry people are taken into the judgement, where no `ends` says."""


class Comparison(Struct, frozen=True):
    """All that is said of a version rests on this: its campaign, and the sums by arm."""

    campaign: Campaign
    now: Instant
    entered: Mapping[str, int]
    """By arm, different subjects at first entry."""
    drawn: Mapping[str, int]
    """By arm, those among them who were drawn under this version's shares."""
    decide_at: Instant | None
    """When the last window (and its grace) of those who entered in time is over. None: nobody entered."""
    sums: Mapping[str, Sums]
    """By arm, the entries that are over now."""
    deciding: Mapping[str, Sums]
    """By arm, those among them which entered in time for the judgement."""
    undisputed: Mapping[str, Sums]
    """By arm, those that are over now and of whom it never turned out that they had been in two arms."""
    cross: Mapping[str, CrossSums]
    """By arm, the outcomes of those that are over beside the same of a time before the entry."""
    reached: Mapping[str, Sums]
    """By arm, those that are over now and whose run came to its first send (the control's in shadow)."""

    @property
    def control(self) -> Sums:
        return self.sums.get(CONTROL, Sums())

    @property
    def treated(self) -> Sums:
        return treated(self.sums)

    @property
    def variants(self) -> dict[str, Interval | None]:
        """Each variant's lift over the control; the intervals of several hold all together."""
        arms = {one.name: self.sums.get(one.name, Sums()) for one in self.campaign.variants}
        return against_control(arms, self.control)

    @property
    def adjusted(self) -> Adjusted | None:
        """The outcome's lift, adjusted by what people did in as long a time before they entered."""
        ours = (sums for arm, sums in self.cross.items() if arm != CONTROL)
        return adjusted(sum(ours, CrossSums()), self.cross.get(CONTROL, CrossSums()))

    @property
    def at_decision(self) -> tuple[Sums, Sums]:
        """(treated, control) of those on whom the judgement rests."""
        return treated(self.deciding), self.deciding.get(CONTROL, Sums())

    @property
    def disputed(self) -> float:
        """The share of those that are over who turned out to have been in two arms under two ids."""
        everybody = total(self.sums.values()).subjects
        disputed = everybody - total(self.undisputed.values()).subjects
        return disputed / everybody if everybody else 0.0

    @property
    def waiting(self) -> int:
        """Subjects that entered and whose window or grace is not over."""
        return sum(self.entered.values()) - self.control.subjects - self.treated.subjects

    @property
    def decided(self) -> bool:
        """Whether the day of decision has come."""
        return self.decide_at is not None and self.now > self.decide_at

    @property
    def sample_ratio(self) -> float | None:
        """The p-value of the arms' sizes. Shares are constant within a version: one period.

        Who keeps the arm of an earlier version was drawn under other shares, and is left out.
        """
        shares = allocation(self.campaign)
        sizes = [checks.Size(self.drawn.get(arm, 0), share) for arm, share in shares.items()]
        return checks.sample_ratio([sizes])


def treated(sums: Mapping[str, Sums]) -> Sums:
    """All arms but the control, together."""
    return total(one for arm, one in sums.items() if arm != CONTROL)


def allocation(campaign: Campaign) -> dict[str, float]:
    """By arm, the control first, the share of those drawn which should come into it."""
    weights = sum(variant.weight for variant in campaign.variants)
    shares = {one.name: (1 - campaign.control) * one.weight / weights for one in campaign.variants}
    return {CONTROL: campaign.control, **shares}


def intake_until(campaign: Campaign, first: Instant) -> Instant:
    """Who enters later does not count for the judgement: the campaign's end, else INTAKE_US from the first.

    It follows from the definition and from the first entry, never from what people did, so that
    looking at the numbers cannot move it.
    """
    return campaign.ends if campaign.ends is not None else first + INTAKE_US


def comparison(facts: Facts, campaign: Campaign, entries: Entries | None, now: Instant) -> Comparison:
    """One version's first entries and what became of them, from the history. Without a goal: no sums."""
    entered, drawn = (entries.entered(), entries.sizes()) if entries else ({}, {})
    if entries is None or campaign.goal is None:
        return Comparison(campaign, now, entered, drawn, None, {}, {}, {}, {}, {})
    outcomes = Outcomes(entries, facts.events(campaign.goal.event.names), campaign.goal)
    until = intake_until(campaign, int(entries.at.min()))
    decide_at = until + campaign.goal.within_us + GRACE_US
    undisputed = outcomes.sums(now, without=facts.conflicting(campaign.name))
    reached = outcomes.sums(now, only=facts.came_to_a_send(entries))
    sums, deciding = outcomes.sums(now), outcomes.sums(now, until)
    return Comparison(
        campaign,
        now,
        entered,
        drawn,
        decide_at,
        sums,
        deciding,
        undisputed,
        outcomes.cross_sums(now),
        reached,
    )
