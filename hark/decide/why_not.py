"""Why not: what stands between one customer and a campaign now, asked of the very rules that decide it.

Nothing is decided by asking; the record stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hark.clock import moment
from hark.decide.assignment import draw
from hark.decide.catalogue import pick
from hark.decide.course import Course
from hark.decide.entry import entry_key, may_not_again
from hark.decide.leaving import would_send
from hark.decide.limits import Defer, Withhold
from hark.decide.messages import held
from hark.decide.plan import Plan
from hark.decide.reasons import HELD, REFUSALS, Held, Refusal
from hark.decide.record import decode, encode
from hark.decide.rules import ELIGIBILITY
from hark.decide.why import filled
from hark.decide.work import Work
from hark.definitions.nominal import OnDate
from hark.definitions.steps import every
from hark.definitions.types import Send
from hark.model import JSON, Event, Instant, Kind, Record
from hark.understand.conditions import AllOf, AnyOf, Condition, InSegment

OTHERWISE = (Refusal.STALE, Refusal.GOAL_ALREADY_MET, Refusal.NOT_IN_AUDIENCE)
"""Known only once the trigger has come; and the audience, of which it is said what is lacking."""


class Standing(Struct, frozen=True):
    """One thing that a campaign asks of a customer, and how they stand to it."""

    asks: str
    """trigger, or the stable name of a reason (`reasons`)."""
    holds: bool | None
    """None: only the future shows it."""
    sentence: str
    """Follows the customer's name."""
    values: JSON = None


def why_not(record: Record, plan: Plan, name: str, now: Instant) -> list[Standing]:
    """Everything that must hold for the customer to enter and to be written to, in the order in which it is
    asked: the trigger, re-entry, eligibility, the draw, the first message. KeyError for an unknown
    campaign. `plan` is what the record rests on (`Plan.of`)."""
    course = plan.current[name]
    work = Work(decode(encode(record)), plan)
    work.now = work.record.now = max(now, record.now)
    refusals = list(_refusals(work, course))
    found = [_trigger(work, course), *refusals]
    if not any(one.holds is False for one in refusals):
        found += [*_drawn(work, course), *_message(work, course)]
    return found


def _trigger(work: Work, course: Course) -> Standing:
    trigger, record = course.campaign.trigger, work.record
    if trigger.enters:
        return _segment(work, trigger.enters, trigger.existing)
    if trigger.timed is not None:
        return _start(record, course)
    if trigger.api:
        return Standing("trigger", None, "enters once a call names them")
    names = " or ".join(trigger.event.names) if trigger.event else ""
    return Standing("trigger", None, f"enters once they do {names}")


def _segment(work: Work, name: str, existing: bool) -> Standing:
    record, segment = work.record, work.plan.segments[name]
    if name in record.members:
        since = f"is in {name} since {moment(record.members[name]):%Y-%m-%d %H:%M} UTC"
        tail = "" if existing else "; only who comes into it enters, so they would have to leave it first"
        return Standing("trigger", existing, since + tail)
    missing = (
        "; ".join(lacking(segment.where, record, work.now)) or "it is asked again when something changes"
    )
    return Standing("trigger", False, f"is not in {name}: not one who {missing}")


def _start(record: Record, course: Course) -> Standing:
    start, timed = record.starts.get(course.name), course.campaign.trigger.timed
    if start is not None:
        return Standing("trigger", None, f"is looked at next on {moment(start.at):%Y-%m-%d %H:%M} UTC")
    why = (
        f"no date in {timed.trait} that is still to come" if isinstance(timed, OnDate) else "its time is past"
    )
    return Standing("trigger", False, f"is looked at no more: {why}")


def lacking(condition: Condition, record: Record, now: Instant) -> Iterator[str]:
    """The parts of a condition that do not hold; of alternatives all of them, as one."""
    if condition.met(record, now):
        return
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from lacking(part, record, now)
    elif isinstance(condition, AnyOf):
        yield " or ".join(part.sentence() for part in condition.parts)
    elif isinstance(condition, InSegment):
        yield from lacking(condition.meant, record, now)
    else:
        yield condition.sentence()


def _refusals(work: Work, course: Course) -> Iterator[Standing]:
    """Re-entry under no key, and every rule of eligibility that this campaign can fail."""
    entry = work.record.entries.get(entry_key(course, ""))
    again = may_not_again(work, course, "", entry) if entry else None
    if again:
        yield Standing(again[0].value, False, filled(REFUSALS[again[0]], again[1]), again[1])
    asked = _asked(work)
    for reason, check in ELIGIBILITY:
        if reason in OTHERWISE or (reason == Refusal.EXCLUSIVE and course.campaign.exclusive is None):
            continue
        values = check(work, course, asked)
        if values is not None:
            yield Standing(reason.value, False, filled(REFUSALS[reason], values), values)
    audience = course.campaign.audience
    if audience is not None and (missing := "; ".join(lacking(audience, work.record, work.now))):
        yield Standing(Refusal.NOT_IN_AUDIENCE, False, f"lacks for the audience: {missing}")


def _asked(work: Work) -> Event:
    """Stands in for a trigger at this moment."""
    now = work.now
    return Event(work.record.subject, now, work.record.last_seq, "", Kind.FACT, "hark", "", now, now, now)


def _drawn(work: Work, course: Course) -> Iterator[Standing]:
    drawn = draw(work.record, course, work.plan.holdouts, work.now)
    if drawn.shadow:
        yield Standing(drawn.arm, False, HELD[Held(drawn.arm)])


def _message(work: Work, course: Course) -> Iterator[Standing]:
    """What would hold the first message back, were it wanted now."""
    variant = draw(work.record, course, work.plan.holdouts, work.now).variant
    steps = next(one.steps for one in course.campaign.variants if one.name == variant)
    step = next((one for one in every(steps) if isinstance(one, Send) and not one.members), None)
    verdict = _verdict(work, course, step) if step else None
    if verdict is not None:
        sentence = filled(HELD[verdict.reason], verdict.values)
        if isinstance(verdict, Defer):
            sentence += f"; it would wait until {moment(verdict.until):%Y-%m-%d %H:%M} UTC"
        yield Standing(verdict.reason.value, False, f"a message now: {sentence}", verdict.values)


def _verdict(work: Work, course: Course, step: Send) -> Withhold | Defer | None:
    """What would hold a send back now; before all else that there is nothing left to send."""
    item = pick(work, step.content) if step.content is not None else None
    return item if isinstance(item, Withhold) else held(work, would_send(work, course, step), cleared=True)
