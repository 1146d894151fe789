"""What to look at before a campaign is started: a list made of the documents in force and a back-test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import prod

from msgspec import Struct

from hark.decide.limits import NOT_TO_CUSTOMERS
from hark.definitions.references import refers
from hark.definitions.steps import every
from hark.definitions.types import Campaign, Definition, Policy, Send, Sender, Task, Template, Webhook
from hark.learn.backtest.answer import Backtest
from hark.model import WEEK
from hark.speak.deliver import INWARD

WEAK_ALONE = 0.02
"""A smaller share left alone shows next to nothing."""
UNWRITTEN = "(Say here"
"""How the text begins that a draft is given for its author to replace."""


class Check(Struct, frozen=True):
    """One line of the list."""

    asks: str
    good: bool | None
    """None: only a person can say."""
    says: str
    link: str = ""
    """Where to look, or to mend it."""


def checks(
    campaign: Campaign,
    in_force: Sequence[Definition],
    found: Backtest | None = None,
    accounts: Collection[str] = (),
) -> tuple[Check, ...]:
    """The list for one campaign, as its newest document stands; `found`: its back-test, once it is there;
    `accounts`: the addresses of the team."""
    return (
        _goal(campaign),
        _belief(campaign),
        *(_by_themselves(found) if found and campaign.goal else ()),
        *(_can_show(campaign, found) if found and campaign.goal else ()),
        _alone(campaign, found),
        _together(campaign, in_force),
        *_templates(campaign, in_force),
        *_senders(campaign, in_force),
        *_assignees(campaign, accounts),
        _worth(campaign, found),
    )


def _goal(campaign: Campaign) -> Check:
    if campaign.goal is None:
        return Check("Goal", campaign.transactional, "It has none: what it changes is not measured.")
    beside = f", {len(campaign.also)} beside it" if campaign.also else ""
    return Check("Goal", True, f"There is one{beside}.")


def _belief(campaign: Campaign) -> Check:
    change = f"/definitions/campaign/{campaign.name}"
    if not campaign.hypothesis:
        return Check("Belief", False, "Say why it should help: hypothesis.", change)
    if campaign.expects is None:
        return Check("Belief", False, "Say how much it should change: expects. It is scored later.", change)
    return Check("Belief", True, f"Written down, with a forecast of {100 * campaign.expects:+.3g} points.")


def _by_themselves(found: Backtest) -> Iterable[Check]:
    """The base rate: what people do without a message."""
    rate, more = found.base_rate, f"/campaigns/{found.campaign}/backtest"
    if rate is None:
        yield Check("Base rate", False, "No window of the past is over, so it is not known.", more)
        return
    says = f"{100 * rate.estimate:.1f} % reach the goal without any message"
    span = f"({100 * rate.low:.1f} to {100 * rate.high:.1f} %, {found.complete:,} entries of the past)."
    yield Check("Base rate", 0 < rate.estimate < 1, f"{says} {span}", more)


def _can_show(campaign: Campaign, found: Backtest) -> Iterable[Check]:
    """The smallest effect that can be found, against the forecast."""
    able = [one for one in found.detectable if one.lift is not None]
    more = f"/campaigns/{found.campaign}/backtest"
    if not able:
        yield Check("Detectable effect", False, "With so few people no effect would be found.", more)
        return
    last, wanted = able[-1], campaign.expects
    soon = next((one for one in able if wanted and one.lift is not None and one.lift <= abs(wanted)), None)
    says = f"In {last.weeks} weeks ({last.customers:,} customers) one of {100 * (last.lift or 0):.1f} points."
    if soon:
        says = f"The forecast can be found in {soon.weeks} week{'s' * (soon.weeks > 1)}. {says}"
    elif wanted:
        says = f"The forecast is too small to be found in {last.weeks} weeks. {says}"
    yield Check("Detectable effect", bool(soon) if wanted else None, says, more)


def _alone(campaign: Campaign, found: Backtest | None) -> Check:
    if campaign.transactional:
        return Check("Left alone", True, "Nobody: it is what their own action calls for.")
    if not campaign.control:
        return Check("Left alone", False, f"Nobody ({campaign.control_why}): nothing can be learned of it.")
    says = f"{100 * campaign.control:.3g} % (the control), for comparison."
    if found and found.control.customers and abs(found.control.share - campaign.control) > 0.005:
        says += f" {100 * found.control.share:.0f} % would find the forecast soonest."
    return Check("Left alone", campaign.control >= WEAK_ALONE, says)


def _together(campaign: Campaign, in_force: Iterable[Definition]) -> Check:
    """The union of all controls: who is left alone by at least one of those that run."""
    running = {one.name: one for one in in_force if isinstance(one, Campaign) and not one.paused}
    running[campaign.name] = campaign
    policy = next((one for one in in_force if isinstance(one, Policy) and one.name == "attention"), None)
    share = policy.global_control if policy else 0.0
    alone = 1 - (1 - share) * prod(1 - one.control for one in running.values())
    left = f"With this one {100 * alone:.0f} % of those who qualify for everything are left alone by at least"
    return Check("All controls together", None, f"{left} one campaign, {100 * share:.3g} % by all.")


def _templates(campaign: Campaign, in_force: Sequence[Definition]) -> Iterable[Check]:
    """Each message it sends is there, and written by its author."""
    known = {one.name: one for one in in_force if isinstance(one, Template)}
    names = dict.fromkeys(template for send in _sends(campaign) for _, template in send.ways)
    for name in names:
        link = f"/templates/{name}"
        if name not in known:
            yield Check(f"Template: {name}", False, "It is not there.", f"/definitions/template/{name}")
        elif UNWRITTEN in repr(known[name]):
            yield Check(f"Template: {name}", False, "Its text is still that of the draft.", link)
        else:
            yield Check(f"Template: {name}", True, "It is there. See it as a customer would.", link)


def _sends(campaign: Campaign) -> list[Send]:
    steps = (step for variant in campaign.variants for step in every(variant.steps))
    return [step for step in steps if isinstance(step, Send)]


def _senders(campaign: Campaign, in_force: Sequence[Definition]) -> Iterable[Check]:
    """Somebody to send by, for each channel that the steps use."""
    there = {one.channel for one in in_force if isinstance(one, Sender)}
    steps = [step for variant in campaign.variants for step in every(variant.steps)]
    used = [channel for send in _sends(campaign) for channel, _ in send.ways]
    used += ["webhook" for step in steps if isinstance(step, Webhook)]
    for channel in dict.fromkeys(one for one in used if one not in INWARD):
        good = channel in there
        to = "" if channel in NOT_TO_CUSTOMERS else " to customers"
        says = f"There is a sender for {channel}{to}." if good else f"No sender for {channel}: apply one."
        yield Check(f"Sender: {channel}", good, says)


def _assignees(campaign: Campaign, accounts: Collection[str]) -> Iterable[Check]:
    """Those to whom its tasks are assigned by address have an account."""
    steps = [step for variant in campaign.variants for step in every(variant.steps)]
    asked = {step.assignee.lower(): step.team for step in steps if isinstance(step, Task) and step.assignee}
    for whose, team in asked.items():
        if not refers(whose):
            good = whose in accounts
            says = "They have an account here." if good else f"They have no account: it stays with {team}."
            yield Check(f"Tasks for {whose}", good, says)


def _worth(campaign: Campaign, found: Backtest | None) -> Check:
    """What it asks of people, against what its author expects of it."""
    asks = "Is this honestly worth the attention of everybody who gets it?"
    if campaign.expects and campaign.expects > 0:
        asks += f" By the forecast one in {1 / campaign.expects:,.0f} does more than they would have."
    if found and found.messages and found.end > found.begin:
        weekly = found.messages * (1 - campaign.control) * WEEK / (found.end - found.begin)
        asks += f" It takes about {weekly:,.0f} messages a week."
    return Check("Worth their attention", None, f"{asks} The forecast is scored later.")
