"""Eligibility: what must hold before the draw, for every arm alike. Each "no" has a reason and its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from hark.clock import unit_hash
from hark.decide import consents
from hark.decide.assignment import chosen, drawn_by
from hark.decide.course import Course
from hark.decide.reasons import Refusal, Why
from hark.decide.suppressions import EVERYTHING, form
from hark.decide.work import Work
from hark.model import JSON, Event, Record
from hark.understand.conditions import reachable
from hark.understand.conditions.answers import State

Values: TypeAlias = dict[str, JSON]
Check: TypeAlias = Callable[[Work, Course, Event], Values | None]
"""The values of the reason if the rule says no, None if it has nothing against it."""
Checks: TypeAlias = tuple[tuple[Refusal, Check], ...]


def address(record: Record, channel: str) -> str:
    """Where the customer can be reached by the channel (`conditions.reachable`); "" for nowhere."""
    return reachable.address(record.traits, channel)


def suppressed(record: Record, channel: str, named: str = "") -> Values | None:
    """Since when the customer, or the address by this channel (or the `named` one) must not be written to."""
    if not record.suppressed:
        return None
    found = named or address(record, channel)
    for one in (EVERYTHING, form(found)):
        if one in record.suppressed:
            why = record.barred.get(one, Why.TEAM.value)
            return {"address": found, "since": record.suppressed[one], "why": why}
    return None


def refused(work: Work, course: Course, trigger: Event) -> tuple[Refusal, Values] | None:
    """The first rule that says no, with its values."""
    for reason, check in course.checks or _compiled(course):
        values = check(work, course, trigger)
        if values is not None:
            return reason, values
    return None


def _stale(work: Work, course: Course, _trigger: Event) -> Values | None:
    fresh = course.campaign.fresh_us
    return {"late_us": work.age, "fresh_us": fresh} if work.age > fresh else None


def _paused(_work: Work, course: Course, _trigger: Event) -> Values | None:
    return {} if course.campaign.paused else None


def _out_of_dates(work: Work, course: Course, _trigger: Event) -> Values | None:
    starts, ends = course.campaign.starts, course.campaign.ends
    outside = (starts is not None and work.now < starts) or (ends is not None and work.now >= ends)
    return {"starts": starts, "ends": ends} if outside else None


def _internal(work: Work, course: Course, _trigger: Event) -> Values | None:
    internal = work.plan.internal
    if internal is None or course.campaign.transactional:
        return None
    return {} if internal.met(work.record, work.now) else None


def _not_in_audience(work: Work, course: Course, _trigger: Event) -> Values | None:
    audience = course.campaign.audience
    if audience is None or audience.met(work.record, work.now):
        return None
    return {"audience": audience.sentence()}


def _suppressed(work: Work, course: Course, _trigger: Event) -> Values | None:
    return _by_every_channel(suppressed(work.record, channel) for channel in course.first_channels)


def _not_reachable(work: Work, course: Course, _trigger: Event) -> Values | None:
    channels = course.first_channels
    if not channels or any(address(work.record, channel) for channel in channels):
        return None
    return {"channels": sorted(course.first_channels)}


def _no_consent(work: Work, course: Course, _trigger: Event) -> Values | None:
    topic = course.campaign.topic
    if topic is None or course.campaign.transactional:
        return None
    return _by_every_channel(lacking_consent(work, topic, channel) for channel in course.first_channels)


def lacking_consent(work: Work, topic: str, channel: str) -> Values | None:
    """The customer's answer about a topic, unless it is "in"."""
    state = consents.state(work.record, work.plan, topic, channel)
    return None if state == State.IN else {"topic": topic, "channel": channel, "state": state}


def _by_every_channel(found: Iterator[Values | None]) -> Values | None:
    """What speaks against the first channel, if something speaks against each."""
    values = list(found)
    return values[0] if values and None not in values else None


def _goal_already_met(work: Work, course: Course, trigger: Event) -> Values | None:
    """The goal was reached after the trigger's own time and before it arrived."""
    met = work.record.goals.get(course.name)
    if met is None or course.starts_when is None or tuple(met) <= (trigger.at, trigger.seq):
        return None
    return {"met": met[0]}


def _exclusive(work: Work, course: Course, _trigger: Event) -> Values | None:
    """Another campaign of the same group is this customer's."""
    group = course.campaign.exclusive or ""
    mine = chosen(work.record, work.plan.exclusive[group])
    return None if mine.name == course.name else {"group": group, "campaign": mine.name}


def _not_in_ramp(work: Work, course: Course, _trigger: Event) -> Values | None:
    """The campaign begins with a share of people (of groups, where arms are theirs): the same whatever else
    they are in, and still in it when the share grows."""
    ramp = course.campaign.ramp
    if unit_hash(f"campaign/{course.name}/ramp", drawn_by(work.record, course)) < ramp:
        return None
    return {"share": f"{100 * ramp:.3g} %"}


def _compiled(course: Course) -> Checks:
    """The rules that may say no to anybody by this definition, kept with the course."""
    campaign = course.campaign
    void = {
        Refusal.PAUSED: not campaign.paused,
        Refusal.OUT_OF_DATES: campaign.starts is None and campaign.ends is None,
        Refusal.INTERNAL: campaign.transactional,
        Refusal.NOT_IN_AUDIENCE: campaign.audience is None,
        Refusal.NOT_REACHABLE: not course.first_channels,
        Refusal.NO_CONSENT: campaign.topic is None or campaign.transactional,
        Refusal.GOAL_ALREADY_MET: course.starts_when is None,
        Refusal.EXCLUSIVE: campaign.exclusive is None,
        Refusal.NOT_IN_RAMP: campaign.ramp >= 1,
    }
    course.checks = tuple((reason, check) for reason, check in ELIGIBILITY if not void.get(reason))
    return course.checks


ELIGIBILITY: Checks = (
    (Refusal.STALE, _stale),
    (Refusal.PAUSED, _paused),
    (Refusal.OUT_OF_DATES, _out_of_dates),
    (Refusal.INTERNAL, _internal),
    (Refusal.NOT_IN_AUDIENCE, _not_in_audience),
    (Refusal.NOT_REACHABLE, _not_reachable),
    (Refusal.SUPPRESSED, _suppressed),
    (Refusal.NO_CONSENT, _no_consent),
    (Refusal.GOAL_ALREADY_MET, _goal_already_met),
    (Refusal.EXCLUSIVE, _exclusive),
    (Refusal.NOT_IN_RAMP, _not_in_ramp),
)
"""In this order; re-entry (already_running, already_entered) is asked before, in `entry`."""
