"""Goals beside the goal (`also:`): how many of each arm reached them. None of it decides.

Of a goal with `response: yes` only who was written to can tell, so that it has a rate and no lift.
"""

from __future__ import annotations

from msgspec import Struct

from hark.decide.assignment import CONTROL
from hark.definitions.references import references
from hark.definitions.types import Campaign, EventMatch, Goal
from hark.learn import anytime
from hark.learn.aggregates import Sums
from hark.learn.columns import Entries, Outcomes
from hark.learn.compare import Interval, welch, wilson
from hark.learn.facts import Facts
from hark.learn.looks import treated
from hark.model import FactName, Instant
from hark.understand.wording import event, span

NO_MORE = {"exists": False}


class AlsoGoal(Struct, frozen=True):
    """One goal beside the goal, over those whose window of it is over."""

    says: str
    """What those who reached it did: "did App Opened within 7 days"."""
    response: bool
    treated: Sums
    control: Sums
    lift: Interval | None
    """Of the rates, right at every look; None during the burn-in, and of a response."""
    value: Interval | None
    """Value per subject of the treated minus the control's (Welch, 95 %); None without values."""
    rate: Interval | None
    """Of a response, the rate of those written to (Wilson, 95 %), for one look; None of other goals."""


def also(facts: Facts, entries: Entries, campaign: Campaign, now: Instant) -> tuple[AlsoGoal, ...]:
    """Each goal of `also`, in the order of the document."""
    return tuple(
        _also(facts, entries, campaign, place, goal, now) for place, goal in enumerate(campaign.also, start=1)
    )


def _also(
    facts: Facts, entries: Entries, campaign: Campaign, place: int, goal: Goal, now: Instant
) -> AlsoGoal:
    asked = measured(campaign, goal, place)
    sums = Outcomes(entries, facts.events(asked.event.names), asked).sums(now)
    ours, others = treated(sums), sums.get(CONTROL, Sums())
    return AlsoGoal(
        did(goal),
        goal.response,
        ours,
        others,
        None if goal.response else anytime.rate(ours, others),
        welch(ours, others) if goal.value and not goal.response else None,
        answered(ours) if goal.response else None,
    )


def answered(arm: Sums) -> Interval | None:
    """The rate of those written to who gave the response; None without any."""
    return Interval(arm.rate, *wilson(arm)) if arm.rate is not None else None


def measured(campaign: Campaign, goal: Goal, place: int = 0) -> Goal:
    """The goal as a history tells of it without its runs.

    Where it refers to what started a run, or was judged at the window's end, that is the `Goal Reached` which
    the customer's runs of the campaign wrote, at the goals' own times. `place` counts the goals of `also`
    from 1; 0 is the goal itself.
    """
    if goal.when is None and not any(references(goal.event.where)):
        return goal
    which = {"campaign": campaign.name, "also": place or NO_MORE}
    reached = EventMatch((FactName.GOAL_REACHED.value,), which)
    return Goal(reached, goal.within_us, "value" if goal.value else None)


def did(goal: Goal) -> str:
    """What those who reached the goal did."""
    if goal.when is not None:
        return f"{goal.when.sentence()} {span(goal.within_us)} after they entered"
    return f"did {event(goal.event.names, goal.event.where)} within {span(goal.within_us)}"
