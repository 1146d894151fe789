"""What facts about messages mean for the outbox: a new row, or a new state of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct, field

from hark.decide.messages import BY_ITSELF
from hark.decide.plan import Plan
from hark.model import GROUPS, JSON, Event, FactName, Instant, Record
from hark.store.changes import USER, Id, Turn
from hark.store.contracts import OutboxRow

STATES: dict[str, str] = {
    FactName.MESSAGE_SENDING: "sending",
    FactName.MESSAGE_DEFERRED: "wanted",
    FactName.MESSAGE_WITHHELD: "withheld",
    FactName.MESSAGE_SENT: "sent",
    FactName.MESSAGE_FAILED: "failed",
    FactName.MESSAGE_UNKNOWN: "unknown",
    FactName.MESSAGE_DELIVERED: "delivered",
    FactName.MESSAGE_BOUNCED: "bounced",
    FactName.MESSAGE_COMPLAINED: "complained",
}
LISTED = frozenset((FactName.ADDRESS_SUPPRESSED.value, FactName.ADDRESS_RELEASED.value))
SENDING = FactName.MESSAGE_SENDING.value
WANTED = FactName.MESSAGE_WANTED.value


class Told(Struct):
    """What a tick's facts told of messages."""

    wanted: list[OutboxRow] = field(default_factory=list)
    turns: dict[str, Turn] = field(default_factory=dict)
    """By message; the last one of a tick counts."""
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (campaign, what): messages sent, come back for good, complained about."""
    listed: list[Event] = field(default_factory=list)
    """Facts for the suppression list, until it has taken them."""


class About(Struct):
    """The properties of a fact about a message that the outbox keeps."""

    message: str = ""
    campaign: str = ""
    run: str = ""
    template: str = ""
    channel: str = ""
    due: Instant | None = None
    until: Instant | None = None
    reason: str = ""
    detail: str = ""
    permanent: bool = False
    said: msgspec.Raw = msgspec.Raw()
    to: str = ""


def told(into: Told, facts: Sequence[Event]) -> None:
    """Adds what these facts mean."""
    for fact in facts:
        if fact.name == WANTED:
            into.wanted.append(_wanted(fact))
        elif fact.name in STATES:
            about = _about.decode(fact.properties)
            into.turns[about.message] = _turn(fact, about)
            into.counted.update((about.campaign, what) for what in _counts(fact.name, about))
        elif fact.name in LISTED:
            into.listed.append(fact)


def _wanted(fact: Event) -> OutboxRow:
    about = _about.decode(fact.properties)
    return OutboxRow(
        *(about.message, fact.subject, about.campaign, about.run, about.template, about.channel, "wanted"),
        due_at=fact.instant if about.due is None else about.due,
        updated_at=fact.instant,
        content=msgspec.json.decode(fact.properties),
    )


def _counts(name: str, about: About) -> tuple[str, ...]:
    """What a fact counts as for its campaign; a mail server may refuse for good at once, or later."""
    if not about.campaign:
        return ()
    if name in (FactName.MESSAGE_FAILED, FactName.MESSAGE_BOUNCED) and not about.permanent:
        return ()
    return _COUNTS.get(name, ())


_COUNTS: dict[str, tuple[str, ...]] = {
    FactName.MESSAGE_SENT: ("sent",),
    FactName.MESSAGE_FAILED: ("sent", "bounced"),
    FactName.MESSAGE_BOUNCED: ("bounced",),
    FactName.MESSAGE_COMPLAINED: ("complained",),
}


def _turn(fact: Event, about: About) -> Turn:
    detail = ": ".join(filter(None, (about.reason, about.detail)))
    said, to = bytes(about.said), about.to if fact.name == SENDING else ""
    return Turn(about.message, STATES[fact.name], fact.instant, detail, about.until, said, to)


def turn_of(facts: Sequence[Event], message: str) -> Turn | None:
    """What these facts made of one message; None if they say nothing of it."""
    found = Told()
    told(found, facts)
    return found.turns.get(message)


def exit_of(row: OutboxRow, group: Record) -> str:
    """Why the steps ended of the group's run that a member's message is of, if it makes no sense by that."""
    run = next((one for one in group.runs if one.id == row.run), None)
    return run.exited if run is not None and run.exited not in ("", *BY_ITSELF) else ""


def customer_id(record: Record, ids: Sequence[Id] = ()) -> str:
    """What the team calls this customer: the userId if there is one, else the anonymousId. The one by which
    the customer was first seen comes before others. `ids` are all of the customer's."""
    prefix, _, first = record.key.partition(":")
    users = sorted(value for kind, value in ids if kind == USER)
    return (first or prefix) if prefix == "u" or not users else users[0]


def letter_content(row: OutboxRow, record: Record, id: str, plan: Plan) -> JSON:
    """What rendering needs, as of the hand-off: the address and the traits, computed ones too, are those of
    now, and so is the plan, the one on which the record rests. `id` is the customer's or the group's
    (`customer_id`)."""
    sent = next((one for one in record.sends if one.message == row.message), None)
    run = next((one for one in record.runs if one.id == row.run), None)
    course = plan.walked(run) if run else None
    started = msgspec.json.decode(run.trigger) if run else {}
    given = started if course and course.campaign.trigger.api else {}
    about = "customer" if record.subject < GROUPS else "group"
    return row.content | {
        "to": sent.to if sent else row.content.get("to"),
        about: {name: trait.value for name, trait in record.traits.items()}
        | {name: one.value(record.summaries.get(one.key), record.now) for name, one in plan.computed.items()}
        | {"id": id},
        "event": started or row.content.get("event") or {},
        "data": given | (row.content.get("data") or {}),
        "events": [msgspec.json.decode(one) for one in (run.trigger, *run.gathered)] if run else [],
    }


_about = msgspec.json.Decoder(About)
