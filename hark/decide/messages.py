"""One message's way: wanted, then at its hand-off sending, deferred or withheld, then the outcome.

A failure for now (`Outcome.temporary`) makes it wanted again, for some attempts (`retry`).

What may hold a message back is asked twice by the same list of rules: when the step wants it, and
again when it is handed off, for until then anything may have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from hark.clock import derived_id
from hark.decide import rules
from hark.decide.attention import affordable, spend
from hark.decide.catalogue import has_read
from hark.decide.consents import state
from hark.decide.limits import NOT_TO_CUSTOMERS, Defer, Withhold, capped, quiet
from hark.decide.manners import asked_recently, open_ticket, outranked
from hark.decide.ranking import weighed
from hark.decide.reasons import Exit, Held, Why
from hark.decide.retry import next_attempt, once_more
from hark.decide.rules import Values
from hark.decide.suppressions import bar
from hark.decide.work import Work
from hark.model import DAY, JSON, Event, FactName, Instant, MessageDue, Outcome, Record, Run, Sent
from hark.understand.conditions.answers import State

CONFIRM = "_confirm"
"""The built-in template that asks for confirmation of a subscription."""
UNANSWERED_US = 30 * DAY
"""For how long the outcome of a message that was handed off is waited for."""
STANDS_US = 366 * DAY
"""How long a message waits at most for a campaign that keeps its timers, before it is asked again."""
MILLISECOND = 1_000

BY_ITSELF = (Exit.FINISHED, Exit.STEP, Exit.PAST, Exit.TOO_LATE)
"""Ends which leave what was wanted before to go."""

Rule: TypeAlias = Callable[[Work, Sent], Withhold | Defer | None]


def ask_to_confirm(work: Work, request: Event, topic: str, channel: str) -> None:
    """The message of double opt-in, one for each request; a person's own action calls for it."""
    message = derived_id("confirmation", request.subject, request.message_id)
    sent = Sent(message, "", "", CONFIRM, topic, channel, work.now, "wanted", work.now, transactional=True)
    offer(work, sent, {"data": {"topic": topic}})


def offer(work: Work, sent: Sent, said: Mapping[str, JSON], cleared: bool = False) -> None:
    """Writes the message as wanted, due now or when the rules let it go, or as withheld; `said`: what its
    step gives it."""
    verdict = held(work, sent, cleared)
    if isinstance(verdict, Withhold):
        withhold(work, sent, verdict)
        return
    facts = described(sent)
    facts["to"] = address(work, sent)
    facts |= said
    facts["expires"] = sent.expires_at
    if verdict:
        sent.due_at, sent.stands = verdict.until, verdict.reason == Held.PAUSED
        facts["reason"], facts["values"] = verdict.reason, verdict.values
    facts["due"] = sent.due_at
    work.record.sends.append(sent)
    work.emit(FactName.MESSAGE_WANTED, facts)


def hand_off(work: Work, input: MessageDue) -> None:
    """The message goes now, later or not at all. No fact: it is not waiting (any more)."""
    sent = waiting(work.record, input.message)
    if sent is None:
        return
    over = Withhold(Held.EXITED, {"exit": input.exited}) if input.exited else None
    verdict = over or held(work, sent) or _copied(work, sent, input.copy) or _rehearsed(work, sent)
    if isinstance(verdict, Withhold):
        work.record.sends.remove(sent)
        withhold(work, sent, verdict)
    elif verdict:
        sent.due_at, sent.stands = verdict.until, verdict.reason == Held.PAUSED
        facts = {"until": verdict.until, "reason": verdict.reason, "values": verdict.values}
        work.emit(FactName.MESSAGE_DEFERRED, described(sent) | facts)
    else:
        sent.state, sent.sent_at = "sending", work.now
        spend(work, sent)
        sent.to = address(work, sent)
        facts = described(sent) | {"to": sent.to} | weighed(work, sent.campaign, _beside(work, sent))
        work.emit(FactName.MESSAGE_SENDING, facts)


def _beside(work: Work, sent: Sent) -> list[Sent]:
    """What of other campaigns is wanted, and might have gone now instead."""
    arbitration = work.plan.attention.arbitration
    soon = work.now + (arbitration.within_us if arbitration else 0)
    return [
        one
        for one in work.record.sends
        if one.state == "wanted" and one.campaign and not (one.transactional or sent.transactional)
        if one.due_at <= soon and one.channel not in NOT_TO_CUSTOMERS
    ]


def address(work: Work, sent: Sent) -> str:
    """Where it goes: to the address that its caller named, else to the customer's own of now."""
    return sent.named or rules.address(work.record, sent.channel)


