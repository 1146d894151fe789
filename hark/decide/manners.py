"""What is not done to people: asking them again so soon, asking before they had anything, writing while
they wait for support, and two campaigns at once where one is worth more."""

from __future__ import annotations

from hark.decide.limits import Defer, Withhold, to_customers
from hark.decide.ranking import rank, weighed
from hark.decide.reasons import Held
from hark.decide.work import Work, whole_ms
from hark.model import Sent


def asked_recently(work: Work, sent: Sent) -> Withhold | None:
    """An ask within the policy's time of another one, and one of those who may not be asked."""
    if not _asks(work, sent):
        return None
    policy = work.plan.attention
    if policy.ask_after is not None and not policy.ask_after.met(work.record, work.now):
        return Withhold(Held.NO_PAYOFF, {"payoff": policy.ask_after.sentence()})
    went = [one.sent_at for one in work.record.sends if one.sent_at is not None and _asks(work, one)]
    last = max(went, default=None)
    if last is None or last <= work.now - policy.ask_gap_us:
        return None
    return Withhold(Held.ASKED_RECENTLY, {"last": last, "gap_us": policy.ask_gap_us})


def _asks(work: Work, sent: Sent) -> bool:
    return _intent(work, sent) == "ask"


def _intent(work: Work, sent: Sent) -> str:
    course = work.plan.course(sent.campaign, sent.version)
    return course.campaign.intent if course else ""


def open_ticket(work: Work, sent: Sent) -> Withhold | None:
    """Who waits for support gets only what helps."""
    waits = work.plan.weights.open_ticket
    if waits is None or _intent(work, sent) == "help" or not waits.met(work.record, work.now):
        return None
    return Withhold(Held.OPEN_TICKET, {})


def outranked(work: Work, sent: Sent) -> Withhold | Defer | None:
    """Waits for the policy's window, then gives way to a worthier campaign that wants, or had, the customer
    within it. Without a window all go, the worthiest first (`limits.goes_before`)."""
    arbitration = work.plan.attention.arbitration
    if arbitration is None:
        return None
    within = arbitration.within_us
    if work.now < sent.wanted_at + within:
        return Defer(Held.WEIGHING, {"within_us": within}, whole_ms(sent.wanted_at + within))
    rivals = [one for one in work.record.sends if _rival(work, sent, one, within)]
    if not rivals:
        return None
    first = max(rivals, key=lambda one: one.sent_at or one.due_at)
    values = {"campaign": first.campaign, **weighed(work, first.campaign, [sent, *rivals])}
    if arbitration.on_outranked == "skip":
        return Withhold(Held.OUTRANKED, values)
    return Defer(Held.OUTRANKED, values, whole_ms(max(first.sent_at or first.due_at, work.now) + within))


def _rival(work: Work, sent: Sent, other: Sent, within_us: int) -> bool:
    """Whether the other is a worthier campaign's, wanted within the window or gone within it."""
    if other.campaign == sent.campaign or other.transactional or not to_customers(other):
        return False
    if rank(work, other.campaign) <= rank(work, sent.campaign):
        return False
    if other.sent_at is not None:
        return other.sent_at > work.now - within_us
    return other.due_at <= work.now + within_us
