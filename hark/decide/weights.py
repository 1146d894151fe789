"""What one plan says of customers' attention: who may be asked, who has a ticket open, whose message goes
first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from statistics import fmean, pvariance
from typing import NamedTuple

from msgspec import Struct

from hark.definitions.attention import OPEN_FOR, OPENED, SOLVED, open_ticket
from hark.definitions.learned import Effect, Signals
from hark.definitions.manners import Budget
from hark.definitions.types import Campaign, Policy
from hark.definitions.weak import grade_of
from hark.model import DAY, FactName, Instant
from hark.understand.conditions import Condition

EARNS: Mapping[str, str] = {
    FactName.GOAL_REACHED.value: "goal",
    "Content Read": "read",
    "Survey Answered": "reply",
    "Message Replied": "reply",
}
"""What each event earns (`Budget.earned`)."""


class Prospect(NamedTuple):
    """What a campaign may bring about: `worth` of one goal, times the posterior of its effect."""

    worth: float
    mean: float
    spread: float
    """The posterior's standard deviation."""


class Weights(Struct, frozen=True):
    """The attention policy beside the campaigns in force."""

    policy: Policy
    open_ticket: Condition | None
    """Who gets only help; None: no campaign is held by it."""
    prospects: Mapping[str, Prospect]
    """By campaign, what its message is worth to whoever gets it."""
    memory_us: Instant
    """For how long messages that went are remembered."""

    strong: frozenset[str] = frozenset()
    """Events graded strong, where a sign by them earns attention."""

    @property
    def budget(self) -> Budget | None:
        return self.policy.budget

    @property
    def earning(self) -> frozenset[str]:
        """Events by which a balance grows."""
        return frozenset(EARNS) if self.budget else frozenset()

    def conditions(self) -> Iterator[Condition]:
        """What is asked of customers before they are written to."""
        yield from (one for one in (self.open_ticket, self.policy.ask_after) if one is not None)


def weights(
    policy: Policy,
    campaigns: Iterable[Campaign],
    effects: Mapping[str, Effect],
    signals: Signals | None = None,
) -> Weights:
    """What the policy, or without one what is usual, asks of these campaigns, given what was learned."""
    measured = [one for one in campaigns if not one.transactional]
    holds = policy.holds_tickets and any(one.intent != "help" for one in measured)
    usual = open_ticket(OPENED, SOLVED, OPEN_FOR) if holds and policy.tickets is None else None
    asks = policy.ask_gap_us if any(one.intent == "ask" for one in measured) else 0
    within = policy.arbitration.within_us if policy.arbitration else 0
    memory = max([cap.per_us for cap in policy.caps] + [asks, within], default=0)
    return Weights(
        policy,
        policy.tickets if holds and policy.tickets else usual,
        prospects(measured, effects),
        memory,
        strong(policy.budget, signals),
    )


def strong(budget: Budget | None, signals: Signals | None) -> frozenset[str]:
    """The events graded strong, if they earn anything; none before there are grades."""
    if not (signals and budget and budget.earned.get("strong")):
        return frozenset()
    return frozenset(name for name in signals.grades if grade_of(name, signals) == "strong")


def prospects(campaigns: Iterable[Campaign], effects: Mapping[str, Effect]) -> dict[str, Prospect]:
    """What was learned of each; of one of which nothing was, what was learned of all of them.

    Before anything was learned it is what the authors expect, as unsure as it is large.
    """
    found = list(campaigns)
    known = [effects[one.name] for one in found if one.name in effects]
    if not known:
        return {one.name: Prospect(one.worth, mean, mean) for one, mean in _expected(found)}
    centre = fmean(one.mean for one in known)
    spread = sqrt(pvariance([one.mean for one in known]) + fmean(one.spread**2 for one in known))
    usual = Effect("", 0, centre, spread)
    told = ((one, effects.get(one.name, usual)) for one in found)
    return {one.name: Prospect(one.worth, effect.mean, effect.spread) for one, effect in told}


def _expected(campaigns: Sequence[Campaign]) -> Iterator[tuple[Campaign, float]]:
    """The effect that each author expects; where nothing is expected, that of the others."""
    told = [abs(one.expects) for one in campaigns if one.expects]
    usual = fmean(told) if told else 1.0
    yield from ((one, abs(one.expects) if one.expects else usual) for one in campaigns)


SILENCE_US = DAY
"""A message after which nothing was done for so long was ignored."""
