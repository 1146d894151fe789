"""One version's comparison: who entered, which of them count, and when it may be judged."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.definitions.types import Campaign
from hark.learn import checks
from hark.learn.activity import active_days
from hark.learn.adjust import Adjusted, CrossSums, adjusted
from hark.learn.aggregates import Sums, total
from hark.learn.also import AlsoGoal, also, measured
from hark.learn.batches import Between, between
from hark.learn.beside import Guardrail, Others, guardrails, others
from hark.learn.best import best
from hark.learn.columns import Entries, Outcomes
from hark.learn.compare import Interval
from hark.learn.facts import Facts
from hark.learn.families import against_control
from hark.learn.looks import Plan, plan, treated
from hark.learn.measures import Measure, measures
from hark.learn.over_time import DayEffect, WeekEffect, by_day, by_week
from hark.model import Instant


class Draw(Struct, frozen=True):
    """One draw and whether its sizes are as its shares say."""

    of: str
    """"control": left alone or not; "variants": which of them."""
    p: float | None
    """Right at every look (`checks.draw_p`); None where nothing was drawn."""


class Comparison(Struct, frozen=True):
    """All that is said of a version rests on this: its campaign, and the sums by arm."""

    campaign: Campaign
    now: Instant
    entered: Mapping[str, int]
    """By arm, different subjects at first entry."""
    drawn: Mapping[str, int]
    """By arm, those among them who were drawn under this version's shares."""
    first: Instant | None
    """When the version's first entry was; None: nobody entered."""
    plan: Plan | None
    """The looks so far, where the campaign has a `decide_by` and somebody entered."""
    draws: tuple[Draw, ...]
    """Of the control and of the variants, each with the check of its sizes."""
    sums: Mapping[str, Sums]
    """By arm, the entries that are over now."""
    undisputed: Mapping[str, Sums]
    """By arm, those that are over now and of whom it never turned out that they had been in two arms."""
    cross: Mapping[str, CrossSums]
    """By arm, the outcomes of those that are over beside the same of a time before the entry."""
    reached: Mapping[str, Sums]
    """By arm, those that are over now and whose run came to its first send (the control's in shadow)."""
    weeks: tuple[WeekEffect, ...] = ()
    days: tuple[DayEffect, ...] = ()
    measures: tuple[Measure, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    others: tuple[Others, ...] = ()
    also: tuple[AlsoGoal, ...] = ()
    between: tuple[Between, ...] = ()

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
    def best(self) -> dict[str, float]:
        """By variant, the probability that its goal rate is the highest of all variants."""
        return best({one.name: self.sums.get(one.name, Sums()) for one in self.campaign.variants})

    @property
    def adjusted(self) -> Adjusted | None:
        """The outcome's lift, adjusted by what people did in as long a time before they entered."""
        ours = (sums for arm, sums in self.cross.items() if arm != CONTROL)
        return adjusted(sum(ours, CrossSums()), self.cross.get(CONTROL, CrossSums()))

    @property
    def disputed(self) -> float:
        """The share of those that are over who turned out to have been in two arms under two ids."""
        everybody = total(self.sums.values()).subjects
        disputed = everybody - total(self.undisputed.values()).subjects
        return disputed / everybody if everybody else 0.0

    @property
    def everybody(self) -> int:
        """Subjects that entered, in all arms."""
        return sum(self.entered.values())

    @property
    def counted(self) -> int:
        """Subjects whose window and grace are over."""
        return self.control.subjects + self.treated.subjects

    @property
    def waiting(self) -> int:
        """Subjects that entered and whose window or grace is not over."""
        return self.everybody - self.counted

    @property
    def no_more(self) -> bool:
        """Whether nobody can come into the comparison any more, and everybody in it counts."""
        ends = self.campaign.ends
        return ends is not None and self.now > ends and not self.waiting

    @property
    def sample_ratio(self) -> float | None:
        """The p-value of the arms' sizes, for one look. Shares are constant within a version: one period.

        Who keeps the arm of an earlier version was drawn under other shares, and is left out.
        """
        shares = allocation(self.campaign)
        if self.campaign.learns:  # the variants' own shares change with each batch, the control's does not
            control, drawn = self.drawn.get(CONTROL, 0), sum(self.drawn.values())
            parts = ((control, shares[CONTROL]), (drawn - control, 1 - shares[CONTROL]))
            return checks.sample_ratio([[checks.Size(count, share) for count, share in parts]])
        sizes = [checks.Size(self.drawn.get(arm, 0), share) for arm, share in shares.items()]
        return checks.sample_ratio([sizes])


def allocation(campaign: Campaign) -> dict[str, float]:
    """By arm, the control first, the share of those drawn which should come into it."""
    weights = sum(variant.weight for variant in campaign.variants)
    shares = {one.name: (1 - campaign.control) * one.weight / weights for one in campaign.variants}
    return {CONTROL: campaign.control, **shares}


def draws(campaign: Campaign, drawn: Mapping[str, int]) -> tuple[Draw, ...]:
    """The draws behind the arms' sizes: who is left alone, and which variant the others get."""
    treated = sum(count for arm, count in drawn.items() if arm != CONTROL)
    alone = [
        checks.Size(drawn.get(CONTROL, 0), campaign.control),
        checks.Size(treated, 1 - campaign.control),
    ]
    variants = [checks.Size(drawn.get(one.name, 0), one.weight) for one in campaign.variants]
    parts = {"control": alone, "variants": variants}
    drawn_of = {of: sizes for of, sizes in parts.items() if len(sizes) > 1}
    return tuple(Draw(of, checks.draw_p(sizes)) for of, sizes in drawn_of.items())


def comparison(
    facts: Facts, campaign: Campaign, entries: Entries | None, now: Instant, zone: str = "UTC"
) -> Comparison:
    """One version's first entries and what became of them, from the history. Without a goal: no sums."""
    entered, drawn = (entries.entered(), entries.sizes()) if entries else ({}, {})
    checked = draws(campaign, drawn)
    if entries is None or campaign.goal is None:
        return Comparison(campaign, now, entered, drawn, None, None, checked, {}, {}, {}, {})
    goal = measured(campaign, campaign.goal)
    outcomes = Outcomes(entries, facts.events(goal.event.names), goal)
    first = int(entries.at.min())
    return Comparison(
        campaign,
        now,
        entered,
        drawn,
        first,
        plan(outcomes, campaign, first, now),
        checked,
        outcomes.sums(now),
        outcomes.sums(now, without=facts.conflicting(campaign.name)),
        outcomes.cross_sums(now),
        outcomes.sums(now, only=facts.came_to_a_send(entries)),
        tuple(by_week(outcomes, now, zone)),
        tuple(by_day(outcomes, now)),
        (*measures(outcomes, now), *active_days(facts, outcomes, now, zone)),
        guardrails(facts, outcomes, campaign.guardrails, now),
        others(facts, outcomes, campaign.name, now),
        also(facts, entries, campaign, now),
        between(outcomes, campaign, now),
    )
