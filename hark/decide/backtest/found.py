"""What the walks came to: entries, messages, and what was refused or held back; parts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from hark.decide.holdouts import NEVER_COMPARED
from hark.model import Event, FactName, Instant


class Entry(Struct, array_like=True, gc=False):
    """One entry that would have been."""

    subject: int
    at: Instant
    compared: bool
    """It would be in the comparison: not in the global control."""
    first: bool
    """The customer's first in the comparison."""
    goal: bool = False
    """The goal followed in its window."""


class Message(Struct, array_like=True, gc=False):
    """One message that would have been sent."""

    subject: int
    at: Instant


class Found(Struct):
    """Of one part of the customers, or of all."""

    entries: list[Entry] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    withheld: dict[str, int] = field(default_factory=dict)
    """By reason, entries refused and messages withheld."""
    deferred: dict[str, int] = field(default_factory=dict)
    """By reason, how often a message would have had to wait."""
    customers: int = 0
    """Those who were walked."""
    events: int = 0

    def add(self, other: Found) -> None:
        """Takes in another part."""
        self.entries += other.entries
        self.messages += other.messages
        self.withheld = dict(Counter(self.withheld) + Counter(other.withheld))
        self.deferred = dict(Counter(self.deferred) + Counter(other.deferred))
        self.customers += other.customers
        self.events += other.events


class Fact(Struct, frozen=True, gc=False):
    """What is read of a fact about a campaign."""

    campaign: str = ""
    run: str = ""
    arm: str = ""
    reason: str | None = None
    first: bool = False
    also: int | None = None
    """Which of the goals beside the goal was reached."""


OUTSIDE = "out_of_dates"
"""The reason of all who came before the back-test's beginning or after its end."""
_read = msgspec.json.Decoder(Fact)


class Teller:
    """Adds the facts of one customer after another to what was found of one campaign."""

    def __init__(self, campaign: str) -> None:
        self.campaign = campaign
        self.found = Found()
        self._withheld: Counter[str] = Counter()
        self._deferred: Counter[str] = Counter()

    def tell(self, facts: Iterable[Event]) -> None:
        """All facts of one customer, in the order of their making."""
        runs: dict[str, Entry] = {}
        for event in facts:
            take = _TAKES.get(event.name)
            if take is not None:
                fact = _read.decode(event.properties)
                if fact.campaign == self.campaign:
                    take(self, event, fact, runs)

    def result(self) -> Found:
        """Everything told so far."""
        self.found.withheld, self.found.deferred = dict(self._withheld), dict(self._deferred)
        return self.found

    def _entered(self, event: Event, fact: Fact, runs: dict[str, Entry]) -> None:
        compared = fact.arm not in NEVER_COMPARED
        entry = Entry(event.subject, event.at, compared, compared and fact.first)
        runs[fact.run] = entry
        self.found.entries.append(entry)

    def _goal(self, _event: Event, fact: Fact, runs: dict[str, Entry]) -> None:
        if fact.run in runs and fact.also is None:
            runs[fact.run].goal = True

    def _refused(self, _event: Event, fact: Fact, _runs: dict[str, Entry]) -> None:
        if fact.reason and fact.reason != OUTSIDE:
            self._withheld[fact.reason] += 1

    def _held(self, _event: Event, fact: Fact, _runs: dict[str, Entry]) -> None:
        self._withheld[fact.reason or ""] += 1

    def _waits(self, _event: Event, fact: Fact, _runs: dict[str, Entry]) -> None:
        if fact.reason:
            self._deferred[fact.reason] += 1

    def _sent(self, event: Event, _fact: Fact, _runs: dict[str, Entry]) -> None:
        self.found.messages.append(Message(event.subject, event.at))


_TAKES: Mapping[str, Callable[[Teller, Event, Fact, dict[str, Entry]], Any]] = {
    FactName.CAMPAIGN_ENTERED.value: Teller._entered,
    FactName.NOT_ELIGIBLE.value: Teller._refused,
    FactName.GOAL_REACHED.value: Teller._goal,
    FactName.MESSAGE_WITHHELD.value: Teller._held,
    FactName.MESSAGE_WANTED.value: Teller._waits,
    FactName.MESSAGE_DEFERRED.value: Teller._waits,
    FactName.MESSAGE_SENDING.value: Teller._sent,
}
