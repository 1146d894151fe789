"""The balance of a customer's attention: refilled by time, spent by messages, earned by signs of welcome.

A fold over what happened: handing a message off takes what its intent costs; a message after which the
customer did nothing for a day takes more; goals, reading, answers, coming back within the day and what is
graded a strong signal of staying bring something.
"""

from __future__ import annotations

import msgspec

from hark.decide.limits import Defer, Withhold, goes_before, to_customers
from hark.decide.reasons import Held
from hark.decide.watch import Watch, is_activity
from hark.decide.weights import EARNS, SILENCE_US
from hark.decide.work import Work, whole_ms
from hark.definitions.manners import Budget
from hark.model import Balance, Event, FactName, Instant, Record, Sent


class Reached(msgspec.Struct, frozen=True):
    """What is read of a `Goal Reached`."""

    first: bool = True
    also: int | None = None


_reached = msgspec.json.Decoder(Reached)


def standing(record: Record, budget: Budget, now: Instant) -> Balance:
    """The balance as of now; keeps it in the record."""
    known = record.attention
    if known is None:
        known = record.attention = Balance(budget.most, now)
    for sent in [one for one in known.open if one + SILENCE_US < now]:
        known.open.remove(sent)
        _refill(known, budget, sent + SILENCE_US)
        known.left = max(0.0, known.left - budget.ignored)
    known.hoped = [one for one in known.hoped if one + SILENCE_US >= now]
    _refill(known, budget, now)
    return known


def left(record: Record | None, budget: Budget, now: Instant) -> float:
    """What is left now, for who looks: the record stays as it is."""
    known = record.attention if record else None
    looked = Record(0, attention=Balance(known.left, known.at, list(known.open)) if known else None)
    return standing(looked, budget, now).left


def _refill(known: Balance, budget: Budget, to: Instant) -> None:
    if to > known.at:
        grown = known.left + budget.refill * (to - known.at) / budget.per_us
        known.left, known.at = round(min(budget.most, grown), 6), to


def heard(work: Work, event: Event, _watch: Watch) -> None:
    """What the customer does earns attention for later messages; what was imported earns nothing."""
    budget = work.plan.weights.budget
    if budget is None or work.imported:
        return
    kind, strong = EARNS.get(event.name), event.name in work.plan.weights.strong
    sign = is_activity(event)
    if not (kind or (sign and _awaits(work.record.attention, strong))):
        return  # nothing waits for a sign and this brings nothing, as for nearly every event
    known = standing(work.record, budget, work.now)
    if kind and (kind != "goal" or _is_new_goal(event)):
        _earn(known, budget, kind)
    if sign:
        if _answers(known.open, event):
            _earn(known, budget, "return")
        if strong and _answers(known.hoped, event):
            _earn(known, budget, "strong")


def _awaits(known: Balance | None, strong: bool) -> bool:
    """Whether a message waits for such a sign."""
    return known is not None and bool(known.open or (strong and known.hoped))


def _answers(waiting: list[Instant], event: Event) -> bool:
    """Whether it came within a day after a message that waits; such messages wait no more."""
    answered = [one for one in waiting if one < event.at <= one + SILENCE_US]
    waiting[:] = [one for one in waiting if one not in answered]
    return bool(answered)


def _is_new_goal(event: Event) -> bool:
    said = _reached.decode(event.properties)
    return said.first and said.also is None and event.name == FactName.GOAL_REACHED


def join(work: Work, younger: Record) -> None:
    """Of two who turn out to be one the lesser balance is left; messages of both wait for their sign."""
    mine, theirs, budget = work.record.attention, younger.attention, work.plan.weights.budget
    if mine is None or theirs is None:
        work.record.attention = mine or theirs
        return
    if budget is not None:
        standing(work.record, budget, work.now)
        standing(younger, budget, work.now)
    mine.left, mine.at = min(mine.left, theirs.left), max(mine.at, theirs.at)
    mine.open, mine.hoped = sorted(mine.open + theirs.open), sorted(mine.hoped + theirs.hoped)


def _earn(known: Balance, budget: Budget, kind: str) -> None:
    known.left = min(budget.most, known.left + budget.earned.get(kind, 0.0))


def spend(work: Work, sent: Sent) -> None:
    """The message is handed off."""
    budget = work.plan.weights.budget
    if budget is not None and takes_attention(sent):
        known = standing(work.record, budget, work.now)
        known.left = max(0.0, known.left - cost(work, sent))
        known.open.append(work.now)
        if budget.earned.get("strong"):
            known.hoped.append(work.now)


def takes_attention(sent: Sent) -> bool:
    """Whether a message is to the customer, and not what their own action called for."""
    return not sent.transactional and to_customers(sent)


def cost(work: Work, sent: Sent) -> float:
    """What the message takes, by its campaign's intent."""
    budget, course = work.plan.weights.budget, work.plan.course(sent.campaign, sent.version)
    return budget.costs[course.campaign.intent] if budget and course else 0.0


def affordable(work: Work, sent: Sent) -> Withhold | Defer | None:
    """Waits until the balance, less what goes before, pays for the message; not longer than it may."""
    budget = work.plan.weights.budget
    if budget is None:
        return None
    left = standing(work.record, budget, work.now).left
    needed = cost(work, sent)
    before = sum(cost(work, one) for one in work.record.sends if goes_before(work, sent, one))
    if left - before >= needed:
        return None
    values = {"left": round(left, 2), "most": budget.most, "cost": needed}
    if not budget.refill:
        return Withhold(Held.BUDGET, values)
    until = whole_ms(work.now + int((needed + before - left) / budget.refill * budget.per_us) + 1)
    if until > sent.wanted_at + budget.max_wait_us:
        return Withhold(Held.BUDGET, values)
    return Defer(Held.BUDGET, values, until)
