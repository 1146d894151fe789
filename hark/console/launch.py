"""What to look at before a campaign is started: a check list made of the documents in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from msgspec import Struct

from hark.decide.limits import NOT_TO_CUSTOMERS
from hark.definitions.steps import every
from hark.definitions.types import Campaign, Definition, Policy, Send, Sender, Task, Webhook

WEAK_ALONE = 0.02
"""A smaller share left alone shows next to nothing."""


class Check(Struct, frozen=True):
    """One line of the list."""

    asks: str
    good: bool | None
    """None: only a person can say."""
    says: str


def checks(campaign: Campaign, in_force: Sequence[Definition]) -> tuple[Check, ...]:
    """The list for one campaign, as its newest document stands."""
    return (
        _goal(campaign),
        _belief(campaign),
        _alone(campaign),
        _together(campaign, in_force),
        *_senders(campaign, in_force),
        Check(
            "Worth their attention", None,
            "Is this honestly worth the attention of everybody who gets it? The forecast is scored later.",
        ),
    )  # fmt: skip


def _goal(campaign: Campaign) -> Check:
    if campaign.goal is None:
        return Check("Goal", campaign.transactional, "It has none: what it changes is not measured.")
    beside = f", {len(campaign.also)} beside it" if campaign.also else ""
    return Check(
        "Goal", True, f"There is one{beside}. See what people do by themselves: hark backtest {campaign.name}"
    )


def _belief(campaign: Campaign) -> Check:
    if not campaign.hypothesis:
        return Check("Belief", False, "Say why it should help: hypothesis.")
    if campaign.expects is None:
        return Check("Belief", False, "Say how much it should change: expects. It is scored later.")
    return Check("Belief", True, f"Written down, with a forecast of {campaign.expects:+.1%}.")


def _alone(campaign: Campaign) -> Check:
    if campaign.transactional:
        return Check("Left alone", True, "Nobody: it is what their own action calls for.")
    if not campaign.control:
        return Check("Left alone", False, f"Nobody ({campaign.control_why}): nothing can be learned of it.")
    return Check("Left alone", campaign.control >= WEAK_ALONE, f"{campaign.control:.0%}, for comparison.")


def _together(campaign: Campaign, in_force: Iterable[Definition]) -> Check:
    """The union of all controls: who is left alone by at least one of those that run."""
    running = {one.name: one for one in in_force if isinstance(one, Campaign) and not one.paused}
    running[campaign.name] = campaign
    policy = next((one for one in in_force if isinstance(one, Policy) and one.name == "attention"), None)
    share = policy.global_control if policy else 0.0
    alone = 1 - (1 - share) * prod(1 - one.control for one in running.values())
    left = f"With this one {alone:.0%} of those who qualify for everything are left alone by at least one"
    return Check("All controls together", None, f"{left} campaign, {share:.0%} by all.")


def _senders(campaign: Campaign, in_force: Sequence[Definition]) -> Iterable[Check]:
    """Somebody to send by, for each channel that the steps use."""
    there = {one.channel for one in in_force if isinstance(one, Sender)}
    steps = [step for variant in campaign.variants for step in every(variant.steps)]
    used = [channel for step in steps if isinstance(step, Send) for channel, _ in step.ways]
    used += ["webhook" for step in steps if isinstance(step, Webhook)]
    used += ["task" for step in steps if isinstance(step, Task)]
    for channel in dict.fromkeys(used):
        good = channel in there
        to = "" if channel in NOT_TO_CUSTOMERS else " to customers"
        says = f"There is a sender for {channel}{to}." if good else f"No sender for {channel}: apply one."
        yield Check(f"Sender: {channel}", good, says)
