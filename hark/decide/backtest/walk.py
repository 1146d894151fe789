"""One customer's way through a history, by the same `step`: what `hark.replay` does for everybody at once.

Every event arrives at its `known_at`; timers and messages come at their own moments before the customer's
next event, and at one moment a timer before a message. Sends go nowhere: a provider takes each at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hark.decide.plan import Plan
from hark.decide.step import step
from hark.model import Event, Instant, MessageDue, Outcome, Record, Sent, TimerDue


def walk(record: Record, events: Iterable[Event], plan: Plan, until: Instant) -> list[Event]:
    """The facts of one customer, in the order of their making, as far as `until` (that moment included).

    `events` are the customer's, those that the plan asks for, in order of (known_at, seq); `record` is
    changed in place. Raises whatever `step` raises.
    """
    facts: list[Event] = []
    for event in events:
        known = event.known_at
        if known > until:
            break
        record = advance(record, plan, known, facts)
        at = max(known, record.now)
        if event.instant != at or event.received_at != known:
            event = replace(event, received_at=known, instant=at)  # noqa: PLW2901 - as it arrives here
        record, made = step(record, event, plan)
        facts += made
    advance(record, plan, until + 1, facts)
    return facts


def advance(record: Record, plan: Plan, before: Instant, facts: list[Event]) -> Record:
    """The customer's timers and messages due before this moment, each at its own; their facts are added."""
    while record.due is not None or record.sends:
        sent = _waiting(record)
        due = record.due
        if due is not None and due < before and (sent is None or due <= sent.due_at):
            record, made = step(record, TimerDue(record.subject, due), plan)
        elif sent is not None and sent.due_at < before:
            record, made = _hand_off(record, sent, plan)
        else:
            break
        facts += made
    return record


def _waiting(record: Record) -> Sent | None:
    """The message that is handed off next."""
    wanted = [sent for sent in record.sends if sent.state == "wanted"]
    return min(wanted, key=lambda sent: (sent.due_at, sent.message), default=None)


def _hand_off(record: Record, sent: Sent, plan: Plan) -> tuple[Record, list[Event]]:
    at = max(sent.due_at, record.now)
    record, made = step(record, MessageDue(record.subject, at, sent.message), plan)
    if sent.state == "sending":
        record, more = step(record, Outcome(record.subject, at, sent.message, "sent"), plan)
        made = [*made, *more]
    return record, made
