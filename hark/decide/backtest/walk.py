"""One customer's way through a history, by the same `step`: what `hark.replay` does for everybody at once.

Every event arrives at its `known_at`; timers and messages come at their own moments before the customer's
next event, and at one moment a timer before a message. Sends go nowhere: a provider takes each at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from hark.decide.plan import Plan
from hark.decide.step import step
from hark.model import Command, Event, Instant, MessageDue, Outcome, Record, Sent, TimerDue
from hark.understand.conditions import Pace


class Since(NamedTuple):
    """A plan, and when it came into force."""

    at: Instant
    plan: Plan


def walk(record: Record, events: Iterable[Event], plans: Sequence[Since], until: Instant) -> list[Event]:
    """The facts of one customer, in the order of their making, as far as `until` (that moment included).

    `plans` follow each other, and differ in nothing but the tables that `pace` is compared with; the first is
    in force from the beginning. `events` are the customer's, those that the plans ask for, in order of
    (known_at, seq); `record` is changed in place. Raises whatever `step` raises.
    """
    facts: list[Event] = []
    place = 0
    for event in events:
        known = event.known_at
        if known > until:
            break
        record, place = _through(record, plans, place, known, facts)
        plan, at = plans[place].plan, max(known, record.now)
        if event.instant != at or event.received_at != known:
            event = replace(event, received_at=known, instant=at)  # noqa: PLW2901 - as it arrives here
        record, made = step(record, event, plan)
        facts += made
    _through(record, plans, place, until + 1, facts)
    return facts


def _through(
    record: Record, plans: Sequence[Since], place: int, before: Instant, facts: list[Event]
) -> tuple[Record, int]:
    """All that is due before a moment, under the plans in force by then, from that at a place on; with the
    place of the last of them. Who waits is asked again when a new one comes, as by new definitions: who is
    then found inside has not just entered."""
    while place + 1 < len(plans) and plans[place + 1].at < before:
        record = advance(record, plans[place].plan, plans[place + 1].at, facts)
        place += 1
        at, plan = plans[place]
        if any(isinstance(leaf, Pace) and leaf.waiting(record) is not None for leaf in plan.leaves.values()):
            record, made = step(record, Command(record.subject, max(at, record.now), "backfill"), plan)
            facts += made
    return advance(record, plans[place].plan, before, facts), place


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
