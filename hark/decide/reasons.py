"""The closed sets of reasons, each with its sentence.

A sentence follows the customer ("Mara ..."), or the message, and is filled with the values the fact carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Refusal(StrEnum):
    """Why a customer did not enter a campaign: known before the draw, equal for every arm."""

    STALE = "stale"
    ALREADY_RUNNING = "already_running"
    ALREADY_ENTERED = "already_entered"
    PAUSED = "paused"
    OUT_OF_DATES = "out_of_dates"
    INTERNAL = "internal"
    NOT_IN_AUDIENCE = "not_in_audience"
    SUPPRESSED = "suppressed"
    NOT_REACHABLE = "not_reachable"
    NO_CONSENT = "no_consent"
    GOAL_ALREADY_MET = "goal_already_met"
    EXCLUSIVE = "exclusive"
    NOT_IN_RAMP = "not_in_ramp"


class Held(StrEnum):
    """Why a message did not go, or not yet, although its customer is in the comparison."""

    CONTROL = "control"
    GLOBAL_CONTROL = "global_control"
    PROGRAMME_CONTROL = "programme_control"
    EXPIRED = "expired"
    GOAL_REACHED = "goal_reached"
    EXITED = "exited"
    RESTARTED = "restarted"
    PAUSED = "paused"
    SUPPRESSED = "suppressed"
    NOT_REACHABLE = "not_reachable"
    NO_CONSENT = "no_consent"
    NOT_PENDING = "not_pending"
    QUIET_HOURS = "quiet_hours"
    CAP = "cap"
    PROVIDER = "provider"
    UNKNOWN = "unknown"
    SAME_ADDRESS = "same_address"
    BUDGET = "budget"
    ASKED_RECENTLY = "asked_recently"
    NO_PAYOFF = "no_payoff"
    OPEN_TICKET = "open_ticket"
    WEIGHING = "weighing"
    OUTRANKED = "outranked"
    REHEARSAL = "rehearsal"
    ALREADY_DONE = "already_done"
    RESUMED = "resumed"
    NO_CONTENT = "no_content"
    ALREADY_READ = "already_read"


class Stays(StrEnum):
    """Why a run is not moved to another version of its campaign, and goes on as it was."""

    VARIANT_GONE = "variant_gone"
    STEP_GONE = "step_gone"
    NO_WAIT = "no_wait"
    NO_MOMENT = "no_moment"
    TOO_LATE = "too_late"
    REHEARSAL = "rehearsal"


class Why(StrEnum):
    """Why nobody writes to an address."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    TEAM = "team"
    UNSUBSCRIBED = "unsubscribed"


class Exit(StrEnum):
    """Why the steps of a run ended. Its goal is watched for until the window's end all the same."""

    FINISHED = "finished"
    GOAL = "goal"
    STEP = "step"
    PAST = "past"
    TOO_LATE = "too_late"
    LEFT_SEGMENT = "left_segment"
    MERGED = "merged"
    ARM_CONFLICT = "arm_conflict"


REFUSALS: Mapping[Refusal, str] = {
    Refusal.STALE: "the trigger came {late} late, and this campaign starts for nothing older than {fresh}",
    Refusal.ALREADY_RUNNING: "is on the way through this campaign already, since {since}",
    Refusal.ALREADY_ENTERED: "entered on {last} and may enter again {again}",
    Refusal.PAUSED: "the campaign was paused",
    Refusal.OUT_OF_DATES: "the campaign runs from {starts} to {ends}",
    Refusal.INTERNAL: "is one of our own people",
    Refusal.NOT_IN_AUDIENCE: "is not among those who {audience}",
    Refusal.SUPPRESSED: "{address} must not be written to, since {since} ({why})",
    Refusal.NOT_REACHABLE: "has no address for {channels}",
    Refusal.NO_CONSENT: "has not agreed to get {topic} by {channel} (the answer: {state})",
    Refusal.GOAL_ALREADY_MET: "had reached the goal already, on {met}",
    Refusal.NOT_IN_RAMP: "is not among the {share} of people with whom the campaign begins",
    Refusal.EXCLUSIVE: "belongs to {campaign}, of the campaigns of {group} only one may be a customer's",
}