def _rehearsed(work: Work, sent: Sent) -> Withhold | None:
    """In a rehearsal everything is live but this: nothing is handed off, whatever version is in force by
    now."""
    course = work.plan.course(sent.campaign, sent.version)
    return Withhold(Held.REHEARSAL, {}) if course and course.campaign.rehearsal else None


def _copied(work: Work, sent: Sent, copy: str) -> Withhold | None:
    """One address gets one copy, whoever shares it; what a person's own action calls for is theirs alone."""
    if not copy or sent.transactional:
        return None
    found = address(work, sent)
    return Withhold(Held.SAME_ADDRESS, {"address": found, "copy": copy})


def withdraw(work: Work, run: Run, reason: Held) -> None:
    """Withholds what the run wants and has not handed off."""
    wanted = [one for one in work.record.sends if one.run == run.id and one.state == "wanted"]
    for sent in wanted:
        work.record.sends.remove(sent)
        withhold(work, sent, Withhold(reason, {}))


def came_out(work: Work, input: Outcome) -> None:
    """What the provider said. What may have been accepted (unknown) is not tried again but, where
    transactional, once."""
    sent = next((one for one in work.record.sends if one.message == input.message), None)
    if sent is None or not _awaited(work, sent, input):
        return
    if input.state == "failed":
        _failed(work, sent, input)
        return
    sent.state, sent.sent_at = input.state, sent.sent_at or work.now
    facts = described(sent) | {"to": sent.to, "detail": input.detail}
    if input.state == "unknown":
        _unknown(work, sent, facts)
    else:
        work.emit(FactName.MESSAGE_SENT, facts if input.said is None else facts | {"said": input.said})


def _awaited(work: Work, sent: Sent, input: Outcome) -> bool:
    """Whether the outcome is news: also of a message that waits because nobody knew. Whether a record was
    tidied up since is no matter: after `UNANSWERED_US` none is waited for."""
    if sent.sent_at is not None and sent.sent_at <= work.now - UNANSWERED_US:
        return False
    resolved = sent.state == "wanted" and bool(sent.doubts) and input.state == "sent"
    return resolved or (sent.state in ("sending", "unknown") and sent.state != input.state)


def _unknown(work: Work, sent: Sent, facts: dict[str, JSON]) -> None:
    sent.doubts += 1
    again = once_more(work, sent)
    work.emit(FactName.MESSAGE_UNKNOWN, facts | {"again": again is not None})
    if again is not None:
        sent.state, sent.due_at, sent.sent_at = "wanted", again, None
        work.emit(FactName.MESSAGE_DEFERRED, facts | {"until": again, "reason": Held.UNKNOWN})


def _failed(work: Work, sent: Sent, input: Outcome) -> None:
    """Another attempt later, or none: then the place in the caps is given back. A lasting one suppresses."""
    sent.attempts += input.counted
    facts = described(sent) | {"to": sent.to, "detail": input.detail, "attempt": sent.attempts}
    again = _again(work, sent, input)
    if again is not None:
        sent.state, sent.due_at, sent.sent_at = "wanted", again, None
        work.emit(FactName.MESSAGE_DEFERRED, facts | {"until": again, "reason": Held.PROVIDER})
        return
    work.record.sends.remove(sent)
    if input.permanent and sent.to:
        bar(work, sent.to, Why.BOUNCED, sent.channel, input.detail)
    work.emit(FactName.MESSAGE_FAILED, facts | {"permanent": input.permanent})


def _again(work: Work, sent: Sent, input: Outcome) -> Instant | None:
    """When it is tried again, if it may be."""
    if not input.temporary or sent.state != "sending":
        return None
    return next_attempt(work, sent, input.retry_after_us or 0, input.counted)


def waiting(record: Record, message: str) -> Sent | None:
    return next((one for one in record.sends if one.message == message and one.state == "wanted"), None)


def withhold(work: Work, sent: Sent, verdict: Withhold) -> Event:
    """The fact that a message will not go."""
    facts = {"reason": verdict.reason, "values": verdict.values}
    return work.emit(FactName.MESSAGE_WITHHELD, described(sent) | facts)


def described(sent: Sent) -> dict[str, JSON]:
    """What every fact about a message says of it."""
    return {
        "message": sent.message,
        "run": sent.run,
        "campaign": sent.campaign,
        "version": sent.version,
        "arm": sent.arm,
        "step": sent.step,
        "template": sent.template,
        "channel": sent.channel,
        "topic": sent.topic,
        "transactional": sent.transactional,
        **({"content": sent.content} if sent.content else {}),
        **({"of_group": sent.of_group} if sent.of_group else {}),
    }


