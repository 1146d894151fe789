"""What one plan says of customers' attention: who may be asked, who has a ticket open, whose message goes
first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import fmean

from msgspec import Struct

from hark.definitions.attention import OPEN_FOR, OPENED, SOLVED, open_ticket
from hark.definitions.manners import Budget
from hark.definitions.types import Campaign, Policy
from hark.model import DAY, FactName, Instant
from hark.understand.conditions import Condition

EARNS: Mapping[str, str] = {
    FactName.GOAL_REACHED.value: "goal",
    "Content Read": "read",
    "Survey Answered": "reply",
    "Message Replied": "reply",
}
"""What each event earns (`Budget.earned`)."""


class Weights(Struct, frozen=True):
    """The attention policy beside the campaigns in force."""

    policy: Policy
    open_ticket: Condition | None
    """Who gets only help; None: no campaign is held by it."""
    ranks: Mapping[str, float]
    """By campaign, worth times estimated effect."""
    memory_us: Instant
    """For how long messages that went are remembered."""

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


def weights(policy: Policy, campaigns: Iterable[Campaign]) -> Weights:
    """What the policy, or without one what is usual, asks of these campaigns."""
    measured = [one for one in campaigns if not one.transactional]
    holds = policy.holds_tickets and any(one.intent != "help" for one in measured)
    usual = open_ticket(OPENED, SOLVED, OPEN_FOR) if holds and policy.tickets is None else None
    asks = policy.ask_gap_us if any(one.intent == "ask" for one in measured) else 0
    within = policy.arbitration.within_us if policy.arbitration else 0
    memory = max([cap.per_us for cap in policy.caps] + [asks, within], default=0)
    return Weights(policy, policy.tickets if holds and policy.tickets else usual, _ranks(measured), memory)


def _ranks(campaigns: Iterable[Campaign]) -> dict[str, float]:
    """Worth times the effect that the author expects; where nothing is expected, that of the others."""
    found = list(campaigns)
    told = [abs(one.expects) for one in found if one.expects]
    usual = fmean(told) if told else 1.0
    return {one.name: one.worth * (abs(one.expects) if one.expects else usual) for one in found}


SILENCE_US = DAY
"""A message after which nothing was done for so long was ignored."""