HELD: Mapping[Held, str] = {
    Held.CONTROL: "is in the control, which is left alone to measure what the message changes",
    Held.GLOBAL_CONTROL: "is in the global control, which gets no campaign at all",
    Held.PROGRAMME_CONTROL: "is in the control of a programme, which gets none of its campaigns",
    Held.EXPIRED: "was worth sending only until {expires}",
    Held.GOAL_REACHED: "reached the goal before it went",
    Held.EXITED: "had left the campaign before it went ({exit})",
    Held.RESTARTED: "the trigger came again before it went, and the steps began anew",
    Held.PAUSED: "the campaign was paused",
    Held.SUPPRESSED: "{address} must not be written to, since {since} ({why})",
    Held.NOT_REACHABLE: "has no address for {channel}",
    Held.NO_CONSENT: "has not agreed to get {topic} by {channel} (the answer: {state})",
    Held.NOT_PENDING: "has answered about {topic} since (the answer: {state})",
    Held.QUIET_HOURS: "it was {local} in {zone}, within quiet hours",
    Held.CAP: "{taken} of {messages} messages in {per} had gone or were on their way",
    Held.SAME_ADDRESS: "{address} had got it just before, for another customer with the same address",
    Held.UNKNOWN: "whether it arrived is not known, so it goes once more unless the provider says so first",
    Held.BUDGET: "has {left} of {most} points of attention left, and this takes {cost}",
    Held.ASKED_RECENTLY: "was asked for something on {last}, and is asked again only after {gap}",
    Held.NO_PAYOFF: "is not yet one who {payoff}, and nobody else is asked for anything",
    Held.OPEN_TICKET: "has an open ticket with support, and gets only help until it is solved",
    Held.WEIGHING: "waits {within} for what else wants this customer",
    Held.OUTRANKED: "{campaign} is worth more to this customer at this time",
    Held.REHEARSAL: "the campaign is rehearsed: everything is done but handing messages off",
    Held.ALREADY_DONE: "the run had done this step already, before it was moved to this version",
    Held.RESUMED: "the campaign goes on",
    Held.NO_CONTENT: "is at {stage}, and has read or been sent all of the {fit} items that fit, of {items}",
    Held.ALREADY_READ: "had read {title} of their own accord before it went",
    Held.PROVIDER: "the provider could not take it at attempt {attempt} ({detail})",
}

STAYS: Mapping[Stays, str] = {
    Stays.VARIANT_GONE: "the other version has no such variant, and arms stay as they were drawn",
    Stays.STEP_GONE: "the other version has no step with the id of the wait at which they stand",
    Stays.NO_WAIT: "the step with this id is no wait in the other version",
    Stays.NO_MOMENT: "what the wait there refers to is no moment for them",
    Stays.TOO_LATE: "their wait there would end after their goal's window",
    Stays.REHEARSAL: "one of the two versions is a rehearsal",
}

EXITS: Mapping[Exit, str] = {
    Exit.FINISHED: "came to the end of the steps",
    Exit.GOAL: "reached the goal",
    Exit.STEP: "came to a step that ends the way: {says}",
    Exit.PAST: "came too late to wait until {until}",
    Exit.TOO_LATE: "would have waited until {until}, past the end of the goal's window",
    Exit.LEFT_SEGMENT: "left {segment}",
    Exit.MERGED: "turned out to be on the way through it under another id, entered earlier",
    Exit.ARM_CONFLICT: "turned out to have been given another arm under another id, entered earlier",
}

WHY: Mapping[str, str] = {
    Why.BOUNCED: "the provider said that it does not exist or never takes mail",
    Why.COMPLAINED: "a message to it was reported as unwanted",
    Why.TEAM: "the team, or an import, said so",
    Why.UNSUBSCRIBED: "whoever reads it has left",
}