def forget(record: Record, now: Instant, cap_memory_us: int) -> None:
    """Drops the messages that are out of every cap's window and whose outcome is known or given up."""
    record.sends = [
        one
        for one in record.sends
        if one.sent_at is None
        or one.sent_at > now - (cap_memory_us if one.state == "sent" else UNANSWERED_US)
    ]


def held(work: Work, sent: Sent, cleared: bool = False) -> Withhold | Defer | None:
    """What holds the message back now: the first rule that withholds or defers."""
    asked = FOR_OTHERS if sent.channel in NOT_TO_CUSTOMERS else RULES[sent.transactional, cleared]
    for rule in asked:
        verdict = rule(work, sent)
        if verdict is not None:
            if (
                isinstance(verdict, Defer)
                and sent.expires_at is not None
                and verdict.until >= sent.expires_at
            ):
                return Withhold(Held.EXPIRED, {"expires": sent.expires_at, "until": verdict.until})
            return verdict
    return None


def _expired(work: Work, sent: Sent) -> Withhold | None:
    over = sent.expires_at is not None and work.now >= sent.expires_at
    return Withhold(Held.EXPIRED, {"expires": sent.expires_at}) if over else None


def _exited(work: Work, sent: Sent) -> Withhold | None:
    run = next((run for run in work.record.runs if run.id == sent.run), None)
    if run is None or run.exited in ("", *BY_ITSELF):
        return None
    if run.exited == Exit.GOAL:
        return Withhold(Held.GOAL_REACHED, {"goal_at": run.goal_at})
    return Withhold(Held.EXITED, {"exit": run.exited})


def _paused(work: Work, sent: Sent) -> Withhold | Defer | None:
    """A pause that keeps the timers keeps what was wanted too, as long as it is worth sending."""
    course = work.plan.owner(sent.campaign).current.get(sent.campaign)
    if not sent.campaign or (course and not course.campaign.paused):
        return None
    until = min(work.now + STANDS_US, (sent.expires_at or work.now + STANDS_US) - MILLISECOND)
    if work.plan.stands_still(sent.campaign) and until > work.now:
        return Defer(Held.PAUSED, {}, until)
    return Withhold(Held.PAUSED, {})


def _suppressed(work: Work, sent: Sent) -> Withhold | None:
    values = rules.suppressed(work.record, sent.channel, sent.named)
    return None if values is None else Withhold(Held.SUPPRESSED, values)


def _not_reachable(work: Work, sent: Sent) -> Withhold | None:
    found = address(work, sent)
    return None if found else Withhold(Held.NOT_REACHABLE, {"channel": sent.channel})


def _not_pending(work: Work, sent: Sent) -> Withhold | None:
    if sent.template != CONFIRM:
        return None
    said = state(work.record, work.plan, sent.topic, sent.channel)
    if said == State.PENDING:
        return None
    return Withhold(Held.NOT_PENDING, {"topic": sent.topic, "state": said})


def _already_read(work: Work, sent: Sent) -> Withhold | None:
    """The customer found by themselves what the message would have brought."""
    item = work.plan.contents.get(sent.content)
    if item is None or not has_read(work.record, item):
        return None
    return Withhold(Held.ALREADY_READ, {"content": item.name, "title": item.title})


def _no_consent(work: Work, sent: Sent) -> Withhold | None:
    values: Values | None = rules.lacking_consent(work, sent.topic, sent.channel)
    return None if values is None else Withhold(Held.NO_CONSENT, values)


FOR_ALL: tuple[Rule, ...] = (
    _expired,
    _exited,
    _paused,
    _not_reachable,
    _suppressed,
    _not_pending,
    _already_read,
)
MANNERS: tuple[Rule, ...] = (open_ticket, asked_recently, outranked, quiet, capped, affordable)
FOR_CAMPAIGNS: tuple[Rule, ...] = (*FOR_ALL, _no_consent, *MANNERS)
"""Transactional messages are asked only the first part."""
FOR_OTHERS: tuple[Rule, ...] = (_expired, _exited, _paused)
"""Calls of other systems and tasks of the team take nobody's attention."""
RULES: Mapping[tuple[bool, bool], tuple[Rule, ...]] = {
    (True, False): FOR_ALL,
    (False, False): FOR_CAMPAIGNS,
    (True, True): (_expired,),
    (False, True): (_expired, *MANNERS),
}
"""By (transactional, cleared): who enters was asked everything else at this very moment (`rules`)."""
