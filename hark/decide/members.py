"""What a group's campaign says to members: the group's step wants it, each member's own rules let it go.

`step` sees one subject. So the group writes `Members Addressed`; the engine gives each member a `Group
Message`, an event of their own history; and there the member is asked whether they are meant and may be
written to, as for every message. What became of it is copied into the group's history (`copies`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hark.clock import derived_id
from hark.decide.subjects import kind_of
from hark.definitions.types import Send
from hark.model import GROUPS, JSON, Event, FactName, Instant, Record, Run, Sent


class Addressed(Struct, frozen=True):
    """The properties of `Members Addressed`."""

    campaign: str
    version: int
    walks: int
    """The version whose step it is."""
    run: str
    arm: str
    step: str
    message: str
    """From which each member's message has its id."""
    of_group: int
    type: str
    id: str
    expires: Instant | None
    template: str
    to: str
    """Whom it is for, in words."""


class Told(Addressed, frozen=True):
    """The properties of a `Group Message`."""

    event: msgspec.Raw
    """What started the run."""
    group: dict[str, JSON]
    """The group's traits, and its id."""


def addressed(record: Record, run: Run, sent: Sent, step: Send) -> dict[str, JSON]:
    """What stands in the group's history of a message to members: nothing of any of them."""
    name = record.key.partition(":")[2].partition(":")[2]
    found = Addressed(
        run.campaign, run.version, run.walks or run.version, run.id, run.arm, sent.step, sent.message,
        record.subject, kind_of(record.key), name, sent.expires_at, sent.template,
        "members" if step.to is None else f"members who {step.to.sentence()}",
    )  # fmt: skip
    return msgspec.structs.asdict(found)


def message_of(fact: Event, record: Record) -> bytes:
    """What members are told after `Members Addressed`: with the group's traits, and what started the run."""
    said = _addressed.decode(fact.properties)
    run = next(one for one in record.runs if one.id == said.run)
    traits = {name: one.value for name, one in record.traits.items()} | {"id": said.id}
    told = Told(**msgspec.structs.asdict(said), event=msgspec.Raw(run.trigger), group=traits)
    return msgspec.json.encode(told)


def copies(facts: Sequence[Event]) -> Iterator[Event]:
    """Of a customer's facts about messages of a group's campaign what the group's history has of them: what
    became of each."""
    for fact in facts:
        if fact.name in COPIED and fact.subject < GROUPS and b'"of_group"' in fact.properties:
            said = _outcome.decode(fact.properties)
            if group := said.of_group:
                about = msgspec.json.encode({**msgspec.structs.asdict(said), "member": fact.subject})
                new = derived_id(group, fact.message_id)
                yield replace(fact, subject=group, message_id=new, properties=about)


class Outcome(Struct, frozen=True):
    """Of what became of a member's message, what the group's history has: no address, and no words."""

    message: str
    campaign: str
    version: int
    run: str
    arm: str
    step: str
    template: str
    channel: str
    of_group: int = 0
    reason: str = ""


COPIED = frozenset(
    one.value
    for one in (
        FactName.MESSAGE_SENT,
        FactName.MESSAGE_WITHHELD,
        FactName.MESSAGE_FAILED,
        FactName.MESSAGE_UNKNOWN,
        FactName.MESSAGE_BOUNCED,
        FactName.MESSAGE_COMPLAINED,
    )
)
_addressed = msgspec.json.Decoder(Addressed)
read = msgspec.json.Decoder(Told).decode
"""The properties of a `Group Message`."""
_outcome = msgspec.json.Decoder(Outcome)
