"""A segment and a campaign in plain English."""

from __future__ import annotations

from collections.abc import Sequence

from hark.definitions.campaigns import DEFAULT_CONTROL
from hark.definitions.levels import Reaching
from hark.definitions.nominal import Broadcast, OnDate, OnSchedule
from hark.definitions.types import (
    Branch,
    Campaign,
    EventMatch,
    Goal,
    Leave,
    Segment,
    Send,
    Split,
    Step,
    Task,
    Trigger,
    Update,
    Variant,
    Wait,
    Way,
    Webhook,
)
from hark.understand.conditions.wording import event, listed, span


def of_segment(segment: Segment) -> str:
    """ "Customers who did Order Completed at least 2 times and did not do it in the last 45 days." """
    whom = f"Groups of type {segment.group} that" if segment.group else "Customers who"
    return f"{whom} {segment.where.sentence()}."


def of_campaign(campaign: Campaign) -> str:
    """Who is written to and when, what they get, who is left alone, and what counts as success."""
    parts = [
        f"{who(campaign)}:",
        _gets(campaign),
        _left_alone(campaign),
        _success(campaign),
        _again(campaign),
    ]
    parts.append(_begins(campaign))
    return " ".join(part for part in parts if part)


def who(campaign: Campaign) -> str:
    """For whom it is, up to the colon."""
    trigger = campaign.trigger
    does = _starts(trigger)
    inside = " (or is inside at the start)" if trigger.existing else ""
    audience = f" and is among those who {campaign.audience.sentence()}" if campaign.audience else ""
    return f"For whoever {does}{inside}{audience}"


def _starts(trigger: Trigger) -> str:
    match trigger.timed:
        case OnDate() as one:
            side = "before" if one.offset_us < 0 else "after"
            offset = f"{span(abs(one.offset_us))} {side} " if one.offset_us else "at "
            return f"comes to {offset}{one.trait}" + (" of any year" if one.yearly else "")
        case OnSchedule() as one:
            return f"is there when it is {one.cron} ({_zone(one.zone)})"
        case Broadcast() as one:
            return f"is there at {one.at} ({_zone(one.zone)})"
    if trigger.api:
        return "is named by a call"
    if trigger.level:
        return _level(trigger.level)
    return f"enters {trigger.enters}" if trigger.enters else f"does {_event(trigger.event)}"


def _level(level: Reaching) -> str:
    verb = "rises to" if level.rises else "falls below"
    whose = "in their decision to buy" if level.kind == "stage" else f"of {level.definition}"
    return f"{verb} {level.level} {whose}"


def _zone(name: str) -> str:
    return "their time" if name == "customer" else name


def _event(match: EventMatch | None) -> str:
    return event(match.names, match.where) if match else ""


def _gets(campaign: Campaign) -> str:
    if len(campaign.variants) == 1:
        return f"{_steps(campaign.variants[0])}."
    ways = [f"{variant.name} ({_steps(variant)})" for variant in campaign.variants]
    return f"one of {len(ways)} ways: {listed(ways, 'or')}."


def _steps(variant: Variant) -> str:
    return _listed(variant.steps)


def _listed(steps: Sequence[Step]) -> str:
    return ", ".join(map(of_step, steps))


def of_step(step: Step) -> str:
    """What one step does, and those within it."""
    match step:
        case Send():
            return _send(step)
        case Wait():
            return _wait(step)
        case Branch():
            return "; ".join(map(_way, step.ways))
        case Split():
            return f"by lot {listed([f'{way.name} ({_listed(way.steps)})' for way in step.ways], 'or')}"
    return _small(step)


def _small(step: Webhook | Task | Update | Leave) -> str:
    match step:
        case Webhook():
            return f"tell {step.sender}"
        case Task():
            return f"ask {_asked(step)} ({step.says})"
        case Update():
            return f"set {listed([*step.traits], 'and')}"
        case Leave():
            return f"end ({step.reason})"


def _asked(step: Task) -> str:
    whose = f"{step.assignee} of {step.team}" if step.assignee else step.team
    return whose if step.due_us is None else f"{whose} within {span(step.due_us)}"


def _send(step: Send) -> str:
    names = listed([*dict.fromkeys(template for _, template in step.ways)], "or")
    whom = f" to members who {step.to.sentence()}" if step.to else " to its members" if step.members else ""
    return f"send {names} by {listed([channel for channel, _ in step.ways], 'or')}{whom}"


def _way(way: Way) -> str:
    who = "otherwise" if way.when is None else f"those who {way.when.sentence()}"
    return f"{who}: {_listed(way.steps)}"


def _wait(wait: Wait) -> str:
    if wait.until is not None and wait.for_us is not None:
        return f"wait until {_event(wait.until)}, at most {span(wait.for_us)}"
    if wait.for_us is not None:
        return f"wait {span(wait.for_us)}"
    if wait.to is not None:
        side = "before" if wait.offset_us < 0 else "after"
        return f"wait until {f'{span(abs(wait.offset_us))} {side} ' if wait.offset_us else ''}{wait.to}"
    days = f" on {listed(wait.days, 'or')}" if wait.days else ""
    return f"wait for {wait.at} ({_zone(wait.zone)}){days}"


def _begins(campaign: Campaign) -> str:
    """How far it is live."""
    if campaign.rehearsal:
        return "It is rehearsed: nothing is handed off."
    return f"It begins with {100 * campaign.ramp:.3g} % of people." if campaign.ramp < 1 else ""


def _left_alone(campaign: Campaign) -> str:
    if campaign.transactional:
        return "Transactional: everybody gets it."
    if campaign.control == 0:
        return f"Nobody is left alone ({campaign.control_why})."
    auto = ""
    if campaign.control_auto:
        undecided = campaign.control == DEFAULT_CONTROL
        auto = " until history proposes another share" if undecided else ", the share that history proposes"
    return f"{campaign.control * 100:.3g} % are left alone, for comparison{auto}."


def _success(campaign: Campaign) -> str:
    return f"It has worked for those who {of_goal(campaign.goal)}." if campaign.goal else ""


def of_goal(goal: Goal) -> str:
    """ "do Order Completed within 14 days": follows those who."""
    if goal.when is not None:
        return f"{goal.when.sentence()}, judged {span(goal.within_us)} after they entered"
    value = f", by the sum of {goal.value}" if goal.value else ""
    return f"do {_event(goal.event)} within {span(goal.within_us)}{value}"


def _again(campaign: Campaign) -> str:
    if campaign.reenter_us is None:
        return "Nobody enters twice."
    return f"They may enter again after {span(campaign.reenter_us)}." if campaign.reenter_us else ""
