"""`consent`: what a customer has said about being written to; and the fold by which it is known.

Answers are kept under "topic/channel"; "*" stands for all of them. The latest answer by (at, seq) among
those that apply to a topic and channel holds; without any, the topic's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Struct

from hark.model import DAY, JSON, Consent, ConsentName, Event, Instant
from hark.understand.conditions.base import Columns, Flags, Leaf, View

ALL = "*"
ASK_AGAIN_US = DAY
"""A request repeated while one is pending changes nothing within this time."""


class State(StrEnum):
    IN = "in"
    OUT = "out"
    PENDING = "pending"


class Rule(Struct, frozen=True):
    """What of a topic decides about answers to it."""

    default: str = "out"
    opt_in: str = "double"


class Said(Struct, frozen=True):
    """What is read of a consent event's properties."""

    topic: str | None = None
    channel: str | None = None


_decoder = msgspec.json.Decoder(Said)


def answer(answers: Mapping[str, Consent], topic: str, channel: str) -> Consent | None:
    """The customer's own latest answer that applies to this topic and channel."""
    if not answers:
        return None
    keys = (f"{topic}/{channel}", f"{topic}/{ALL}", f"{ALL}/{channel}", f"{ALL}/{ALL}")
    found = [answers[key] for key in keys if key in answers]
    return max(found, key=lambda one: (one.at, one.seq), default=None)


def state(answers: Mapping[str, Consent], rule: Rule | None, topic: str, channel: str) -> str:
    """in, out or pending: the customer's answer, else the topic's default (out for an unknown topic)."""
    given = answer(answers, topic, channel)
    if given:
        return given.state
    return rule.default if rule else State.OUT.value


def given_by(
    event: Event, answers: Mapping[str, Consent], rules: Mapping[str, Rule]
) -> tuple[str, Consent] | None:
    """The answer that an event gives, and what it is kept under; None if it changes nothing.

    Events are told in the order of their arrival: a confirmation counts only where a request is pending.
    """
    try:
        said = _decoder.decode(event.properties)
    except msgspec.DecodeError:
        return None
    if event.name == ConsentName.UNSUBSCRIBED:
        key, now = f"{said.topic or ALL}/{said.channel or ALL}", State.OUT
    elif said.topic is None:
        return None
    else:
        topic, channel = said.topic, said.channel or "email"
        asked = _requested if event.name == ConsentName.REQUESTED else _confirmed
        found = asked(event, answers, rules.get(topic), topic, channel)
        if found is None:
            return None
        key, now = f"{topic}/{channel}", found
    if not _newer(event, answers.get(key)):
        return None
    return key, Consent(now.value, event.at, event.seq, event.source)


def _requested(
    event: Event, answers: Mapping[str, Consent], rule: Rule | None, topic: str, channel: str
) -> State | None:
    """In at once for single opt-in, else pending."""
    before = answer(answers, topic, channel)
    if rule is None or state(answers, rule, topic, channel) == State.IN or not _newer(event, before):
        return None
    if rule.opt_in == "single":
        return State.IN
    lately = before and before.state == State.PENDING and event.at - before.at < ASK_AGAIN_US
    return None if lately else State.PENDING


def _confirmed(
    event: Event, answers: Mapping[str, Consent], rule: Rule | None, topic: str, channel: str
) -> State | None:
    """In, if a request is pending; an import may state it of anybody. Otherwise nobody had asked."""
    pending = state(answers, rule, topic, channel) == State.PENDING
    return State.IN if pending or event.imported else None


def _newer(event: Event, before: Consent | None) -> bool:
    return before is None or (event.at, event.seq) > (before.at, before.seq)


class HasConsent(Leaf, frozen=True, tag="consent"):
    """The customer's answer about a topic by a channel, else the topic's default, is this one."""

    keeps_summary: ClassVar[bool] = False

    topic: str
    channel: str
    state: Literal["in", "out", "pending"]
    rule: Rule | None = None
    """The topic's, once it has been looked up (`definitions.resolve`)."""

    def sentence(self) -> str:
        words = {"in": "agreed to", "out": "not agreed to", "pending": "been asked to confirm"}
        return f"have {words[self.state]} {self.topic} by {self.channel}"

    def _fits(self, answers: Mapping[str, Consent]) -> bool:
        return state(answers, self.rule, self.topic, self.channel) == self.state

    def _after(self, events: Sequence[Event], now: Instant) -> dict[str, Consent]:
        answers: dict[str, Consent] = {}
        rules = {self.topic: self.rule} if self.rule else {}
        for event in sorted(events, key=lambda one: one.seq):
            if event.name in _NAMES and event.at <= now:
                given = given_by(event, answers, rules)
                if given:
                    answers[given[0]] = given[1]
        return answers

    def holds(self, events: Sequence[Event], now: Instant) -> bool:
        return self._fits(self._after(events, now))

    def met(self, view: View, _now: Instant) -> bool:
        return self._fits(view.consents)

    def next_change(self, _view: View, _now: Instant) -> Instant | None:
        return None

    def watches(self) -> frozenset[str]:
        return _NAMES

    def fold(self, summary: JSON, _event: Event) -> JSON:
        return summary

    def merge(self, _one: JSON, _other: JSON) -> JSON:
        return None

    def columnar(self, columns: Columns) -> Flags:
        flags = np.full(len(columns.subjects), self._fits({}))
        for place, events in columns.consents():
            flags[place] = self.holds(events, columns.at)
        return flags

    def summarised(self, _columns: Columns) -> Iterator[tuple[int, JSON]]:
        return iter(())

    def leaves(self) -> Iterator[Leaf]:
        yield self


_NAMES = frozenset(name.value for name in ConsentName)
