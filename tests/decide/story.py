"""One customer's story told to `step`: events, time passing, hand-offs; and the facts that came of it."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from hark.clock import instant
from hark.decide.plan import Plan
from hark.decide.record import decode, encode, fresh
from hark.decide.step import step
from hark.definitions.document import Document
from hark.definitions.parse import parse
from hark.model import (
    CAMPAIGN_TRIGGERED,
    DAY,
    HOUR,
    JSON,
    MINUTE,
    Command,
    Event,
    FactName,
    Input,
    Instant,
    Kind,
    MessageDue,
    Outcome,
    TimerDue,
    sequence,
)

START = instant("2026-03-02T10:00:00Z")
"""A Monday morning, in winter time."""

TOPIC = "topic: news\ndefault: in\n---\ntemplate: hello\nchannel: email\nsubject: Hello\ntext: Hello\n---\n"
SEND = "{send: {channel: email, template: hello}}"


def documents(text: str, version: int = 1) -> list[Document]:
    return [Document(one.kind, one.name, version, one.body) for one in parse(TOPIC + text)]


def plan_of(text: str, version: int = 1) -> Plan:
    return Plan.compile(documents(text, version))


def campaign(steps: str = f"[{SEND}]", **keys: str) -> str:
    """A campaign `hello` started by `Signed Up`, its goal `Bought` within 7 days; keys replace or add."""
    given = {
        "trigger": "{event: Signed Up}",
        "goal": "{event: Bought, within: 7d, value: revenue}",
        "control": "none",
        "why": "a test",
        "topic": "news",
        "steps": steps,
    } | keys
    if given["control"] != "none":
        given.pop("why")
    if "variants" in given:
        given.pop("steps")
    lines = [f"{key}: {value}" for key, value in given.items() if value]
    return "campaign: hello\n" + "\n".join(lines) + "\n"


def control_key(share: float = 0.5, inside: bool = True, name: str = "hello") -> str:
    """A stable key which the campaign's control of this share takes, or does not take."""
    from hark.clock import unit_hash

    keys = (f"key-{number}" for number in range(1000))
    return next(key for key in keys if (unit_hash(f"campaign/{name}/control", key) < share) is inside)


class Story:
    """Tells inputs in order; every record goes through its bytes on the way."""

    def __init__(
        self, plan: Plan, key: str = "key-0", email: str = "mara@shop.example", **traits: JSON
    ) -> None:
        self.plan = plan
        self.now = START
        self.row = 0
        self.record = fresh(1, key, START)
        self.facts: list[Event] = []
        self.events: list[Event] = []
        if email or traits:
            self.knows(**({"email": email} if email else {}), **traits)

    def gives(self, input: Input) -> list[Event]:
        self.now = max(self.now, input.instant)
        self.record, facts = step(decode(encode(self.record)), input, self.plan)
        self.facts += facts
        return facts

    def event(
        self, name: str, at: Instant | None = None, kind: int = Kind.TRACK, **properties: JSON
    ) -> Event:
        """The event, arriving now, that happened at `at` (now, if not said)."""
        self.row += 1
        return Event(
            1, self.now if at is None else at, sequence(self.row, 0), name, int(kind), "shop",
            f"m{self.row}", self.now, self.now, self.now, properties=json.dumps(properties).encode(),
        )  # fmt: skip

    def does(self, name: str, at: Instant | None = None, **properties: JSON) -> list[Event]:
        event = self.event(name, at, **properties)
        self.events.append(event)
        return self.gives(event)

    def imports(self, name: str, at: Instant, **properties: JSON) -> list[Event]:
        event = replace(self.event(name, at, **properties), known_at=at)
        self.events.append(event)
        return self.gives(event)

    def calls(self, campaign: str, **data: JSON) -> list[Event]:
        """Somebody calls a campaign for this customer."""
        event = replace(self.event(CAMPAIGN_TRIGGERED, campaign=campaign, data=data), active=False)
        self.events.append(event)
        return self.gives(event)

    def knows(self, **traits: JSON) -> list[Event]:
        event = self.event("Identify", kind=Kind.IDENTIFY, **traits)
        self.events.append(event)
        return self.gives(event)

    def wait(self, us: int) -> list[Event]:
        """Time passes; a timer fires at its moment."""
        self.now += us
        return self.gives(TimerDue(1, self.now))

    def commands(self, name: str, **data: JSON) -> list[Event]:
        return self.gives(Command(1, self.now, name, data))

    def hands_off(self, message: str) -> list[Event]:
        return self.gives(MessageDue(1, self.now, message))

    def comes_out(self, message: str, state: str = "sent", **more: Any) -> list[Event]:
        return self.gives(Outcome(1, self.now, message, state, **more))

    def deliver(self) -> list[Event]:
        """Hands off what is due now, as a sender would, and lets it succeed."""
        made: list[Event] = []
        for sent in sorted(self.record.sends, key=lambda one: (one.due_at, one.message)):
            if sent.state == "wanted" and sent.due_at <= self.now:
                made += self.hands_off(sent.message)
                made += self.comes_out(sent.message)
        return made

    def names(self) -> list[str]:
        return [fact.name for fact in self.facts]

    def found(self, name: FactName) -> list[dict[str, Any]]:
        """The properties of all facts of that name, in order."""
        return [read(fact) for fact in self.facts if fact.name == name]

    def reasons(self, name: FactName) -> list[str]:
        return [fact["reason"] for fact in self.found(name)]

    def messages(self) -> list[str]:
        return [fact["message"] for fact in self.found(FactName.MESSAGE_WANTED)]


def read(fact: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fact.properties)
    return found


__all__ = ["DAY", "HOUR", "MINUTE", "START", "Story", "campaign", "control_key", "plan_of", "read"]
