"""What facts about messages mean for the outbox: a new row, or a new state of one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct, field

from hark.model import JSON, Event, FactName, Instant
from hark.store.changes import Turn
from hark.store.contracts import OutboxRow

STATES: dict[str, str] = {
    FactName.MESSAGE_SENDING: "sending",
    FactName.MESSAGE_DEFERRED: "wanted",
    FactName.MESSAGE_WITHHELD: "withheld",
    FactName.MESSAGE_SENT: "sent",
    FactName.MESSAGE_FAILED: "failed",
    FactName.MESSAGE_UNKNOWN: "unknown",
}


class Told(Struct):
    """What a tick's facts told of messages."""

    wanted: list[OutboxRow] = field(default_factory=list)
    turns: dict[str, Turn] = field(default_factory=dict)
    """By message; the last one of a tick counts."""
    contents: dict[str, JSON] = field(default_factory=dict)
    """What rendering needs, of messages now *sending*."""


class About(Struct):
    """The properties of a fact about a message that the outbox keeps."""

    message: str = ""
    campaign: str = ""
    run: str = ""
    template: str = ""
    channel: str = ""
    due_at: Instant | None = None
    until: Instant | None = None
    reason: str = ""
    detail: str = ""


def told(into: Told, facts: Sequence[Event]) -> None:
    """Adds what these facts mean."""
    for fact in facts:
        if fact.name == FactName.MESSAGE_WANTED:
            into.wanted.append(_wanted(fact))
        elif fact.name in STATES:
            turn = _turn(fact)
            into.turns[turn.message] = turn


def _wanted(fact: Event) -> OutboxRow:
    about = _about.decode(fact.properties)
    return OutboxRow(
        *(about.message, fact.subject, about.campaign, about.run, about.template, about.channel, "wanted"),
        due_at=fact.instant if about.due_at is None else about.due_at,
        updated_at=fact.instant,
        content=msgspec.json.decode(fact.properties),
    )


def _turn(fact: Event) -> Turn:
    about = _about.decode(fact.properties)
    return Turn(about.message, STATES[fact.name], fact.instant, about.reason or about.detail, about.until)


_about = msgspec.json.Decoder(About)
